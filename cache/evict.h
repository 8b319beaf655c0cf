/* evict.h: brings the cache back under its size; never touches what is in use.
 *
 * Counted and evicted is only what modelfs put there: whole versions, complete or not,
 * the least recently used first. Header and metadata stay. In use is what any process has
 * open (TREE_LOCK_USE) or audmodel loads (its lock). */
#ifndef CACHE_EVICT_H
#define CACHE_EVICT_H

#include "cache/internal.h"

/* bytes will come: make room for them below the size, if there is one. Blocks. -ENOSPC:
 * all that could go is in use. */
int evict_reserve(struct cache *cache, uint64_t bytes, struct error *err);

/* The disk is full: remove at least so many bytes. -ENOSPC. */
int evict_make_room(struct cache *cache, uint64_t bytes, struct error *err);

/* Drop what an evicting process left when it died. */
void evict_clean(struct cache *cache);

#endif
