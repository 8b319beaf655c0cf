/* spare.c: memory that makes members come faster; without it they come as well. */
#include "cache/spare.h"

#include "cache/internal.h"

#define SPARE_MAX ((uint64_t)24 << 20)

bool spare_take(struct cache *cache, uint64_t bytes)
{
    if (bytes > SPARE_MAX)
        return false;
    if (atomic_fetch_add(&cache->spare_bytes, bytes) + bytes <= SPARE_MAX)
        return true;
    atomic_fetch_sub(&cache->spare_bytes, bytes);
    return false;
}

void spare_give(struct cache *cache, uint64_t bytes)
{
    atomic_fetch_sub(&cache->spare_bytes, bytes);
}
