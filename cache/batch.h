/* batch.h: members that lie side by side in an archive, brought by one request.
 *
 *     batch = batch_plan_locked(archive, lead, span, size_max, MEMBER_SOON);
 *     outcome = batch_fetch(&attempt_at_lead, batch, object);
 *     ... each index of batch whose member's turn is not MEMBER_NOW was not begun ...
 *     batch_free(batch);
 *
 * The lead is what was asked for; the others come along and are checked and landed like
 * any other. From a remote archive, since a request costs a round trip; from a local one
 * small members, since it costs a hand-over to another thread, and so that one processor
 * unpacks the next ones while the reader's is at the last. */
#ifndef CACHE_BATCH_H
#define CACHE_BATCH_H

#include "cache/archive_state.h"
#include "cache/attempt.h"
#include "cache/batch_plan.h"

/* The files in the order of the archive, made at the first call. -ENOMEM. */
int batch_order(struct archive *archive, const struct order **ret_order,
                struct error *err);

/* May others come along with it? To be fetched by batch_fetch then, alone as well. */
bool batch_is_lead(const struct member *member, struct object *object);

void batch_free(struct batch *batch); /* accepts NULL */

/* Unmake what was planned under the lock that is still held. Accepts NULL. */
void batch_drop_locked(struct archive *archive, struct batch *take_batch)
    REQUIRES(archive->lock);

/* Fetch lead (which is READY) and what comes along; batch may be NULL.
 * OUTCOME_ENDED, or how it ended for the lead where that is still to be settled.
 * OUTCOME_READY: the request ended before its turn came; fetch it without the batch. */
enum outcome batch_fetch(struct attempt *lead, const struct batch *batch,
                         struct object *object);

#endif
