/* relay.h: bytes that one thread makes and another one uses meanwhile.
 *
 *     rc = relay_open(cache, use, arg, &relay, &err);
 *     while (...) {
 *         space = relay_space(relay, &size, &err);       NULL: use() failed
 *         ... put up to size bytes there
 *         relay_pass(relay, made);
 *     }
 *     rc = relay_end(relay, &err);                       all of it was used
 *     relay_close(relay);
 *
 * Between them lies a ring of RELAY_SIZE bytes. What is in it is used by a thread of
 * workers, as soon as one is free; by the maker itself when it can only wait. So a pool
 * that is busy or full costs time alone. One thread at a time makes, one at a time uses.
 */
#ifndef CACHE_RELAY_H
#define CACHE_RELAY_H

#include "cache/cache.h"
#include "common/cleanup.h"
#include "common/error.h"

#include <stddef.h>

/* Bytes of the ring. A large one bridges the time until the other thread gets a
 * processor; where there is no spare memory for it (spare.h) a small one has to do. */
enum {
    RELAY_LARGE = 2 << 20,
    RELAY_SMALL = 512 << 10,
};

struct relay;

/* The next bytes, in order; with no lock held. After a failure it is not called again. */
typedef int relay_use(void *arg, const void *data, size_t size, struct error *err);

/* cache is lent. -ENOMEM. */
int relay_open(struct cache *cache, relay_use *use, void *arg, struct relay **ret_relay,
               struct error *err);

/* Where to put the next bytes, and how many. Waits for room. NULL with err: what use()
 * said. */
void *relay_space(struct relay *relay, size_t *ret_size, struct error *err);

/* So many bytes are there; they may be used from now on, and any time later. */
void relay_pass(struct relay *relay, size_t size);

/* Wait until all was used. 0, or what use() said. */
int relay_end(struct relay *relay, struct error *err);

/* use() does not run any more, whatever was left. Accepts NULL. */
void relay_close(struct relay *relay);
#define CLEANUP_RELAY CLEANUP_WITH(relay_cleanup)
static inline void relay_cleanup(struct relay **relay)
{
    relay_close(*relay);
}

#endif
