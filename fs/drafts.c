/* drafts.c: the texts of metadata that are being written, and their way out. */
#include "fs/drafts.h"

#include "common/memory.h"
#include "common/sync.h"
#include "common/yaml.h"
#include "fs/invalidate.h"
#include "fs/reply.h"
#include "publish/publish.h"
#include "resolver/release.h"

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

struct draft {
    uint64_t handle;
    uint64_t node_id;
    struct release release;
    struct bytes text;
    enum publish_meta how;
    bool is_dirty;      /* differs from what the repository was sent */
    bool is_flushed;    /* closed once since: its last close may be on its way */
    bool is_refused;    /* its writer was told that it is no mapping */
    bool is_committing; /* is being sent, or will be */
    TAILQ_ENTRY(draft) next;
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
    return drafts;
}

static void drop_locked(struct drafts *drafts, struct draft *draft) REQUIRES(drafts->lock)
{
    TAILQ_REMOVE(&drafts->all, draft, next);
    drafts->count--;
    bytes_done(&draft->text);
    free(draft);
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
    if (!drafts)
        return;
    lock_acquire(&drafts->lock);
    while (!TAILQ_EMPTY(&drafts->all))
        drop_locked(drafts, TAILQ_FIRST(&drafts->all));
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

    TAILQ_FOREACH(draft, &drafts->all, next)
    {
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
        TAILQ_INSERT_TAIL(&drafts->all, draft, next);
        drafts->count++;
        draft = NULL;
    }
    lock_release(&drafts->lock);
    if (draft) {
        bytes_done(&draft->text);
        free(draft);
    }
    return rc;
}

/* Zeros up to size, as in any file. */
static int extend(struct bytes *text, uint64_t size, struct error *err)
{
    int rc;

    if (size > YAML_BYTES_MAX)
        return fail(err, EFBIG, "metadata has at most %d bytes", YAML_BYTES_MAX);
    if (size <= text->size)
        return 0;
    rc = bytes_reserve(text, size - text->size, err);
    if (rc < 0)
        return rc;
    memset(text->data + text->size, 0, size - text->size + 1);
    text->size = size;
    return 0;
}

/* What is merged is appended wherever the kernel thinks the file ends. */
static int put(struct draft *draft, const void *data, size_t size, uint64_t offset,
               struct error *err)
{
    uint64_t end;
    int rc;

    if (draft->how == PUBLISH_META_MERGE)
        offset = draft->text.size;
    if (__builtin_add_overflow(offset, size, &end))
        return fail(err, EFBIG, "metadata has at most %d bytes", YAML_BYTES_MAX);
    rc = extend(&draft->text, end, err);
    if (rc < 0)
        return rc;
    memcpy(draft->text.data + offset, data, size);
    draft->is_dirty = true;
    draft->is_refused = false;
    draft->is_flushed = false;
    return 0;
}

int drafts_write(struct drafts *drafts, uint64_t handle, const void *data, size_t size,
                 uint64_t offset, struct error *err)
{
    struct draft *draft;
    int rc;

    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    rc = draft ? put(draft, data, size, offset, err) : lost(err);
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
    rc = draft ? extend(&draft->text, size, err) : lost(err);
    if (rc == 0 && draft->text.size > size) {
        draft->text.size = size;
        draft->text.data[size] = '\0';
    }
    lock_release(&drafts->lock);
    return rc;
}

static int check_text(const struct bytes *text, struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    int rc = yaml_parse(text->data, text->size, &yaml, err);

    if (rc < 0)
        return fail_context(err, -EINVAL, "meta.yaml");
    if (yaml_root(yaml)->kind != YAML_MAP)
        return fail(err, EINVAL, "meta.yaml: a mapping is needed, not a %s",
                    yaml_kind_name(yaml_root(yaml)->kind));
    return 0;
}

int drafts_check(struct drafts *drafts, uint64_t handle, struct error *err)
{
    struct draft *draft;
    int rc = 0;

    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    if (draft && draft->is_dirty) {
        draft->is_flushed = true;
        rc = check_text(&draft->text, err);
        draft->is_refused = rc < 0;
    }
    lock_release(&drafts->lock);
    return rc;
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
    invalidate_content(fs, draft->node_id);
    return rc;
}

/* The draft stays: only the thread for metadata, which we are on, removes any. */
static int commit(struct fs *fs, uint64_t handle, bool is_last, struct error *err)
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
    lock_acquire(&drafts->lock);
    if (is_needed) {
        draft->is_committing = false;
        note_locked(drafts, &draft->release, rc < 0 ? err->message : NULL);
    }
    if (draft && is_last)
        drop_locked(drafts, draft);
    condition_broadcast(&drafts->changed);
    lock_release(&drafts->lock);
    return draft ? rc : lost(err);
}

int drafts_commit(struct fs *fs, uint64_t handle, struct error *err)
{
    return commit(fs, handle, false, err);
}

struct last {
    struct fs *fs;
    uint64_t handle;
};

static void commit_last(void *arg)
{
    struct last *last = arg;
    struct error err = {0};

    if (commit(last->fs, last->handle, true, &err) < 0)
        reply_note(last->fs->reply_log, err.message);
    free(last);
}

void drafts_release(struct fs *fs, uint64_t handle)
{
    struct drafts *drafts = fs->drafts;
    struct last *last = XNEW(struct last);
    struct error err = {0};
    struct draft *draft;

    *last = (struct last){.fs = fs, .handle = handle};
    lock_acquire(&drafts->lock);
    draft = find_locked(drafts, handle);
    if (draft && draft->is_dirty && !draft->is_refused)
        draft->is_committing = true;
    lock_release(&drafts->lock);
    if (draft && workers_submit(fs->meta_pool, commit_last, last, &err) == 0)
        return;
    free(last);
    if (!draft)
        return; /* of another process, which lost it */
    reply_note(fs->reply_log, err.message);
    lock_acquire(&drafts->lock);
    note_locked(drafts, &draft->release, err.message);
    draft->is_dirty = draft->is_committing = false; /* an fsync may still look at it */
    lock_release(&drafts->lock);
}

static bool is_settled_locked(struct drafts *drafts, const struct release *release)
    REQUIRES(drafts->lock)
{
    const struct draft *draft;

    TAILQ_FOREACH(draft, &drafts->all, next)
    {
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
    TAILQ_FOREACH(failure, &drafts->failures, next)
    {
        if (rc == 0 && release_is_same(&failure->release, release))
            rc = bytes_printf(to, err, "meta.yaml: %s\n", failure->message);
    }
    lock_release(&drafts->lock);
    return rc;
}
