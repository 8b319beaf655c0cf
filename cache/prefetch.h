/* prefetch.h: the rest of a model in the background, one member at a time. */
#ifndef CACHE_PREFETCH_H
#define CACHE_PREFETCH_H

#include "cache/archive_state.h"

/* Somebody wants a member: fetch the others after it, where the options say so. At most
 * one at a time per archive, so that what is asked for goes first. */
void prefetch_start_locked(struct archive *archive) REQUIRES(archive->lock);

#endif
