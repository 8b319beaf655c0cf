/* batch_plan.h: which members come along in one request with another one, the lead. */
#ifndef CACHE_BATCH_PLAN_H
#define CACHE_BATCH_PLAN_H

#include "cache/archive_state.h"

struct batch {
    uint32_t count;
    uint32_t before;    /* so many of them lie before the lead */
    uint32_t indexes[]; /* of those that come along, in the order of the archive */
};

/* What lies behind lead, is absent and has at most size_max bytes (and is small, where
 * the archive is local) becomes members with that turn, as far as they end within span
 * bytes behind it. NULL if nothing does, or the order was not made yet. */
struct batch *batch_plan_locked(struct archive *archive, const struct member *lead,
                                uint64_t span, uint64_t size_max, enum member_turn turn)
    REQUIRES(archive->lock);

/* The same for a lead that somebody waits for; with it come at most 256 KiB that nobody
 * asked for. From a remote archive something in any case, the more of what lies around it
 * was read the more, and what lies before it, too: programs read folders in the order of
 * names or of inode numbers, and the order of archives is neither. From a local one only
 * what lies behind it, the more was read in order right before it. */
struct batch *batch_plan_near_locked(struct archive *archive, const struct member *lead)
    REQUIRES(archive->lock);

#endif
