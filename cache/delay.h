/* delay.h: runs short functions later, from one thread of its own.
 *
 *     rc = delay_open(&delay, &err);
 *     delay_run(delay, 50, requeue, arg);
 *     delay_close(delay);
 *
 * What runs must not block: it submits to a pool or answers waiters. Thread-safe. */
#ifndef CACHE_DELAY_H
#define CACHE_DELAY_H

#include "common/error.h"

#include <stdint.h>

struct delay;

typedef void delay_job(void *arg);

int delay_open(struct delay **ret_delay, struct error *err);

/* work(arg) runs once, after delay_ms or, when the thread ends, at once. Never blocks;
 * while it is being closed work runs in the calling thread. */
void delay_run(struct delay *delay, int64_t delay_ms, delay_job *work, void *arg);

/* The same on a pool: work(arg) is submitted after delay_ms, again later while the pool
 * is full; where it cannot be submitted any more it runs in the calling thread. */
struct workers;
void delay_submit(struct delay *delay, int64_t delay_ms, struct workers *workers,
                  delay_job *work, void *arg);

/* Run what is left now, and end the thread. Accepts NULL. delay_free it when nobody calls
 * delay_run any more. */
void delay_close(struct delay *delay);
void delay_free(struct delay *delay); /* accepts NULL */

#endif
