/* spare.h: memory that makes members come faster; without it they come as well. */
#ifndef CACHE_SPARE_H
#define CACHE_SPARE_H

#include "cache/cache.h"

#include <stdbool.h>
#include <stdint.h>

/* A share of what all threads together may use, 24 MiB. false: there is no more of it.
 * Thread-safe. */
bool spare_take(struct cache *cache, uint64_t bytes);
void spare_give(struct cache *cache, uint64_t bytes);

#endif
