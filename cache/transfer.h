/* transfer.h: what threads run to bring members into the cache: those of a pool, and for
 * small members of a local archive who asks for them. */
#ifndef CACHE_TRANSFER_H
#define CACHE_TRANSFER_H

#include "cache/archive_state.h"

/* Let a pool thread fetch a member that has no job, or whose turn would come later. From
 * a remote archive neighbours come along. Never blocks. -EAGAIN: the pool is full. */
int transfer_start_locked(struct archive *archive, struct member *member,
                          struct error *err) REQUIRES(archive->lock);

/* The same for the caller's thread, if the member is small and its archive a local file:
 * to hand it over takes as long as to do it. NULL: it is not. transfer_run the job when
 * no lock is held; it blocks for as long as the disk does. */
struct transfer_job;
struct transfer_job *transfer_take_locked(struct archive *archive, struct member *member)
    REQUIRES(archive->lock);
void transfer_run(struct transfer_job *take_job);

/* Let a pool thread fetch what is absent from a place in the order of the archive on, by
 * one request: members side by side, or one large one. turn is that of all but the first
 * one. *place becomes where the next call should go on; at the end order_count. Never
 * blocks. 1: something was started, 0: nothing is absent; -EAGAIN: the pool is full. */
int transfer_start_from_locked(struct archive *archive, const struct order *order,
                               uint32_t *place, enum member_turn turn, struct error *err)
    REQUIRES(archive->lock);

/* Fail the waiters of an archive that have seen no progress since deadline_ms. */
void transfer_fail_stalled(struct archive *archive, int64_t deadline_ms);

#endif
