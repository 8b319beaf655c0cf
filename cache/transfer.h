/* transfer.h: what runs on a pool thread to bring one member into the cache. */
#ifndef CACHE_TRANSFER_H
#define CACHE_TRANSFER_H

#include "cache/archive_state.h"

/* Let a pool thread fetch a member that has no job. Never blocks. -EAGAIN: the pool is
 * full. */
int transfer_start_locked(struct archive *archive, struct member *member,
                          struct error *err) REQUIRES(archive->lock);

/* A member from now on, with no job: its record says that it is absent and may be
 * tried. -ENOMEM. */
int transfer_new_member_locked(struct archive *archive, uint32_t index,
                               struct member **ret_member, struct error *err)
    REQUIRES(archive->lock);

/* Fail the waiters of an archive that have seen no progress since deadline_ms. */
void transfer_fail_stalled(struct archive *archive, int64_t deadline_ms);

#endif
