/* tree_open.c: a tree from disk, with what a dead process or machine left put right. */
#include "cache/tree_open.h"
#include "cache/tree_member.h"

#include "cache/layout.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { OPEN_TRIES = 10 };

static struct tree *new_tree(const struct store *store, const char *id,
                             const char *version, const char *digest)
{
    struct tree *tree = XNEW(struct tree);

    tree->store = store;
    tree->path = layout_tree(id, version, digest);
    tree->final_path = layout_path(id, version, LAYOUT_MODEL);
    tree->folder_fd = -1;
    tree->state_fd = -1;
    lock_init(&tree->lock);
    return tree;
}

static int open_files(struct tree *tree, int flags, struct error *err)
{
    tree->folder_fd = files_open_beneath(tree->store->root_fd, tree->path,
                                         O_PATH | O_DIRECTORY, 0, err);
    if (tree->folder_fd < 0)
        return tree->folder_fd;
    tree->state_fd = files_open_beneath(tree->folder_fd, "state",
                                        O_RDWR | O_NOFOLLOW | flags, 0666, err);
    if (tree->state_fd < 0)
        return tree->state_fd;
    return tree_lock_use(tree, TREE_WAIT_MS, err);
}

/* New, or damaged: start with nothing. */
static int reset(struct tree *tree, const struct toc *toc, struct error *err)
{
    struct tree_header header = {.entries = tree->entries,
                                 .total_bytes = toc_total_size(toc)};
    off_t size = TREE_HEADER_SIZE + (off_t)tree->entries * TREE_RECORD_SIZE;
    int rc = files_remove_tree(tree->folder_fd, "files", err);

    if (rc == 0 &&
        (ftruncate(tree->state_fd, 0) < 0 || ftruncate(tree->state_fd, size) < 0))
        rc = fail_errno(err, "make the state of '%s'", tree->path);
    memcpy(header.boot_id, tree->store->boot_id, sizeof(header.boot_id));
    return rc < 0 ? rc : tree_write_header(tree, &header, err);
}

static bool has_room(struct tree *tree, const struct tree_header *header)
{
    struct stat st;

    return header->entries == tree->entries && fstat(tree->state_fd, &st) == 0 &&
           st.st_size == TREE_HEADER_SIZE + (off_t)tree->entries * TREE_RECORD_SIZE;
}

/* The machine stopped without our mark: what is noted as complete may not be on disk. */
static int distrust_members(struct tree *tree, struct error *err)
{
    for (uint32_t i = 0; i < tree->entries; i++) {
        struct tree_record record;
        int rc = tree_read_record(tree, i, &record, err);

        if (rc == 0 && record.state == TREE_COMPLETE) {
            record.state = TREE_UNCHECKED;
            rc = tree_write_record(tree, i, &record, err);
        }
        if (rc < 0)
            return rc;
    }
    if (fdatasync(tree->state_fd) < 0)
        return fail_errno(err, "fdatasync the state of '%s'", tree->path);
    return 0;
}

static int settle_boot(struct tree *tree, struct tree_header *header, struct error *err)
{
    int rc = 0;

    if (strcmp(header->boot_id, tree->store->boot_id) == 0)
        return 0;
    if (!(header->flags & (TREE_IS_CLEAN | TREE_IS_MOVED)))
        rc = distrust_members(tree, err);
    memcpy(header->boot_id, tree->store->boot_id, sizeof(header->boot_id));
    return rc < 0 ? rc : tree_write_header(tree, header, err);
}

/* The header says that the files are at the final path: are they? */
static int settle_move(struct tree *tree, const struct toc *toc,
                       struct tree_header *header, struct error *err)
{
    if (!(header->flags & TREE_IS_MOVED) || tree_is_final_ours(tree, header))
        return 0;
    if (!tree_is_at(header, tree->folder_fd, "files")) {
        int rc = reset(tree, toc, err);

        return rc < 0 ? rc : tree_read_header(tree, header, err);
    }
    header->flags &= ~(uint32_t)TREE_IS_MOVED;
    return tree_write_header(tree, header, err);
}

static int drop_arriving(void *arg, const char *name, struct error *err)
{
    struct tree *tree = arg;
    uint64_t index;

    if (text_to_u64(name, &index, err) < 0 || index >= tree->entries)
        return 0;
    if (tree_lock(tree, TREE_LOCK_MEMBER + index, TREE_TRY, err) < 0)
        return 0; /* a living process writes it */
    tree_member_drop(tree, (uint32_t)index);
    tree_unlock(tree, TREE_LOCK_MEMBER + index);
    return 0;
}

static int settle(struct tree *tree, const struct toc *toc, struct error *err)
{
    CLEANUP_FREE char *incoming = xasprintf("%s/incoming", tree->path);
    struct error ignored = {0};
    struct tree_header header;
    int rc = 0;

    if (tree_read_header(tree, &header, &ignored) < 0 || !has_room(tree, &header)) {
        rc = reset(tree, toc, err);
        if (rc == 0)
            rc = tree_read_header(tree, &header, err);
    }
    if (rc == 0)
        rc = settle_move(tree, toc, &header, err);
    if (rc == 0)
        rc = settle_boot(tree, &header, err);
    if (rc == 0 && !(header.flags & TREE_IS_MOVED))
        rc = files_make_folders_beneath(tree->folder_fd, "files", 0777, err);
    if (rc == 0)
        rc = files_make_folders_beneath(tree->folder_fd, "incoming", 0777, err);
    if (rc == 0)
        rc = store_list(tree->store, incoming, drop_arriving, tree, err);
    if (rc == 0 && futimens(tree->state_fd, NULL) < 0)
        rc = fail_errno(err, "touch the state of '%s'", tree->path);
    return rc;
}

/* 1: it was evicted under our hands. */
static int try_open(struct tree *tree, const struct toc *toc, struct error *err)
{
    int rc = files_make_folders_beneath(tree->store->root_fd, tree->path, 0777, err);

    if (rc == 0)
        rc = open_files(tree, O_CREAT, err);
    if (rc == -ENOENT) {
        rc = store_revive(tree->store, err);
        return rc < 0 ? rc : 1;
    }
    if (rc < 0)
        return rc;
    rc = tree_lock_header(tree, err);
    if (rc == 0)
        rc = tree_is_there(tree) ? settle(tree, toc, err) : 1;
    tree_unlock_header(tree);
    return rc;
}

int tree_open(const struct store *store, const char *id, const char *version,
              const struct toc *toc, struct tree **ret_tree, struct error *err)
{
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        CLEANUP_TREE struct tree *tree = new_tree(store, id, version, toc_digest(toc));
        int rc;

        tree->entries = toc_count(toc);
        rc = try_open(tree, toc, err);
        if (rc < 0)
            return fail_context(err, rc, "cache of model %s-%s", id, version);
        if (rc == 0) {
            *ret_tree = steal_ptr(&tree);
            return 0;
        }
    }
    return fail(err, EAGAIN, "cache of model %s-%s: it is being evicted again and again",
                id, version);
}

int tree_open_existing(const struct store *store, const char *id, const char *version,
                       const char *digest, struct tree **ret_tree, struct error *err)
{
    CLEANUP_TREE struct tree *tree = new_tree(store, id, version, digest);
    struct tree_header header;
    int rc = open_files(tree, 0, err);

    if (rc == 0)
        rc = tree_read_header(tree, &header, err);
    if (rc < 0)
        return rc;
    tree->entries = header.entries;
    *ret_tree = steal_ptr(&tree);
    return 0;
}
