/* workers.h: a fixed pool of threads that runs jobs from a bounded queue.
 *
 *     workers_open(&(struct workers_options){.name = "resolve", .threads = 8,
 *                  .queue_max = 4096}, &workers, &err);
 *     workers_submit(workers, job, arg, &err);
 *     workers_close(workers);
 *
 * Jobs start in the order of their submission. Thread-safe. */
#ifndef COMMON_WORKERS_H
#define COMMON_WORKERS_H

#include "common/error.h"

#include <stddef.h>

struct workers;

typedef void workers_job(void *arg);

struct workers_options {
    const char *name; /* of the threads, at most 12 bytes */
    unsigned threads; /* started when first needed, kept */
    size_t queue_max; /* jobs that wait */
};

int workers_open(const struct workers_options *options, struct workers **ret_workers,
                 struct error *err);

/* Never blocks. job(arg) runs exactly once; -EAGAIN when the queue is full or the pool is
 * being closed: then it does not run. */
int workers_submit(struct workers *workers, workers_job *job, void *arg,
                   struct error *err);

/* Jobs that wait for a thread. */
size_t workers_waiting(struct workers *workers);

/* Runs what is queued, then ends the threads. What is submitted later is refused. Accepts
 * NULL. */
void workers_stop(struct workers *workers);

/* The same, unless that was done, and frees the pool: nobody may submit any more. Accepts
 * NULL. */
void workers_close(struct workers *workers);

#endif
