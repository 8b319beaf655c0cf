/* prefetch.c: the rest of a model in the background, one member at a time. */
#include "cache/prefetch.h"

#include "cache/transfer.h"

/* In the timer's thread: start the next absent member when nothing else arrives. */
enum { PAUSE_MS = 20 };

static bool can_be_fetched_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    const struct tree_record *record = &archive->records[index];

    return entry->kind == TOC_FILE && entry->method != TOC_UNSUPPORTED &&
           (record->state == TREE_ABSENT || record->state == TREE_UNCHECKED) &&
           record->failures == 0;
}

/* false: nothing is left, or it cannot be had now. */
static bool start_next_locked(struct archive *archive) REQUIRES(archive->lock)
{
    uint32_t index = 0;
    struct member *member;
    struct error err = {0};

    while (index < toc_count(archive->toc) && !can_be_fetched_locked(archive, index))
        index++;
    if (index == toc_count(archive->toc) || archive->failure_count > 0 ||
        archive->is_replaced || archive_state_member_locked(archive, index) ||
        transfer_new_member_locked(archive, index, &member, &err) < 0)
        return false;
    member->is_background = true;
    if (transfer_start_locked(archive, member, &err) == 0)
        return true;
    archive_state_drop_member_locked(archive, member);
    member_free(member);
    return false;
}

static void step(void *arg)
{
    struct archive *archive = arg;
    bool goes_on;

    lock_acquire(&archive->lock);
    goes_on = !archive->cache->is_closing &&
              (archive->member_count > 0 || start_next_locked(archive));
    if (!goes_on)
        archive->is_prefetching = false;
    lock_release(&archive->lock);
    if (goes_on)
        delay_run(archive->cache->delay, PAUSE_MS, step, archive);
    else
        archive_unref(archive);
}

void prefetch_start_locked(struct archive *archive)
{
    if (!archive->cache->options.prefetch_model || archive->is_prefetching)
        return;
    archive->is_prefetching = true;
    delay_run(archive->cache->delay, PAUSE_MS, step, archive_ref(archive));
}
