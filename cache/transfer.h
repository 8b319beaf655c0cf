/* transfer.h: what threads of a pool run to bring members into the cache. */
#ifndef CACHE_TRANSFER_H
#define CACHE_TRANSFER_H

#include "cache/archive_state.h"

/* Let a pool thread fetch a member that has no job, or whose turn would come later.
 * Neighbours come along (batch.h). Never blocks. -EAGAIN: the pool is full. */
int transfer_start_locked(struct archive *archive, struct member *member,
                          struct error *err) REQUIRES(archive->lock);

/* Let a pool thread fetch what is absent from a place in the order of the archive on, by
 * one request: members side by side (of a local archive small ones only), or one large
 * one. turn is that of all but the first one. *place becomes where the next call should
 * go on; at the end order_count. Never blocks. 1: something was started, 0: nothing is
 * absent; -EAGAIN: the pool is full. */
int transfer_start_from_locked(struct archive *archive, const struct order *order,
                               uint32_t *place, enum member_turn turn, struct error *err)
    REQUIRES(archive->lock);

/* Fail the waiters of an archive that have seen no progress since deadline_ms. */
void transfer_fail_stalled(struct archive *archive, int64_t deadline_ms);

#endif
