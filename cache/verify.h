/* verify.h: is what the cache folder has of a model what its archive has?
 *
 *     rc = verify_release(cache, resolver, &release, say_damaged, arg, &verdict, &err);
 *
 * Reads every file of the model that is complete, and compares size and CRC-32 with the
 * archive's table of contents. What audmodel unpacked and is found right counts as
 * verified from then on, until its folder is another one. */
#ifndef CACHE_VERIFY_H
#define CACHE_VERIFY_H

#include "cache/cache.h"

enum verify_state {
    VERIFY_OK,
    VERIFY_REMOVED, /* something was damaged: all of it was removed and comes anew */
    VERIFY_DAMAGED, /* the same, but it stays: audmodel put it there, or it is in use */
};

struct verify_verdict {
    enum verify_state state;
    uint32_t files; /* that were read */
    uint32_t damaged;
    uint64_t bytes;
};

/* One file, lent for the call. */
typedef void verify_damaged(void *arg, const char *path, const char *why);

/* Blocks for as long as the reading takes. The archive's table is asked for where it is
 * not saved: offline, without a table, it fails with what the backend said. */
int verify_release(struct cache *cache, struct resolver *resolver,
                   const struct release *release, verify_damaged *damaged, void *arg,
                   struct verify_verdict *ret_verdict, struct error *err);

#endif
