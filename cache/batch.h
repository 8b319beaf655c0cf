/* batch.h: members that lie side by side in an archive, brought by one request.
 *
 *     batch = batch_plan_locked(archive, lead, span, size_max, MEMBER_SOON);
 *     outcome = batch_fetch(&attempt_at_lead, batch, object);
 *     ... each index of batch whose member's turn is not MEMBER_NOW was not begun ...
 *     batch_free(batch);
 *
 * The lead is what was asked for; the others come along behind it and are checked and
 * landed like any other. From a remote archive, since a request costs a round trip; from
 * a local one small members, since it costs a hand-over to another thread, and so that
 * one processor unpacks the next ones while the reader's is at the last. */
#ifndef CACHE_BATCH_H
#define CACHE_BATCH_H

#include "cache/archive_state.h"
#include "cache/attempt.h"

struct batch {
    uint32_t count;
    uint32_t indexes[]; /* of those that come along, in the order of the archive */
};

/* The files in the order of the archive, made at the first call. -ENOMEM. */
int batch_order(struct archive *archive, const struct order **ret_order,
                struct error *err);

/* May others come along with it? To be fetched by batch_fetch then, alone as well. */
bool batch_is_lead(const struct member *member, struct object *object);

/* What lies behind lead, is absent and has at most size_max bytes (and is small, where
 * the archive is local) becomes members with that turn, as far as they end within span
 * bytes behind it. NULL if nothing does, or the order was not made yet. */
struct batch *batch_plan_locked(struct archive *archive, const struct member *lead,
                                uint64_t span, uint64_t size_max, enum member_turn turn)
    REQUIRES(archive->lock);

/* The same for a lead that somebody waits for: the more was read in order before it, the
 * more comes along; with it at most 256 KiB that nobody asked for. From a remote archive
 * something in any case, from a local one nothing where nothing was read before it. */
struct batch *batch_plan_near_locked(struct archive *archive, const struct member *lead)
    REQUIRES(archive->lock);

void batch_free(struct batch *batch); /* accepts NULL */

/* Unmake what was planned under the lock that is still held. Accepts NULL. */
void batch_drop_locked(struct archive *archive, struct batch *take_batch)
    REQUIRES(archive->lock);

/* Fetch lead (which is READY) and what comes along; batch may be NULL.
 * OUTCOME_ENDED, or how it ended for the lead where that is still to be settled. */
enum outcome batch_fetch(struct attempt *lead, const struct batch *batch,
                         struct object *object);

#endif
