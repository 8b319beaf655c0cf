/* prefetch.c: the rest of a model in the background, one member at a time. */
#include "cache/prefetch.h"

#include "cache/internal.h"
#include "cache/registry.h"
#include "cache/transfer.h"

enum { PAUSE_MS = 5 }; /* between looks whether something ended */

static bool can_be_fetched_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    const struct tree_record *record = &archive->records[index];

    return entry->kind == TOC_FILE && entry->method != TOC_UNSUPPORTED &&
           (record->state == TREE_ABSENT || record->state == TREE_UNCHECKED) &&
           record->failures == 0 && !archive_state_member_locked(archive, index);
}

static int start_locked(struct archive *archive, uint32_t index, struct error *err)
    REQUIRES(archive->lock)
{
    struct member *member;
    int rc = transfer_new_member_locked(archive, index, &member, err);

    if (rc < 0)
        return rc;
    member->is_background = true;
    rc = transfer_start_locked(archive, member, err);
    if (rc < 0) {
        archive_state_drop_member_locked(archive, member);
        member_free(member);
    }
    return rc;
}

/* Keep half of the pool busy, so that what is asked for finds a thread. false: all was
 * started, or something failed: then the next want begins anew where this ended. */
static bool start_some_locked(struct archive *archive) REQUIRES(archive->lock)
{
    uint32_t at_once = archive->cache->threads / 2 + 1;
    struct error err = {0};

    while (archive->member_count < at_once &&
           archive->prefetch_next < toc_count(archive->toc)) {
        uint32_t index = archive->prefetch_next++;

        if (can_be_fetched_locked(archive, index) &&
            start_locked(archive, index, &err) < 0)
            return false;
    }
    return archive->prefetch_next < toc_count(archive->toc) &&
           archive->failure_count == 0 && !archive->is_replaced;
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
        archive->prefetch_next == toc_count(archive->toc) || archive->cache->is_closing)
        return;
    archive->is_prefetching = true;
    delay_run(archive->cache->delay, PAUSE_MS, step, registry_ref(archive));
}
