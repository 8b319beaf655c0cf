/* tree.c: one tree on disk: its record, its move to its place, the locks between
 * processes. */
#include "cache/tree.h"

#include "cache/layout.h"
#include "cache/toc.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    RECORDS_AT_ONCE = 4096,
    HEADER_PAUSE_MS_MAX = 32, /* between looks; doubled from one to the next */
};

int tree_lock(struct tree *tree, uint64_t byte, int timeout_ms, struct error *err)
{
    return byte_lock_write(tree->state_fd, byte, timeout_ms, err);
}

void tree_unlock(struct tree *tree, uint64_t byte)
{
    byte_lock_drop(tree->state_fd, byte);
}

bool tree_is_locked(const struct tree *tree, uint64_t byte)
{
    return byte_lock_is_taken(tree->state_fd, byte);
}

int tree_lock_use(struct tree *tree, int timeout_ms, struct error *err)
{
    return byte_lock_read(tree->state_fd, TREE_LOCK_USE, timeout_ms, err);
}

int tree_lock_alone(struct tree *tree, struct error *err)
{
    return tree_lock(tree, TREE_LOCK_USE, TREE_TRY, err);
}

void tree_let_go(struct tree *tree)
{
    tree_unlock(tree, TREE_LOCK_USE);
}

/* Whoever evicted it has the lock until the record is removed. */
bool tree_take_again(struct tree *tree)
{
    struct stat st;

    return tree_lock_use(tree, TREE_TRY, &(struct error){0}) == 0 &&
           fstat(tree->state_fd, &st) == 0 && st.st_nlink > 0;
}

void tree_note_use(struct tree *tree)
{
    /* On failure it counts as used less lately than it was. */
    (void)futimens(tree->state_fd, NULL);
}

static void unlock_alone(struct tree *tree)
{
    /* Weaker than what we have: succeeds. */
    (void)tree_lock_use(tree, TREE_TRY, &(struct error){0});
}

/* Writing is not atomic to who reads without the lock: half a header comes whole soon. */
int tree_load_header(int state_fd, struct tree_header *ret_header, struct error *err)
{
    unsigned char bytes[TREE_HEADER_SIZE];

    for (int pause_ms = 1;; pause_ms *= 2) {
        int rc = files_pread(state_fd, bytes, sizeof(bytes), 0, err);

        if (rc == 0)
            rc = tree_header_parse(bytes, ret_header, err);
        if (rc != -EAGAIN)
            return rc;
        if (pause_ms > HEADER_PAUSE_MS_MAX)
            return fail(err, EBADMSG, "it is damaged: its checksum is wrong");
        clock_sleep_ms(pause_ms);
    }
}

int tree_read_header(struct tree *tree, struct tree_header *ret_header, struct error *err)
{
    int rc = tree_load_header(tree->state_fd, ret_header, err);

    return rc < 0 ? fail_context(err, rc, "state of '%s'", tree->path) : 0;
}

int tree_write_header(struct tree *tree, const struct tree_header *header,
                      struct error *err)
{
    unsigned char bytes[TREE_HEADER_SIZE];

    tree_header_print(header, bytes);
    return files_pwrite(tree->state_fd, bytes, sizeof(bytes), 0, err);
}

int tree_lock_header(struct tree *tree, struct error *err)
{
    lock_acquire(&tree->lock);
    return tree_lock(tree, TREE_LOCK_HEADER, TREE_WAIT_MS, err);
}

void tree_unlock_header(struct tree *tree)
{
    tree_unlock(tree, TREE_LOCK_HEADER);
    lock_release(&tree->lock);
}

bool tree_is_there(const struct tree *tree)
{
    CLEANUP_FREE char *path = xasprintf("%s/state", tree->path);
    struct stat there, ours;

    return fstat(tree->state_fd, &ours) == 0 &&
           fstatat(tree->store->root_fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

static int change_header(struct tree *tree, tree_change *change, void *arg,
                         struct error *err)
{
    struct tree_header header;
    int rc = tree_read_header(tree, &header, err);

    if (rc < 0)
        return rc;
    change(&header, arg);
    return tree_write_header(tree, &header, err);
}

int tree_change_header(struct tree *tree, tree_change *change, void *arg,
                       struct error *err)
{
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = change_header(tree, change, arg, err);
    tree_unlock_header(tree);
    return rc;
}

static uint64_t record_at(uint32_t index)
{
    return TREE_HEADER_SIZE + (uint64_t)index * TREE_RECORD_SIZE;
}

int tree_read_record(struct tree *tree, uint32_t index, struct tree_record *ret_record,
                     struct error *err)
{
    unsigned char bytes[TREE_RECORD_SIZE];
    int rc = files_pread(tree->state_fd, bytes, sizeof(bytes), record_at(index), err);

    if (rc == 0)
        tree_record_parse(bytes, ret_record);
    return rc < 0 ? fail_context(err, rc, "state of '%s'", tree->path) : 0;
}

int tree_write_record(struct tree *tree, uint32_t index, const struct tree_record *record,
                      struct error *err)
{
    unsigned char bytes[TREE_RECORD_SIZE];
    int rc;

    tree_record_print(record, bytes);
    rc = files_pwrite(tree->state_fd, bytes, sizeof(bytes), record_at(index), err);
    return rc < 0 ? fail_context(err, rc, "state of '%s'", tree->path) : 0;
}

int tree_read_records(struct tree *tree, struct tree_record *records, struct error *err)
{
    static const size_t size = (size_t)RECORDS_AT_ONCE * TREE_RECORD_SIZE;
    CLEANUP_FREE unsigned char *bytes = xcalloc(1, size);

    for (uint32_t first = 0; first < tree->entries; first += RECORDS_AT_ONCE) {
        uint32_t left = tree->entries - first;
        uint32_t count = left < RECORDS_AT_ONCE ? left : RECORDS_AT_ONCE;
        int rc = files_pread(tree->state_fd, bytes, (size_t)count * TREE_RECORD_SIZE,
                             record_at(first), err);

        if (rc < 0)
            return fail_context(err, rc, "state of '%s'", tree->path);
        for (uint32_t i = 0; i < count; i++)
            tree_record_parse(bytes + (size_t)i * TREE_RECORD_SIZE, &records[first + i]);
    }
    return 0;
}

static int identify(int dir_fd, const char *path, uint64_t *ret_inode,
                    int64_t *ret_born_ns, struct error *err)
{
    struct statx st;

    if (statx(dir_fd, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_TYPE | STATX_BTIME,
              &st) < 0)
        return fail_errno(err, "stat '%s'", path);
    *ret_inode = st.stx_ino;
    *ret_born_ns = st.stx_mask & STATX_BTIME
                       ? st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec
                       : 0;
    return 0;
}

bool tree_is_at(const struct tree_header *header, int dir_fd, const char *path)
{
    struct error err = {0};
    uint64_t inode = 0;
    int64_t born_ns = 0;

    return identify(dir_fd, path, &inode, &born_ns, &err) == 0 &&
           inode == header->folder_inode && born_ns == header->folder_born_ns;
}

bool tree_is_final_ours(struct tree *tree, const struct tree_header *header)
{
    return header->flags & TREE_IS_MOVED &&
           tree_is_at(header, tree->store->root_fd, tree->final_path);
}

bool tree_is_final_attested(struct tree *tree, const struct tree_header *header)
{
    return header->flags & TREE_IS_ATTESTED &&
           tree_is_at(header, tree->store->root_fd, tree->final_path);
}

static void forget_move(struct tree_header *header, void *arg)
{
    (void)arg;
    header->flags &= ~(uint32_t)(TREE_IS_MOVED | TREE_IS_CLEAN);
}

int tree_forget_move(struct tree *tree, struct error *err)
{
    int rc = files_make_folders_beneath(tree->folder_fd, "files", 0777, err);

    if (rc == 0)
        rc = files_make_folders_beneath(tree->folder_fd, "incoming", 0777, err);
    return rc < 0 ? rc : tree_change_header(tree, forget_move, NULL, err);
}

/* The header says "moved" before the rename: a process that dies in between leaves the
 * folder of files where it was, which tree_open sees. */
static int move(struct tree *tree, struct error *err)
{
    struct tree_header header;
    const char *name;
    CLEANUP_CLOSE int folder =
        files_open_parent(tree->store->root_fd, tree->final_path, &name, err);
    int rc = folder < 0 ? folder : tree_read_header(tree, &header, err);

    if (rc == 0)
        rc = identify(tree->folder_fd, "files", &header.folder_inode,
                      &header.folder_born_ns, err);
    if (rc < 0)
        return rc;
    header.flags |= TREE_IS_MOVED | TREE_IS_CLEAN;
    header.flags &= ~(uint32_t)TREE_IS_ATTESTED;
    rc = tree_write_header(tree, &header, err);
    if (rc < 0)
        return rc;
    if (fdatasync(tree->state_fd) < 0)
        return fail_errno(err, "fdatasync the state of '%s'", tree->path);
    FAULT("cache.complete.before-rename");
    if (renameat2(tree->folder_fd, "files", folder, name, RENAME_NOREPLACE) == 0)
        return 0;
    rc = fail_errno(err, "rename '%s/files' to '%s'", tree->path, tree->final_path);
    header.flags &= ~(uint32_t)TREE_IS_MOVED;
    /* The rename's failure counts, and tree_open sees through a stale flag. */
    (void)tree_write_header(tree, &header, &(struct error){0});
    return rc;
}

int tree_move(struct tree *tree, struct error *err)
{
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = move(tree, err);
    tree_unlock_header(tree);
    FAULT("cache.complete.after-rename");
    return rc;
}

static int attest_locked(struct tree *tree, struct error *err) REQUIRES(tree->lock)
{
    struct tree_header header;
    int rc = tree_read_header(tree, &header, err);

    if (rc == 0)
        rc = identify(tree->store->root_fd, tree->final_path, &header.folder_inode,
                      &header.folder_born_ns, err);
    if (rc < 0)
        return rc;
    header.flags |= TREE_IS_ATTESTED;
    return tree_write_header(tree, &header, err);
}

int tree_attest(struct tree *tree, struct error *err)
{
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = attest_locked(tree, err);
    tree_unlock_header(tree);
    return rc;
}

static void mark_clean(struct tree_header *header, void *arg)
{
    (void)arg;
    header->flags |= TREE_IS_CLEAN;
}

bool tree_is_unclean(struct tree *tree)
{
    struct tree_header header;
    struct error err = {0};

    return tree_read_header(tree, &header, &err) == 0 && header.bytes > 0 &&
           !(header.flags & (TREE_IS_CLEAN | TREE_IS_MOVED));
}

void tree_mark_clean(struct tree *tree)
{
    struct error err = {0};

    /* On failure members are hashed once more after the next boot: no harm. */
    if (tree_lock_alone(tree, &err) < 0)
        return;
    (void)tree_change_header(tree, mark_clean, NULL, &err);
    unlock_alone(tree);
}

void tree_close(struct tree *tree)
{
    if (!tree)
        return;
    if (tree->folder_fd >= 0)
        close(tree->folder_fd);
    if (tree->state_fd >= 0)
        close(tree->state_fd);
    lock_done(&tree->lock);
    free(tree->path);
    free(tree->final_path);
    free(tree);
}
