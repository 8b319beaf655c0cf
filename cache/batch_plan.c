/* batch_plan.c: which members come along in one request with another one. */
#include "cache/batch_plan.h"

#include "cache/evict.h"
#include "cache/internal.h"
#include "cache/order.h"
#include "common/memory.h"

enum {
    ITEMS_MAX = 1024,
    UNASKED_MAX = 256 << 10, /* bytes of one request that nobody asked for */
    NEAR_MIN = 32 << 10,     /* of these at a first read, where it costs a round trip */
    NEAR_FACTOR = 4,         /* times what was read near it */
    NEAR_HORIZON = 1 << 20,  /* so far from it */
    NEAR_SIZE_MAX = 1 << 20, /* of one of these, unpacked */
    LEAD_MAX = 1 << 20,      /* packed bytes: behind larger ones nobody waits */
};

/* May it come along with another one? */
static bool may_come_locked(struct archive *archive, uint32_t index, uint64_t size_max)
    REQUIRES(archive->lock)
{
    return toc_entry(archive->toc, index)->size <= size_max &&
           archive_state_may_fetch_locked(archive, index) &&
           archive_state_order(archive, index) == MEMBER_IN_ORDER &&
           (archive_state_is_small(archive, index) ||
            !archive_state_is_local_locked(archive));
}

/* Places in the order of the archive, of the first and the last one that come. */
struct reach {
    uint32_t first, last;
};

/* Let the reach grow behind the lead, as far as span bytes go. How many these are. */
static uint64_t reach_behind_locked(struct archive *archive, struct reach *reach,
                                    uint64_t span, uint64_t size_max)
    REQUIRES(archive->lock)
{
    const struct order *order = archive->order;
    uint64_t lead_end =
        toc_entry(archive->toc, order_at(order, reach->last))->archive_last + 1;
    uint64_t end = lead_end;
    uint32_t count = 0;

    for (uint32_t place = reach->last + 1;
         place < order_count(order) && count < ITEMS_MAX; place++) {
        uint32_t index = order_at(order, place);
        const struct toc_entry *entry = toc_entry(archive->toc, index);

        if (entry->archive_last - lead_end >= span ||
            entry->archive_first - end > UNASKED_MAX)
            break;
        if (!may_come_locked(archive, index, size_max))
            continue;
        reach->last = place;
        end = entry->archive_last + 1;
        count++;
    }
    return end - lead_end;
}

/* The same before the lead. */
static void reach_before_locked(struct archive *archive, struct reach *reach,
                                uint64_t span, uint64_t size_max) REQUIRES(archive->lock)
{
    const struct order *order = archive->order;
    uint64_t begin =
        toc_entry(archive->toc, order_at(order, reach->first))->archive_first;

    for (uint32_t place = reach->first; place-- > 0;) {
        uint32_t index = order_at(order, place);

        if (begin - toc_entry(archive->toc, index)->archive_first > span)
            break;
        if (may_come_locked(archive, index, size_max))
            reach->first = place;
    }
}

/* It comes along behind those that the batch has, if there is memory for it. */
static void add_locked(struct archive *archive, uint32_t index, enum member_turn turn,
                       struct batch *batch) REQUIRES(archive->lock)
{
    struct error unused = {0};
    struct member *member;

    if (archive_state_new_member_locked(archive, index, &member, &unused) < 0)
        return;
    member->turn = turn;
    member->has_job = true;
    member->is_background = true;
    member->progress_ms = clock_now_ms();
    batch->indexes[batch->count++] = index;
}

static struct batch *make_locked(struct archive *archive, const struct member *lead,
                                 struct reach reach, uint64_t size_max,
                                 enum member_turn turn) REQUIRES(archive->lock)
{
    const struct order *order = archive->order;
    struct batch *batch = xcalloc(1, sizeof *batch + ITEMS_MAX * sizeof *batch->indexes);

    for (uint32_t place = reach.first; place <= reach.last && batch->count < ITEMS_MAX;
         place++) {
        uint32_t index = order_at(order, place);

        if (index == lead->index)
            batch->before = batch->count;
        else if (may_come_locked(archive, index, size_max))
            add_locked(archive, index, turn, batch);
    }
    if (batch->count > 0)
        return batch;
    free(batch);
    return NULL;
}

struct batch *batch_plan_locked(struct archive *archive, const struct member *lead,
                                uint64_t span, uint64_t size_max, enum member_turn turn)
{
    struct reach reach;

    if (!archive->order)
        return NULL;
    reach.first = reach.last = order_find(archive->order, lead->index);
    reach_behind_locked(archive, &reach, span, size_max);
    return make_locked(archive, lead, reach, size_max, turn);
}

/* Bytes in the archive of what lies right before a file and is there, up to max. */
static uint64_t read_before_locked(struct archive *archive, uint32_t index, uint64_t max)
    REQUIRES(archive->lock)
{
    const struct order *order = archive->order;
    uint64_t first = toc_entry(archive->toc, index)->archive_first, begin = first;

    for (uint32_t place = order_find(order, index); place > 0 && first - begin < max;) {
        uint32_t before = order_at(order, --place);

        if (!tree_record_is_there(&archive->records[before]))
            break;
        begin = toc_entry(archive->toc, before)->archive_first;
    }
    return first - begin;
}

/* Bytes of a file in the archive if it is there, else 0. */
static uint64_t bytes_there_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);

    return tree_record_is_there(&archive->records[index])
               ? entry->archive_last - entry->archive_first + 1
               : 0;
}

/* Bytes in the archive of what lies within NEAR_HORIZON of a file and is there. */
static uint64_t read_around_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock)
{
    const struct order *order = archive->order;
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    uint32_t own = order_find(order, index);
    uint64_t sum = 0;

    for (uint32_t place = own; place-- > 0 && sum < UNASKED_MAX;) {
        uint32_t other = order_at(order, place);

        if (entry->archive_first - toc_entry(archive->toc, other)->archive_first >
            NEAR_HORIZON)
            break;
        sum += bytes_there_locked(archive, other);
    }
    for (uint32_t place = own + 1; place < order_count(order) && sum < UNASKED_MAX;
         place++) {
        uint32_t other = order_at(order, place);

        if (toc_entry(archive->toc, other)->archive_last - entry->archive_last >
            NEAR_HORIZON)
            break;
        sum += bytes_there_locked(archive, other);
    }
    return sum;
}

/* Bytes that may come along with what somebody waits for. */
static uint64_t near_window_locked(struct archive *archive, const struct member *lead)
    REQUIRES(archive->lock)
{
    const struct toc_entry *entry = toc_entry(archive->toc, lead->index);
    uint64_t own = entry->archive_last - entry->archive_first + 1;
    uint64_t max = UNASKED_MAX - (own - entry->packed_size); /* headers and gaps, too */
    uint64_t window;

    if (archive_state_is_local_locked(archive))
        window = NEAR_FACTOR * read_before_locked(archive, lead->index, UNASKED_MAX);
    else
        window = NEAR_FACTOR * read_around_locked(archive, lead->index);
    if (window < NEAR_MIN && !archive_state_is_local_locked(archive))
        window = NEAR_MIN;
    return window < max ? window : max;
}

struct batch *batch_plan_near_locked(struct archive *archive, const struct member *lead)
{
    struct reach reach;
    uint64_t window, used;

    if (!archive->order || toc_entry(archive->toc, lead->index)->packed_size > LEAD_MAX ||
        evict_was_in_vain(archive->cache))
        return NULL;
    window = near_window_locked(archive, lead);
    if (window == 0)
        return NULL;
    reach.first = reach.last = order_find(archive->order, lead->index);
    used = reach_behind_locked(archive, &reach, window, NEAR_SIZE_MAX);
    if (!archive_state_is_local_locked(archive))
        reach_before_locked(archive, &reach, window - used, NEAR_SIZE_MAX);
    return make_locked(archive, lead, reach, NEAR_SIZE_MAX, MEMBER_SOON);
}
