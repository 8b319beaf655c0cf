/* pace.h: how many connections one member gets: one more while the total rate grows.
 * Pure: the clock comes in.
 *
 *     pace_init(&pace, 16);
 *     count = pace_add(&pace, bytes, now_ms);     connections from now on
 *
 * One stream fills a clean link, and further ones only take from each other; a store that
 * caps each connection gives more to several. So the rate decides: it is measured for a
 * while with each number, and what did not help is given back. Now and then it is tried
 * again. */
#ifndef CACHE_PACE_H
#define CACHE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    unsigned count_max;
    unsigned count;     /* wanted now; at least 1 */
    unsigned count_old; /* before it was raised */
    bool is_close;      /* to what helps: from there on one by one */
    uint64_t rate;      /* bytes a second, as measured last; 0: not yet */
    uint64_t rate_old;  /* bytes a second with that; 0: not measured */
    int64_t since_ms;   /* when the rate is measured, from then on; 0: not set */
    bool is_open;       /* it is being measured */
    uint64_t bytes;     /* that came meanwhile */
    int64_t pause_ms;   /* after a raise that did not help */
};

void pace_init(struct pace *pace, unsigned count_max);

/* Bytes came, of all connections together. How many there should be. */
unsigned pace_add(struct pace *pace, uint64_t bytes, int64_t now_ms);

/* Is there so much left that a further connection pays off? */
bool pace_is_worth(const struct pace *pace, uint64_t bytes_left);

/* As many as wanted cannot be had, but so many: try again later. */
void pace_settle_for(struct pace *pace, unsigned count, int64_t now_ms);

#endif
