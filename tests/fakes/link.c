/* link.c: a line to a store: a round trip for each request, and rates. */
#include "tests/fakes/link.h"

#include "common/memory.h"
#include "common/sync.h"

#include <stdlib.h>
#include <time.h>

enum { PIECE_SIZE = 64 << 10 };

struct link {
    int64_t round_trip_ms;        /* constant */
    uint64_t rate_each, rate_all; /* constant */
    struct lock lock;
    int64_t free_us;   /* when all that was sent is through; guarded by lock */
    unsigned requests; /* now; guarded by lock */
    unsigned peak;     /* guarded by lock */
};

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t at_us)
{
    struct timespec at = {at_us / 1000000, at_us % 1000000 * 1000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

struct link *link_new(int64_t round_trip_ms, uint64_t rate_each, uint64_t rate_all)
{
    struct link *link = XNEW(struct link);

    link->round_trip_ms = round_trip_ms;
    link->rate_each = rate_each;
    link->rate_all = rate_all;
    lock_init(&link->lock);
    return link;
}

void link_free(struct link *link)
{
    lock_done(&link->lock);
    free(link);
}

/* A sender that was held up catches up, but no more than a buffer's worth. */
static int64_t later_of(int64_t at_us, int64_t floor_us)
{
    return at_us > floor_us ? at_us : floor_us;
}

/* Until so many bytes of a request are through; *at_us: when those before were. */
static void pass(struct link *link, uint64_t bytes, int64_t *at_us)
{
    int64_t floor_us = now_us() - link->round_trip_ms * 1000 - 5000;

    *at_us = later_of(*at_us, floor_us) + (int64_t)(bytes * 1000000 / link->rate_each);
    lock_acquire(&link->lock);
    link->free_us =
        later_of(link->free_us, floor_us) + (int64_t)(bytes * 1000000 / link->rate_all);
    if (link->free_us > *at_us)
        *at_us = link->free_us;
    lock_release(&link->lock);
    sleep_until(*at_us);
}

static void count(struct link *link, int by)
{
    lock_acquire(&link->lock);
    link->requests += (unsigned)by;
    if (link->requests > link->peak)
        link->peak = link->requests;
    lock_release(&link->lock);
}

int link_feed(struct link *link, const void *data, size_t size, struct sink *to,
              struct error *err)
{
    int64_t at_us = now_us();
    int rc = 0;

    if (!link)
        return to->write(to, data, size, err);
    count(link, 1);
    at_us += link->round_trip_ms * 1000;
    sleep_until(at_us);
    for (size_t at = 0; rc == 0 && at < size; at += PIECE_SIZE) {
        size_t piece = size - at < PIECE_SIZE ? size - at : PIECE_SIZE;

        pass(link, piece, &at_us);
        rc = to->write(to, (const char *)data + at, piece, err);
    }
    count(link, -1);
    return rc;
}

unsigned link_peak(struct link *link)
{
    unsigned peak;

    lock_acquire(&link->lock);
    peak = link->peak;
    lock_release(&link->lock);
    return peak;
}
