/* workers.c: a fixed pool of threads that runs jobs from a bounded queue. */
#include "common/workers.h"

#include "common/memory.h"
#include "common/sync.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_SIZE = 16 }; /* of pthread_setname_np */

struct job {
    workers_job *run;
    void *arg;
};

struct workers {
    char name[NAME_SIZE]; /* constant after open */
    unsigned thread_max;  /* constant after open */
    size_t queue_max;     /* constant after open */
    struct lock lock;
    struct condition wake; /* a job came, or is_closing */
    struct job *queue;     /* ring of queue_max; guarded by lock */
    size_t first, count;   /* of the jobs that wait; guarded by lock */
    pthread_t *threads;    /* guarded by lock until is_closing, then the closer's */
    unsigned thread_count; /* the same */
    unsigned idle;         /* threads that wait for a job; guarded by lock */
    bool is_closing;       /* guarded by lock */
};

/* Wait for a job. false when the pool ends. */
static bool take_locked(struct workers *workers, struct job *ret_job)
    REQUIRES(workers->lock)
{
    while (workers->count == 0 && !workers->is_closing) {
        workers->idle++;
        condition_wait(&workers->wake, &workers->lock);
        workers->idle--;
    }
    if (workers->count == 0)
        return false;
    *ret_job = workers->queue[workers->first];
    workers->first = (workers->first + 1) % workers->queue_max;
    workers->count--;
    return true;
}

static void *work(void *arg)
{
    struct workers *workers = arg;
    struct job job;

    lock_acquire(&workers->lock);
    while (take_locked(workers, &job)) {
        lock_release(&workers->lock);
        job.run(job.arg);
        lock_acquire(&workers->lock);
    }
    lock_release(&workers->lock);
    return NULL;
}

int workers_open(const struct workers_options *options, struct workers **ret_workers,
                 struct error *err)
{
    struct workers *workers;

    if (options->threads == 0 || options->queue_max == 0)
        return fail(err, EINVAL, "a pool of workers needs a thread and a queue");
    workers = XNEW(struct workers);
    snprintf(workers->name, sizeof workers->name, "%.12s", options->name);
    workers->thread_max = options->threads;
    workers->queue_max = options->queue_max;
    workers->queue = xcalloc(options->queue_max, sizeof *workers->queue);
    workers->threads = xcalloc(options->threads, sizeof *workers->threads);
    lock_init(&workers->lock);
    condition_init(&workers->wake);
    *ret_workers = workers;
    return 0;
}

/* One more thread if the idle ones do not suffice for the jobs that wait. */
static int grow_locked(struct workers *workers, struct error *err) REQUIRES(workers->lock)
{
    int rc;

    if (workers->idle >= workers->count || workers->thread_count == workers->thread_max)
        return 0;
    rc = thread_start(&workers->threads[workers->thread_count], workers->name, work,
                      workers);
    if (rc == 0)
        workers->thread_count++;
    else if (workers->thread_count == 0) /* else the others get to it */
        return fail(err, -rc, "cannot start a thread for '%s'", workers->name);
    return 0;
}

static int submit_locked(struct workers *workers, const struct job *job,
                         struct error *err) REQUIRES(workers->lock)
{
    int rc;

    if (workers->is_closing)
        return fail(err, EAGAIN, "the pool '%s' is being closed", workers->name);
    if (workers->count == workers->queue_max)
        return fail(err, EAGAIN, "%zu jobs wait for '%s' already", workers->count,
                    workers->name);
    workers->queue[(workers->first + workers->count) % workers->queue_max] = *job;
    workers->count++;
    rc = grow_locked(workers, err);
    if (rc < 0)
        workers->count--;
    return rc;
}

int workers_submit(struct workers *workers, workers_job *job, void *arg,
                   struct error *err)
{
    int rc;

    lock_acquire(&workers->lock);
    rc = submit_locked(workers, &(struct job){job, arg}, err);
    lock_release(&workers->lock);
    if (rc == 0) /* now: who wakes up finds the lock free */
        condition_signal(&workers->wake);
    return rc;
}

size_t workers_waiting(struct workers *workers)
{
    size_t count;

    lock_acquire(&workers->lock);
    count = workers->count > workers->idle ? workers->count - workers->idle : 0;
    lock_release(&workers->lock);
    return count;
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    lock_acquire(&workers->lock);
    workers->is_closing = true;
    condition_broadcast(&workers->wake);
    lock_release(&workers->lock);
    while (workers->thread_count > 0)
        pthread_join(workers->threads[--workers->thread_count], NULL);
    assert(workers->count == 0);
}

void workers_close(struct workers *workers)
{
    if (!workers)
        return;
    workers_stop(workers);
    condition_done(&workers->wake);
    lock_done(&workers->lock);
    free(workers->threads);
    free(workers->queue);
    free(workers);
}
