/* drafts.c: the texts of metadata that are being written, and their way out. */
#include "fs/drafts.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"
#include "fs/draft.h"
#include "fs/failures.h"
#include "fs/invalidate.h"
#include "resolver/release.h"
#include "resolver/uid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>

enum {
    DRAFTS_MAX = 64, /* open at once, of YAML_BYTES_MAX each */
    FAILURES_KEPT = 64,
    SETTLE_MS = 2000, /* a reader waits for writers at most so long */
};

struct failure {
    struct release release;
    char message[ERROR_MESSAGE_MAX];
    TAILQ_ENTRY(failure) next;
};

struct drafts {
    struct lock lock;
    struct condition changed;
    TAILQ_HEAD(draft_list, draft) all;          /* guarded by lock, as what is in it */
    TAILQ_HEAD(failure_list, failure) failures; /* oldest first; guarded by lock */
    size_t count;                               /* of all; guarded by lock */
    size_t failure_count;                       /* guarded by lock */
    uint64_t next_handle;                       /* guarded by lock */
    int store_fd;                               /* constant; -1: nothing is kept */
    char owner[PROCESS_NAME_SIZE];              /* constant */
    pid_t predecessor;                          /* of owner; 0: none; constant */
};

struct drafts *drafts_new(void)
{
    struct drafts *drafts = XNEW(struct drafts);

    lock_init(&drafts->lock);
    condition_init(&drafts->changed);
    TAILQ_INIT(&drafts->all);
    TAILQ_INIT(&drafts->failures);
    /* No handle of a process before this one must be taken for one of ours. */
    drafts->next_handle = (uint64_t)clock_now_ms() << 20;
    drafts->store_fd = -1;
    return drafts;
}

static void take_out_locked(struct drafts *drafts, struct draft *draft)
    REQUIRES(drafts->lock)
{
    TAILQ_REMOVE(&drafts->all, draft, next);
    drafts->count--;
}

static void drop_failure_locked(struct drafts *drafts, struct failure *failure)
    REQUIRES(drafts->lock)
{
    TAILQ_REMOVE(&drafts->failures, failure, next);
    drafts->failure_count--;
    free(failure);
}

void drafts_free(struct drafts *drafts)
{
    struct draft *draft;

    if (!drafts)
        return;
    lock_acquire(&drafts->lock);
    /* Their files stay for who comes next. */
    while ((draft = TAILQ_FIRST(&drafts->all))) {
        take_out_locked(drafts, draft);
        draft_free(draft);
    }
    cleanup_close(&drafts->store_fd);
    while (!TAILQ_EMPTY(&drafts->failures))
        drop_failure_locked(drafts, TAILQ_FIRST(&drafts->failures));
    lock_release(&drafts->lock);
    condition_done(&drafts->changed);
    lock_done(&drafts->lock);
    free(drafts);
}

static struct draft *find_locked(struct drafts *drafts, uint64_t handle)
    REQUIRES(drafts->lock)
{
    struct draft *draft;

    TAILQ_FOREACH(draft, &drafts->all, next) {
        if (draft->handle == handle)
            return draft;
    }
    return NULL;
}

static int lost(struct error *err)
{
    return fail(err, EIO, "the text was lost with the process that had it: write anew");
}

int drafts_open(struct fs *fs, uint64_t node_id, const struct release *release, int flags,
                uint64_t *ret_handle, struct error *err)
{
    struct drafts *drafts = fs->drafts;
    struct draft *draft = XNEW(struct draft);
    int rc = 0;

    bytes_init(&draft->text, YAML_BYTES_MAX);
    draft->fd = -1;
    draft->store_fd = drafts->store_fd;
    draft->owner = drafts->owner;
    draft->node_id = node_id;
    draft->release = *release;
    draft->how = flags & O_APPEND && !(flags & O_TRUNC) ? PUBLISH_META_MERGE
                                                        : PUBLISH_META_REPLACE;
    if (!(flags & (O_APPEND | O_TRUNC)))
        rc = cache_meta(fs->cache, fs->resolver, release, &draft->text, err);
    lock_acquire(&drafts->lock);
    if (rc == 0 && drafts->count >= DRAFTS_MAX)
        rc = fail(err, ENFILE, "%d texts are being written already", DRAFTS_MAX);
    if (rc == 0) {
        draft->handle = *ret_handle = ++drafts->next_handle;
        draft_begin(draft);
        TAILQ_INSERT_TAIL(&drafts->all, draft, next);
        drafts->count++;
        draft = NULL;
    }
    lock_release(&drafts->lock);
    if (draft)
        draft_free(draft);
    return rc;
}

int drafts_write(struct drafts *drafts, uint64_t handle, const struct draft_write *write,
                 struct error *err)
{
    struct draft *draft;
    int rc;

    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    rc = draft ? draft_put(draft, write, err) : lost(err);
    lock_release(&drafts->lock);
    return rc;
}

int drafts_truncate(struct drafts *drafts, uint64_t handle, uint64_t size,
                    struct error *err)
{
    struct draft *draft;
    int rc;

    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    rc = draft ? draft_cut(draft, size, err) : lost(err);
    lock_release(&drafts->lock);
    return rc;
}

/* Parsed without the lock: what is written meanwhile is for a later close to check. */
int drafts_check(struct drafts *drafts, uint64_t handle, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    char uid[RELEASE_UID_SIZE];
    struct draft *draft;
    uint64_t changes = 0;
    bool is_needed;
    int rc = 0;

    bytes_init(&text, YAML_BYTES_MAX);
    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    is_needed = draft && draft->is_dirty;
    if (is_needed) {
        release_print_uid(&draft->release, uid);
        draft->is_flushed = true;
        changes = draft->changes;
        rc = bytes_append(&text, draft->text.data, draft->text.size, err);
    }
    lock_release(&drafts->lock);
    if (!is_needed || rc < 0)
        return rc;
    rc = draft_check(&text, err);
    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    if (draft) {
        draft_judge(draft, changes, rc < 0);
        condition_broadcast(&drafts->changed);
    }
    lock_release(&drafts->lock);
    return rc < 0 ? fail_context(err, rc, "model %s", uid) : 0;
}

/* What the last change of a release came to; message NULL: it succeeded. */
static void note_locked(struct drafts *drafts, const struct release *release,
                        const char *message) REQUIRES(drafts->lock)
{
    struct failure *failure, *next;

    for (failure = TAILQ_FIRST(&drafts->failures); failure; failure = next) {
        next = TAILQ_NEXT(failure, next);
        if (release_is_same(&failure->release, release))
            drop_failure_locked(drafts, failure);
    }
    if (!message)
        return;
    if (drafts->failure_count >= FAILURES_KEPT)
        drop_failure_locked(drafts, TAILQ_FIRST(&drafts->failures));
    failure = XNEW(struct failure);
    failure->release = *release;
    snprintf(failure->message, sizeof failure->message, "%s", message);
    TAILQ_INSERT_TAIL(&drafts->failures, failure, next);
    drafts->failure_count++;
}

static int send(struct fs *fs, const struct draft *draft, const struct bytes *text,
                struct error *err)
{
    char uid[RELEASE_UID_SIZE];
    int rc;

    release_print_uid(&draft->release, uid);
    rc = publish_set_meta(fs->resolver, uid, text->data, text->size, draft->how, err);
    if (draft->node_id)
        invalidate_content(fs, draft->node_id);
    return rc;
}

enum commit_for {
    COMMIT_FOR_SYNC,
    COMMIT_FOR_RELEASE, /* the last time: the draft goes */
};

/* The draft stays: only the thread for metadata, which we are on, removes any. Who waits
 * is told when its file is gone: what comes then must not be undone by a worker that
 * sends the text again. What the end of the mount cut short the next mount sends. */
static int commit(struct fs *fs, uint64_t handle, enum commit_for reason,
                  struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    struct drafts *drafts = fs->drafts;
    struct draft *draft;
    bool is_needed;
    int rc = 0;

    bytes_init(&text, YAML_BYTES_MAX);
    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    is_needed = draft && draft->is_dirty && !draft->is_refused;
    if (is_needed) {
        rc = bytes_append(&text, draft->text.data, draft->text.size, err);
        draft->is_dirty = false;
        draft->is_committing = true;
    }
    lock_release(&drafts->lock);
    if (is_needed && rc == 0)
        rc = send(fs, draft, &text, err);
    if (draft && reason == COMMIT_FOR_RELEASE && rc != -ECANCELED)
        draft_store_remove(drafts->store_fd, draft->handle);
    lock_acquire(&drafts->lock);
    if (is_needed) {
        draft->is_committing = false;
        note_locked(drafts, &draft->release, rc < 0 ? err->message : NULL);
    }
    if (draft && reason == COMMIT_FOR_RELEASE)
        take_out_locked(drafts, draft);
    else if (is_needed)
        draft_keep(draft);
    condition_broadcast(&drafts->changed);
    lock_release(&drafts->lock);
    if (!draft)
        return lost(err);
    if (reason == COMMIT_FOR_RELEASE)
        draft_free(draft);
    return rc;
}

int drafts_commit(struct fs *fs, uint64_t handle, struct error *err)
{
    return commit(fs, handle, COMMIT_FOR_SYNC, err);
}

struct last {
    struct fs *fs;
    uint64_t handle;
};

static void commit_last(void *arg)
{
    struct last *last = arg;
    struct error err = {0};

    if (commit(last->fs, last->handle, COMMIT_FOR_RELEASE, &err) < 0)
        failures_note(last->fs->failures, err.message);
    free(last);
}

/* Give a draft whose last handle is closed to the thread for metadata. */
static void submit_last(struct fs *fs, struct draft *draft)
{
    struct drafts *drafts = fs->drafts;
    struct last *last = XNEW(struct last);
    struct error err = {0};
    bool was_needed;

    *last = (struct last){.fs = fs, .handle = draft->handle};
    if (workers_submit(fs->meta_pool, commit_last, last, &err) == 0)
        return;
    free(last);
    lock_acquire(&drafts->lock);
    was_needed = draft->is_committing;
    if (was_needed)
        note_locked(drafts, &draft->release, err.message);
    draft->is_dirty = draft->is_committing = false; /* an fsync may still look at it */
    lock_release(&drafts->lock);
    if (was_needed)
        failures_note(fs->failures, err.message);
}

void drafts_release(struct fs *fs, uint64_t handle)
{
    struct drafts *drafts = fs->drafts;
    struct draft *draft;
    bool is_new;

    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);   /* else nobody knows it any more */
    is_new = draft && !draft->is_released; /* or the request came again */
    if (is_new) {
        draft->is_committing = draft->is_dirty && !draft->is_refused;
        draft->is_released = true;
        draft_keep(draft);
    }
    lock_release(&drafts->lock);
    if (is_new)
        submit_last(fs, draft);
}

/* A text of a worker before us, or of a mount that is gone: then only what was closed as
 * a mapping counts. */
static void take_over(void *arg, uint64_t handle, int take_fd,
                      const struct draft_head *head, struct bytes *text)
{
    struct drafts *drafts = arg;
    bool is_ours = strcmp(head->owner, drafts->owner) == 0 ||
                   process_was(head->owner, drafts->predecessor);
    struct draft *draft;
    struct uid uid;

    if ((!is_ours && process_is_alive(head->owner)) ||
        uid_parse_target(head->uid, &uid, &(struct error){0}) < 0) {
        close(take_fd);
        return;
    }
    draft = XNEW(struct draft);
    *draft = (struct draft){
        .handle = handle,
        .node_id = is_ours ? head->node_id : 0,
        .release.repository = is_ours ? head->repository : 0,
        .text = *text,
        .how = head->is_merged ? PUBLISH_META_MERGE : PUBLISH_META_REPLACE,
        .is_dirty = head->is_dirty && (is_ours || head->is_flushed),
        .is_flushed = head->is_flushed,
        .is_refused = head->is_refused,
        .is_released = head->is_released || !is_ours,
        .fd = take_fd,
        .store_fd = drafts->store_fd,
        .owner = drafts->owner,
    };
    bytes_init(text, text->limit);
    memcpy(draft->release.id, uid.id, sizeof draft->release.id);
    memcpy(draft->release.version, uid.version, sizeof draft->release.version);
    draft->is_committing = draft->is_released && draft->is_dirty && !draft->is_refused;
    lock_acquire(&drafts->lock);
    if (is_ours)
        draft_keep(draft); /* under the name of its owner now */
    TAILQ_INSERT_TAIL(&drafts->all, draft, next);
    drafts->count++;
    lock_release(&drafts->lock);
}

int drafts_keep(struct fs *fs, const char *owner, pid_t predecessor, struct error *err)
{
    struct drafts *drafts = fs->drafts;
    int rc = draft_store_open(fs->options.cache_root, err);

    if (rc < 0)
        return fail_context(err, rc, "metadata that is being written");
    drafts->store_fd = rc;
    snprintf(drafts->owner, sizeof drafts->owner, "%s", owner);
    drafts->predecessor = predecessor;
    draft_store_each(drafts->store_fd, take_over, drafts);
    return 0;
}

/* The drafts that are released when we come are the first ones: nothing was opened yet.
 */
void drafts_resume(struct fs *fs)
{
    struct drafts *drafts = fs->drafts;
    CLEANUP_FREE struct draft **left = NULL;
    struct draft *draft;
    size_t count = 0;

    lock_acquire(&drafts->lock);
    left = xcalloc(drafts->count + 1, sizeof(struct draft *));
    TAILQ_FOREACH(draft, &drafts->all, next) {
        if (draft->is_released)
            left[count++] = draft;
    }
    lock_release(&drafts->lock);
    for (size_t i = 0; i < count; i++)
        submit_last(fs, left[i]);
}

static bool is_settled_locked(struct drafts *drafts, const struct release *release)
    REQUIRES(drafts->lock)
{
    const struct draft *draft;

    TAILQ_FOREACH(draft, &drafts->all, next) {
        if ((draft->is_committing ||
             (draft->is_dirty && draft->is_flushed && !draft->is_refused)) &&
            release_is_same(&draft->release, release))
            return false;
    }
    return true;
}

void drafts_settle(struct drafts *drafts, const struct release *release)
{
    int64_t deadline_ms = clock_now_ms() + SETTLE_MS;

    lock_acquire(&drafts->lock);
    while (!is_settled_locked(drafts, release) &&
           condition_wait_until(&drafts->changed, &drafts->lock, deadline_ms) == 0)
        ;
    lock_release(&drafts->lock);
}

int drafts_print_failure(struct drafts *drafts, const struct release *release,
                         struct bytes *to, struct error *err)
{
    const struct failure *failure;
    int rc = 0;

    lock_acquire(&drafts->lock);
    TAILQ_FOREACH(failure, &drafts->failures, next) {
        if (rc == 0 && release_is_same(&failure->release, release))
            rc = bytes_printf(to, err, "meta.yaml: %s\n", failure->message);
    }
    lock_release(&drafts->lock);
    return rc;
}
