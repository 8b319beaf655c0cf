/* load.c: all of a model into its place, for those who wait for it. */
#include "cache/load.h"

#include "cache/archive_state.h"
#include "cache/batch.h"
#include "cache/complete.h"
#include "cache/internal.h"
#include "cache/layout.h"
#include "cache/source.h"
#include "cache/transfer.h"
#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>

enum {
    PROGRESS_MS = 200,          /* between two calls of progress */
    COMPLETE_MS = 14400 * 1000, /* how long audmodel may hold its lock: its own limit */
};

struct load {
    struct archive *archive;
    load_progress *progress;
    void *arg;
    unsigned window; /* members wanted at once */

    /* From a remote archive: in its order, by few large requests. */
    const struct order *order; /* NULL: one by one */
    uint32_t next;             /* place in order */

    struct lock lock;
    struct condition ended;
    unsigned running; /* guarded by lock */
    int rc;           /* of the first that failed; guarded by lock */
    struct error err; /* guarded by lock */
};

static void member_ended(void *arg, int rc, const struct error *err)
{
    struct load *load = arg;

    lock_acquire(&load->lock);
    load->running--;
    if (rc < 0 && load->rc == 0) {
        load->rc = rc;
        load->err = *err;
    }
    condition_signal(&load->ended);
    lock_release(&load->lock);
}

static void tell(struct load *load)
{
    struct archive *archive = load->archive;
    struct member *member;
    uint64_t bytes;

    if (!load->progress)
        return;
    lock_acquire(&archive->lock);
    bytes = archive->complete_bytes;
    for (size_t i = 0; archive->member_count > 0 && i < ARCHIVE_BUCKETS; i++) {
        LIST_FOREACH(member, &archive->members[i], link) {
            bytes += member_arrived(member);
        }
    }
    lock_release(&archive->lock);
    load->progress(load->arg, bytes, toc_total_size(archive->toc));
}

/* Until at most so many run. 0, or what the first failure was. */
static int wait_for(struct load *load, unsigned running_max)
{
    int rc;

    lock_acquire(&load->lock);
    while (load->running > running_max) {
        if (condition_wait_until(&load->ended, &load->lock,
                                 clock_now_ms() + PROGRESS_MS) == 0)
            continue;
        lock_release(&load->lock);
        tell(load);
        lock_acquire(&load->lock);
    }
    rc = load->rc;
    lock_release(&load->lock);
    return rc;
}

static int want(struct load *load, uint32_t index, struct error *err)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    int rc;

    lock_acquire(&load->lock);
    load->running++;
    lock_release(&load->lock);
    rc = archive_want(load->archive, index, 0, ARCHIVE_WHOLE, &generation, member_ended,
                      load, err);
    if (rc != 0)
        member_ended(load, rc < 0 ? rc : 0, err);
    return rc < 0 ? rc : 0;
}

/* An archive that cannot be asked may have been fetched already. */
static void find_order(struct load *load)
{
    struct archive *archive = load->archive;
    struct error unused = {0};
    struct object *object;
    bool is_needed;

    lock_acquire(&archive->lock);
    is_needed = !archive->is_adopting && archive->tree &&
                !archive_state_is_complete_locked(archive);
    lock_release(&archive->lock);
    if (is_needed && source_get(archive, &object, &unused) == 0 && object_fd(object) < 0)
        (void)batch_order(archive, &load->order, &unused);
}

/* Requests for what comes next. What they do not bring is wanted one by one. */
static void start_ahead(struct load *load)
{
    struct archive *archive = load->archive;
    struct error unused = {0};
    int rc = load->order ? 1 : 0;

    lock_acquire(&archive->lock);
    while (rc > 0 && archive->background_jobs <= archive->cache->threads / 2)
        rc = transfer_start_from_locked(archive, load->order, &load->next, MEMBER_SOON,
                                        &unused);
    lock_release(&archive->lock);
}

static int fetch_members(struct load *load)
{
    const struct toc *toc = load->archive->toc;
    uint32_t count;
    struct error err = {0};
    int rc = 0;

    find_order(load);
    count = load->order ? order_count(load->order) : toc_count(toc);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        uint32_t index = load->order ? order_at(load->order, i) : i;

        if (toc_entry(toc, index)->kind != TOC_FILE)
            continue;
        start_ahead(load);
        rc = want(load, index, &err);
        if (rc == 0)
            rc = wait_for(load, load->window - 1);
    }
    return wait_for(load, 0); /* the first failure is in load */
}

static int complete(struct load *load, struct error *err)
{
    int64_t deadline_ms = clock_now_ms() + COMPLETE_MS;
    int rc;

    do {
        rc = complete_now(load->archive, PROGRESS_MS, err);
        tell(load);
    } while (rc == -EAGAIN && clock_now_ms() < deadline_ms);
    return rc;
}

int load_archive(struct archive *archive, load_progress *progress, void *arg,
                 char **ret_path, struct error *err)
{
    CLEANUP_FREE char *path =
        layout_path(archive->release.id, archive->release.version, LAYOUT_MODEL);
    struct load load = {
        .archive = archive,
        .progress = progress,
        .arg = arg,
        .window = archive->cache->threads + 1,
    };
    int rc;

    lock_init(&load.lock);
    condition_init(&load.ended);
    rc = fetch_members(&load);
    if (rc < 0)
        *err = load.err;
    else
        rc = complete(&load, err);
    condition_done(&load.ended);
    lock_done(&load.lock);
    if (rc < 0)
        return rc;
    *ret_path = xasprintf("%s/%s", archive->cache->store.root, path);
    return 0;
}
