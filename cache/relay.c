/* relay.c: bytes that one thread makes and another one uses meanwhile. */
#include "cache/relay.h"

#include "cache/internal.h"
#include "cache/spare.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    PIECE_MAX =
        256 << 10,       /* bytes made or used at once: the processor's cache has them */
    ROOM_MIN = 64 << 10, /* less is not worth a piece of its own */
};

struct relay {
    struct cache *cache; /* constant, like what follows up to ring */
    relay_use *use;
    void *arg;
    size_t size;
    unsigned char *ring; /* its bytes belong to the maker or to who uses them */
    struct lock lock;
    struct condition changed; /* used grew, or use() returned */
    uint64_t made, used;      /* bytes so far; guarded by lock */
    bool is_using;            /* a thread is in use(); guarded by lock */
    bool is_queued;           /* a job is to come, or runs; guarded by lock */
    bool is_closed;           /* guarded by lock */
    unsigned refs;            /* of the maker and the job; guarded by lock */
    int rc;                   /* guarded by lock */
    struct error err;         /* what use() said; guarded by lock */
};

static void free_ring(struct relay *relay)
{
    free(relay->ring);
    if (relay->size == RELAY_LARGE)
        spare_give(relay->cache, RELAY_LARGE);
}

int relay_open(struct cache *cache, relay_use *use, void *arg, struct relay **ret_relay,
               struct error *err)
{
    struct relay *relay = XNEW(struct relay);

    relay->cache = cache;
    relay->use = use;
    relay->arg = arg;
    relay->size = spare_take(cache, RELAY_LARGE) ? RELAY_LARGE : RELAY_SMALL;
    relay->ring = malloc(relay->size);
    if (!relay->ring) {
        free_ring(relay);
        free(relay);
        return fail(err, ENOMEM, "no memory for bytes that arrive");
    }
    relay->refs = 1;
    lock_init(&relay->lock);
    condition_init(&relay->changed);
    *ret_relay = relay;
    return 0;
}

static void unref(struct relay *relay)
{
    unsigned refs;

    lock_acquire(&relay->lock);
    refs = --relay->refs;
    lock_release(&relay->lock);
    if (refs > 0)
        return;
    condition_done(&relay->changed);
    lock_done(&relay->lock);
    free_ring(relay);
    free(relay);
}

/* How much of size is one piece: up to a multiple of PIECE_MAX, so that files are written
 * in aligned pieces where one follows the other. */
static size_t piece_at(uint64_t position, uint64_t size)
{
    size_t left = PIECE_MAX - (size_t)(position % PIECE_MAX);

    return size < left ? (size_t)size : left;
}

static bool is_left_locked(const struct relay *relay) REQUIRES(relay->lock)
{
    return relay->used < relay->made && relay->rc == 0 && !relay->is_closed;
}

/* Use a piece. The lock is not held meanwhile. */
static void use_locked(struct relay *relay) REQUIRES(relay->lock)
{
    size_t size = piece_at(relay->used, relay->made - relay->used);
    const unsigned char *data = relay->ring + relay->used % relay->size;
    struct error err = {0};
    int rc;

    relay->is_using = true;
    lock_release(&relay->lock);
    rc = relay->use(relay->arg, data, size, &err);
    lock_acquire(&relay->lock);
    relay->is_using = false;
    relay->used += size;
    if (rc < 0) {
        relay->rc = rc;
        relay->err = err;
    }
    condition_broadcast(&relay->changed);
}

/* A piece is to be used: by this thread, if no other one is at it. */
static void advance_locked(struct relay *relay) REQUIRES(relay->lock)
{
    if (!relay->is_using && is_left_locked(relay))
        use_locked(relay);
    else
        condition_wait(&relay->changed, &relay->lock);
}

static void run_job(void *arg)
{
    struct relay *relay = arg;

    lock_acquire(&relay->lock);
    while (is_left_locked(relay))
        advance_locked(relay);
    relay->is_queued = false;
    lock_release(&relay->lock);
    unref(relay);
}

void *relay_space(struct relay *relay, size_t *ret_size, struct error *err)
{
    unsigned char *space = NULL;
    size_t at, room;

    lock_acquire(&relay->lock);
    while (relay->rc == 0 && relay->size - (relay->made - relay->used) < ROOM_MIN)
        advance_locked(relay);
    if (relay->rc == 0) {
        at = (size_t)(relay->made % relay->size);
        room = relay->size - (size_t)(relay->made - relay->used);
        *ret_size = piece_at(relay->made, room);
        space = relay->ring + at;
    } else {
        *err = relay->err;
    }
    lock_release(&relay->lock);
    return space;
}

void relay_pass(struct relay *relay, size_t size)
{
    struct error unused = {0}; /* the maker uses it by itself, then */

    lock_acquire(&relay->lock);
    relay->made += size;
    if (size > 0 && !relay->is_queued) {
        relay->is_queued = true;
        relay->refs++;
        if (workers_submit(relay->cache->writers, run_job, relay, &unused) < 0) {
            relay->is_queued = false;
            relay->refs--;
        }
    }
    lock_release(&relay->lock);
}

int relay_end(struct relay *relay, struct error *err)
{
    int rc;

    lock_acquire(&relay->lock);
    while (relay->is_using || is_left_locked(relay))
        advance_locked(relay);
    rc = relay->rc;
    if (rc < 0)
        *err = relay->err;
    lock_release(&relay->lock);
    return rc;
}

void relay_close(struct relay *relay)
{
    if (!relay)
        return;
    lock_acquire(&relay->lock);
    relay->is_closed = true;
    condition_broadcast(&relay->changed);
    while (relay->is_using)
        condition_wait(&relay->changed, &relay->lock);
    lock_release(&relay->lock);
    unref(relay);
}
