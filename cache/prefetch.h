/* prefetch.h: the rest of a model in the background, in the order of its archive, in few
 * large ranges; from a local one large members one by one. */
#ifndef CACHE_PREFETCH_H
#define CACHE_PREFETCH_H

#include "cache/archive_state.h"

/* Somebody wants a member: fetch the others after it, where the options say so. Half of
 * the pool's threads are left for what is asked for. */
void prefetch_start_locked(struct archive *archive) REQUIRES(archive->lock);

#endif
