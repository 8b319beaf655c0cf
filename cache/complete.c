/* complete.c: a tree whose members are all verified goes to its place, in one rename. */
#include "cache/complete.h"

#include "cache/internal.h"
#include "cache/layout.h"
#include "cache/model_lock.h"
#include "cache/registry.h"
#include "cache/tree_member.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { RETRY_MS = 500 };

/* What other processes noted counts, not only what this one knows. */
static int check_records(struct archive *archive, struct error *err)
{
    const struct toc *toc = archive->toc;
    CLEANUP_FREE struct tree_record *records = calloc(toc_count(toc), sizeof(*records));
    int rc = records ? tree_read_records(archive->tree, records, err)
                     : fail(err, ENOMEM, "no memory for the records of members");

    for (uint32_t i = 0; rc == 0 && i < toc_count(toc); i++) {
        if (toc_entry(toc, i)->kind == TOC_FILE && records[i].state != TREE_COMPLETE)
            rc = fail(err, EEXIST,
                      "another program put a part of model %s-%s at '%s/%s'; remove that "
                      "folder to have the whole model there",
                      archive->release.id, archive->release.version,
                      archive->cache->store.root, archive->tree->final_path);
    }
    return rc;
}

/* Noted as complete, but removed by somebody since: it is absent again. */
static int forget_member(struct archive *archive, uint32_t index, const char *path,
                         struct error *err)
{
    struct tree_record record;
    int rc;

    lock_acquire(&archive->lock);
    record = archive->records[index];
    record.state = TREE_ABSENT;
    archive_state_set_record_locked(archive, index, &record);
    lock_release(&archive->lock);
    rc = tree_member_forget(archive->tree, index, toc_entry(archive->toc, index)->size,
                            &record, err);
    return rc < 0 ? rc
                  : fail(err, EIO,
                         "'%s' was removed from the cache folder; open it again", path);
}

/* Records tell what was put there; what goes to the final path must be there. */
static int check_files(struct archive *archive, struct error *err)
{
    const struct toc *toc = archive->toc;
    char path[TOC_PATH_MAX + 1];
    int rc = 0;

    for (uint32_t i = 0; i < toc_count(toc); i++) {
        CLEANUP_FREE char *full = NULL;
        struct stat st;

        if (toc_entry(toc, i)->kind != TOC_FILE)
            continue;
        toc_path(toc, i, path);
        full = xasprintf("files/%s", path);
        if (fstatat(archive->tree->folder_fd, full, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode) || (uint64_t)st.st_size != toc_entry(toc, i)->size)
            rc = forget_member(archive, i, path, err);
    }
    return rc;
}

/* Folders without files in them are there only if somebody makes them. */
static int make_folders(struct archive *archive, struct error *err)
{
    const struct toc *toc = archive->toc;
    char path[TOC_PATH_MAX + 1];
    int rc = 0;

    for (uint32_t i = 1; rc == 0 && i < toc_count(toc); i++) {
        if (toc_entry(toc, i)->kind != TOC_FOLDER || toc_entry(toc, i)->child_count > 0)
            continue;
        toc_path(toc, i, path);
        CLEANUP_FREE char *full = xasprintf("files/%s", path);
        rc = files_make_folders_beneath(archive->tree->folder_fd, full, 0777, err);
    }
    return rc;
}

static void forget_members(struct tree_header *header, void *arg)
{
    (void)arg;
    header->bytes = 0;
}

/* Theirs has all our names and sizes: ours is not needed. */
static int drop_ours(struct archive *archive, struct error *err)
{
    static const struct tree_record absent = {.state = TREE_ABSENT};
    struct tree *tree = archive->tree;
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < toc_count(archive->toc); i++)
        rc = tree_write_record(tree, i, &absent, err);
    if (rc == 0)
        rc = tree_change_header(tree, forget_members, NULL, err);
    if (rc == 0)
        rc = files_remove_tree(tree->folder_fd, "files", err);
    if (rc == 0)
        rc = files_make_folders_beneath(tree->folder_fd, "files", 0777, err);
    return rc;
}

static int use_theirs(struct archive *archive, struct error *err)
{
    if (!archive_state_adopt_foreign(archive))
        return fail(err, EEXIST,
                    "another program put a different model %s-%s at '%s/%s'; remove that "
                    "folder to have this one there",
                    archive->release.id, archive->release.version,
                    archive->cache->store.root, archive->tree->final_path);
    return drop_ours(archive, err);
}

/* With audmodel's lock held. */
static int put_in_place(struct archive *archive, struct error *err)
{
    const struct store *store = &archive->cache->store;
    struct tree *tree = archive->tree;
    const char *name;
    CLEANUP_CLOSE int folder =
        files_open_parent(store->root_fd, tree->final_path, &name, err);
    int rc = folder < 0 ? folder : store_has_files(store, tree->final_path, err);

    if (rc < 0)
        return rc;
    if (rc > 0)
        return use_theirs(archive, err);
    if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return fail_errno(err, "remove the empty folder '%s'", tree->final_path);
    FAULT("cache.complete.before-move");
    return tree_move(tree, err);
}

static int lock_model(struct archive *archive, int timeout_ms, int *ret_fd,
                      struct error *err)
{
    const struct store *store = &archive->cache->store;
    const struct release *release = &archive->release;
    CLEANUP_FREE char *lock = layout_lock(release->id, release->version, LAYOUT_MODEL);
    int rc =
        files_make_folders_beneath(store->root_fd, release->id, store->folder_mode, err);

    if (rc == 0)
        rc = model_lock_acquire(store->root_fd, lock, timeout_ms, ret_fd, err);
    return rc == -ETIMEDOUT ? fail(err, EAGAIN, "audmodel loads this model now") : rc;
}

static int move_with_lock(struct archive *archive, int timeout_ms, struct error *err)
{
    CLEANUP_CLOSE int folder = -1;
    int lock_fd = -1;
    int rc = lock_model(archive, timeout_ms, &lock_fd, err);

    if (rc < 0)
        return rc;
    rc = put_in_place(archive, err);
    model_lock_release(lock_fd);
    if (rc < 0)
        return rc;
    folder = files_open_beneath(archive->cache->store.root_fd, archive->release.id,
                                O_RDONLY | O_DIRECTORY, 0, &(struct error){0});
    if (folder >= 0)
        (void)fsync(folder); /* lost with the power, the rename is made again */
    return 0;
}

/* With TREE_LOCK_MOVE held. */
static int run_alone(struct archive *archive, int timeout_ms, struct error *err)
{
    struct tree *tree = archive->tree;
    struct tree_header header;
    int lock_fd = -1;
    int rc = tree_read_header(tree, &header, err);

    if (rc < 0 || tree_is_final_ours(tree, &header))
        return rc;
    /* While audmodel has it, which may be for hours, the disk is not flushed for each
     * look; nor is the lock held for as long as that takes. */
    rc = lock_model(archive, timeout_ms, &lock_fd, err);
    model_lock_release(lock_fd);
    if (rc == 0)
        rc = check_records(archive, err);
    if (rc == 0)
        rc = check_files(archive, err);
    if (rc == 0)
        rc = make_folders(archive, err);
    if (rc < 0)
        return rc;
    /* audmodel fetches by itself what is missing beside a model. */
    (void)documents_save(archive->cache->documents, archive->resolver, &archive->release,
                         &(struct error){0});
    if (syncfs(tree->state_fd) < 0)
        return fail_errno(err, "flush the cache folder to disk");
    FAULT("cache.complete.before-lock");
    return move_with_lock(archive, timeout_ms, err);
}

static int run(struct archive *archive, int timeout_ms, struct error *err)
{
    int rc = tree_lock(archive->tree, TREE_LOCK_MOVE, timeout_ms, err);

    if (rc < 0)
        return rc;
    rc = run_alone(archive, timeout_ms, err);
    tree_unlock(archive->tree, TREE_LOCK_MOVE);
    return rc;
}

/* false: it is at its place already. */
static bool begin(struct archive *archive)
{
    bool is_needed;

    lock_acquire(&archive->lock);
    while (archive->is_completing)
        condition_wait(&archive->changed, &archive->lock);
    is_needed = !archive->is_final;
    archive->is_completing = is_needed;
    lock_release(&archive->lock);
    return is_needed;
}

int complete_now(struct archive *archive, int timeout_ms, struct error *err)
{
    int rc;

    if (!archive->tree || !begin(archive))
        return 0;
    rc = run(archive, timeout_ms, err);
    lock_acquire(&archive->lock);
    archive->is_completing = false;
    if (rc == 0)
        archive->is_final = true;
    condition_broadcast(&archive->changed);
    lock_release(&archive->lock);
    return rc < 0 ? fail_context(err, rc, "complete model %s-%s", archive->release.id,
                                 archive->release.version)
                  : 0;
}

static void run_job(void *arg)
{
    struct archive *archive = arg;
    struct error err = {0};
    int rc = complete_now(archive, TREE_TRY, &err);

    lock_acquire(&archive->lock);
    if (rc < 0 && rc != -EAGAIN)
        archive_state_note_failure_locked(archive, 0, &err); /* of the model as a whole */
    lock_release(&archive->lock);
    if (rc == -EAGAIN && !archive->cache->is_closing) /* takes the reference along */
        delay_submit(archive->cache->delay, RETRY_MS, archive->cache->movers, run_job,
                     archive);
    else
        registry_release(archive);
}

/* What is waited for by who needs room (registry_work_begin). */
struct counted {
    struct archive *archive;
    unsigned begun;
};

static void run_counted(void *arg)
{
    CLEANUP_FREE struct counted *counted = arg;
    struct cache *cache = counted->archive->cache;

    run_job(counted->archive);
    registry_work_end(cache, counted->begun);
}

void complete_later(struct archive *archive)
{
    struct cache *cache = archive->cache;
    struct counted *counted = XNEW(struct counted);
    struct error err = {0};

    registry_ref(archive);
    *counted = (struct counted){archive, registry_work_begin(cache)};
    if (workers_submit(cache->movers, run_counted, counted, &err) == 0)
        return;
    registry_work_end(cache, counted->begun);
    free(counted);
    /* Where models come faster than the disk can be flushed, those that bring them wait.
     * Not counted: before it in that queue may be who waits for room. */
    if (workers_submit(archive->workers, run_job, archive, &err) < 0)
        registry_release(archive); /* full or closing: the next open of it tries again */
}
