/* prefetch.c: the rest of a model in the background, in the order of its archive. */
#include "cache/prefetch.h"

#include "cache/evict.h"
#include "cache/internal.h"
#include "cache/registry.h"
#include "cache/transfer.h"

enum { PAUSE_MS = 5 }; /* between looks whether something ended */

/* Keep half of the pool busy, so that what is asked for finds a thread. false: all was
 * started, or something failed: then the next want begins anew where this ended. */
static bool start_some_locked(struct archive *archive) REQUIRES(archive->lock)
{
    struct error err = {0};
    int rc = 1;

    if (!archive->order) /* the first transfer makes it, if one is needed */
        return archive->member_count > 0;
    while (rc > 0 && archive->background_jobs < archive->cache->threads / 2)
        rc = transfer_start_from_locked(archive, archive->order, &archive->prefetch_next,
                                        MEMBER_LATER, &err);
    return rc > 0 && archive->failure_count == 0 && !archive->is_replaced &&
           !evict_was_in_vain(archive->cache);
}

/* In the timer's thread. */
static void step(void *arg)
{
    struct archive *archive = arg;
    bool goes_on;

    lock_acquire(&archive->lock);
    goes_on = !archive->cache->is_closing && start_some_locked(archive);
    archive->is_prefetching = goes_on;
    lock_release(&archive->lock);
    if (goes_on)
        delay_run(archive->cache->delay, PAUSE_MS, step, archive);
    else
        registry_release(archive);
}

void prefetch_start_locked(struct archive *archive)
{
    if (!archive->cache->prefetch_model || archive->is_prefetching ||
        archive->prefetch_next == toc_file_count(archive->toc) ||
        archive->cache->is_closing || evict_was_in_vain(archive->cache))
        return;
    archive->is_prefetching = true;
    delay_run(archive->cache->delay, PAUSE_MS, step, registry_ref(archive));
}
