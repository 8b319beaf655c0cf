/* batch.c: members that lie side by side in an archive, brought by one request. */
#include "cache/batch.h"

#include "cache/halves.h"
#include "cache/internal.h"
#include "cache/order.h"
#include "cache/registry.h"

#include <errno.h>
#include <stdlib.h>

enum { PROGRESS_MS = 1000 }; /* between notes that bytes come */

/* One call of batch_fetch. */
struct flow {
    struct sink sink; /* first */
    struct archive *archive;
    const struct batch *batch;
    uint64_t at;               /* offset in the archive of the next byte */
    uint32_t next;             /* of batch, to be begun */
    struct attempt *first;     /* the lead's */
    bool is_begun;             /* the lead is */
    struct attempt *current;   /* that or &near; NULL: bytes of nobody come */
    struct receiver *receiver; /* of current */
    struct received received;  /* the same */
    struct attempt near;
    bool is_lead;      /* current is */
    enum outcome lead; /* READY: not ended */
    int64_t told_ms;
};

int batch_order(struct archive *archive, const struct order **ret_order,
                struct error *err)
{
    struct order *order;
    int rc;

    lock_acquire(&archive->lock);
    *ret_order = archive->order;
    lock_release(&archive->lock);
    if (*ret_order)
        return 0;
    rc = order_new(archive->toc, &order, err);
    if (rc < 0)
        return rc;
    lock_acquire(&archive->lock);
    if (archive->order)
        order_free(order); /* another thread was faster */
    else
        archive->order = order;
    *ret_order = archive->order;
    lock_release(&archive->lock);
    return 0;
}

bool batch_is_lead(const struct member *member, struct object *object)
{
    return member->order == MEMBER_IN_ORDER &&
           (member->is_small || object_fd(object) < 0);
}

void batch_free(struct batch *batch)
{
    free(batch);
}

void batch_drop_locked(struct archive *archive, struct batch *take_batch)
{
    for (uint32_t i = 0; take_batch && i < take_batch->count; i++) {
        struct member *member =
            archive_state_member_locked(archive, take_batch->indexes[i]);

        archive_state_drop_member_locked(archive, member);
        member_free(member);
    }
    batch_free(take_batch);
}

/* From now on no other process fetches them. What another one has does not come along. */
static void lock_members(struct archive *archive, const struct batch *batch)
{
    struct error unused = {0};

    lock_acquire(&archive->lock);
    for (uint32_t i = 0; batch && i < batch->count; i++) {
        struct member *member = archive_state_member_locked(archive, batch->indexes[i]);

        /* The lock belongs to the member: whoever ends that gives it back. */
        if (member && member->turn != MEMBER_NOW)
            (void)tree_lock(archive->tree, TREE_LOCK_MEMBER + member->index, TREE_TRY,
                            &unused);
    }
    lock_release(&archive->lock);
}

/* Who waits for those that come later sees that bytes come. */
static void tell_progress(struct flow *flow)
{
    struct archive *archive = flow->archive;
    int64_t now_ms = clock_now_ms();

    if (!flow->batch || now_ms - flow->told_ms < PROGRESS_MS)
        return;
    flow->told_ms = now_ms;
    lock_acquire(&archive->lock);
    if (!flow->is_begun)
        flow->first->member->progress_ms = now_ms;
    for (uint32_t i = flow->next; i < flow->batch->count; i++) {
        struct member *member =
            archive_state_member_locked(archive, flow->batch->indexes[i]);

        if (member)
            member->progress_ms = now_ms;
    }
    lock_release(&archive->lock);
}

/* Once the last one's waiters are answered nobody waits for this request any more. */
static void begin_ending(struct flow *flow)
{
    if (!flow->is_begun || (flow->batch && flow->next < flow->batch->count))
        return;
    flow->first->begun = registry_work_begin(flow->archive->cache);
    flow->first->is_ending = true;
}

/* It is as if it had not been begun. */
static void put_off(struct attempt *attempt)
{
    lock_acquire(&attempt->archive->lock);
    attempt->member->turn = MEMBER_SOON;
    lock_release(&attempt->archive->lock);
}

/* What came along ended. Who came to wait for what found no room gets a request of his
 * own (release_member). */
static void end_near(struct attempt *attempt, enum outcome outcome)
{
    if (attempt_end(attempt, attempt_settle(attempt, outcome)) == OUTCOME_IDLE)
        put_off(attempt);
}

/* The current one ended with rc: land it, answer its waiters. */
static int end_current(struct flow *flow, int rc)
{
    struct attempt *attempt = flow->current;
    enum outcome outcome;

    if (rc == 0)
        rc = receive_end(flow->receiver, &attempt->err);
    outcome = attempt_land(attempt, rc, &flow->received);
    receive_close(flow->receiver);
    flow->receiver = NULL;
    flow->current = NULL;
    if (flow->is_lead && outcome == OUTCOME_FAILED) {
        flow->lead = outcome; /* settled by who began it */
        return -attempt->err.code;
    }
    begin_ending(flow);
    end_near(attempt, outcome);
    if (flow->is_lead)
        flow->lead = OUTCOME_ENDED;
    return 0;
}

static int open_current(struct flow *flow, struct attempt *attempt)
{
    flow->current = attempt;
    flow->is_lead = attempt == flow->first;
    flow->is_begun |= flow->is_lead;
    flow->received = (struct received){0};
    return receive_open(flow->archive, attempt->member, RECEIVE_PIECES, &flow->received,
                        &flow->receiver, &attempt->err);
}

/* Its bytes come: is it still to be fetched, and by us? */
static struct member *take_turn(struct archive *archive, uint32_t index)
{
    struct member *member;

    lock_acquire(&archive->lock);
    member = archive_state_member_locked(archive, index);
    if (member && member->turn == MEMBER_NOW)
        member = NULL; /* somebody could not wait for it */
    if (member)
        member->turn = MEMBER_NOW;
    lock_release(&archive->lock);
    return member;
}

static bool is_lead_next(const struct flow *flow)
{
    return !flow->is_begun && (!flow->batch || flow->next == flow->batch->before);
}

static void begin_near(struct flow *flow)
{
    struct archive *archive = flow->archive;
    struct member *member = take_turn(archive, flow->batch->indexes[flow->next++]);
    struct attempt *attempt = &flow->near;
    enum outcome outcome;

    if (!member)
        return;
    *attempt = (struct attempt){.archive = archive, .member = member};
    outcome = attempt_begin(attempt);
    if (outcome == OUTCOME_BUSY) {
        put_off(attempt);
    } else if (outcome != OUTCOME_READY) {
        end_near(attempt, outcome);
    } else if (open_current(flow, attempt) < 0) {
        (void)end_current(flow, -attempt->err.code); /* the others may do better */
    }
}

static int begin_next(struct flow *flow)
{
    if (!is_lead_next(flow))
        begin_near(flow);
    else if (open_current(flow, flow->first) < 0)
        return end_current(flow, -flow->first->err.code);
    return 0;
}

/* Bytes of nobody: up to the next member. How many of size. */
static size_t skip(const struct flow *flow, size_t size)
{
    uint32_t index;
    uint64_t first;

    if (is_lead_next(flow))
        index = flow->first->member->index;
    else if (flow->batch && flow->next < flow->batch->count)
        index = flow->batch->indexes[flow->next];
    else
        return size;
    first = toc_entry(flow->archive->toc, index)->archive_first;
    return first <= flow->at         ? 0
           : first - flow->at < size ? (size_t)(first - flow->at)
                                     : size;
}

static int take_bytes(struct flow *flow, const unsigned char *data, size_t size,
                      size_t *ret_taken)
{
    const struct toc_entry *entry =
        toc_entry(flow->archive->toc, flow->current->member->index);
    uint64_t left = entry->archive_last - flow->at + 1;
    int rc;

    *ret_taken = size < left ? size : (size_t)left;
    rc = receive_bytes(flow->receiver, data, *ret_taken, &flow->current->err);
    if (rc == 0 && *ret_taken < left && !receive_has_all(flow->receiver))
        return 0;
    return end_current(flow, rc);
}

static int write_batch(struct sink *sink, const void *data, size_t size,
                       struct error *err)
{
    struct flow *flow = (struct flow *)sink;
    const unsigned char *bytes = data;

    flow->archive->cache->bytes_fetched += size;
    tell_progress(flow);
    while (size > 0) {
        size_t taken = 0;

        if (flow->current) {
            if (take_bytes(flow, bytes, size, &taken) < 0)
                return fail(err, ECANCELED, "the first one failed");
        } else {
            taken = skip(flow, size);
            if (taken == 0 && begin_next(flow) < 0)
                return fail(err, ECANCELED, "the one that is waited for failed");
        }
        bytes += taken;
        size -= taken;
        flow->at += taken;
    }
    return 0;
}

/* The request ended with rc, while a member was still to come. */
static void end_cut(struct flow *flow, int rc, const struct error *err)
{
    if (!flow->current)
        return;
    if (rc < 0)
        flow->current->err = *err;
    (void)end_current(flow, rc);
}

static struct range find_range(const struct flow *flow)
{
    const struct toc *toc = flow->archive->toc;
    const struct toc_entry *lead = toc_entry(toc, flow->first->member->index);
    const struct batch *batch = flow->batch;
    struct range range = {lead->archive_first, lead->archive_last};

    if (batch && batch->before > 0)
        range.first = toc_entry(toc, batch->indexes[0])->archive_first;
    if (batch && batch->before < batch->count)
        range.last = toc_entry(toc, batch->indexes[batch->count - 1])->archive_last;
    return range;
}

enum outcome batch_fetch(struct attempt *lead, const struct batch *batch,
                         struct object *object)
{
    struct archive *archive = lead->archive;
    struct flow flow = {
        .sink.write = write_batch,
        .archive = archive,
        .batch = batch,
        .first = lead,
        .lead = OUTCOME_READY,
    };
    const struct range range = find_range(&flow);
    struct error err = {0};
    int rc;

    flow.at = range.first;
    if (is_lead_next(&flow) && begin_next(&flow) < 0)
        return flow.lead;
    lock_members(archive, batch);
    rc = archive_state_is_waited_for(archive, lead->member)
             ? halves_read(archive, object, range, &flow.sink, &err)
             : object_read(object, range, &flow.sink, &err);
    end_cut(&flow, rc, &err);
    return flow.lead;
}
