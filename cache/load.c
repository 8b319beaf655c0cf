/* load.c: all of a model into its place, for those who wait for it. */
#include "cache/load.h"

#include "cache/archive_state.h"
#include "cache/complete.h"
#include "cache/internal.h"
#include "cache/layout.h"
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
        LIST_FOREACH(member, &archive->members[i], link)
        {
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

static int fetch_members(struct load *load)
{
    const struct toc *toc = load->archive->toc;
    struct error err = {0};
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < toc_count(toc); i++) {
        if (toc_entry(toc, i)->kind != TOC_FILE)
            continue;
        rc = want(load, i, &err);
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
