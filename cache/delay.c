/* delay.c: runs short functions later, from one thread of its own. */
#include "cache/delay.h"

#include "common/memory.h"
#include "common/sync.h"
#include "common/workers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

struct delayed {
    TAILQ_ENTRY(delayed) link;
    int64_t at_ms;
    struct workers *workers; /* NULL: run in the thread of this module */
    delay_job *work;
    void *arg;
};
TAILQ_HEAD(delayed_list, delayed);

struct delay {
    struct lock lock;
    struct condition wake;    /* list changed, or is_closing */
    struct delayed_list list; /* the next first; guarded by lock */
    bool is_closing;          /* guarded by lock */
    pthread_t thread;         /* constant after open */
};

enum { FULL_MS = 50 }; /* a pool is full: again after that */

/* false: it is being closed. */
static bool insert(struct delay *delay, struct delayed *delayed)
{
    struct delayed *other;
    bool is_closing;

    lock_acquire(&delay->lock);
    is_closing = delay->is_closing;
    if (!is_closing) {
        TAILQ_FOREACH_REVERSE(other, &delay->list, delayed_list, link)
        {
            if (other->at_ms <= delayed->at_ms)
                break;
        }
        if (other)
            TAILQ_INSERT_AFTER(&delay->list, other, delayed, link);
        else
            TAILQ_INSERT_HEAD(&delay->list, delayed, link);
        condition_signal(&delay->wake);
    }
    lock_release(&delay->lock);
    return !is_closing;
}

/* It is due, and out of the list. */
static void start(struct delay *delay, struct delayed *delayed)
{
    struct error err = {0};

    if (!delayed->workers) {
        delayed->work(delayed->arg);
    } else if (workers_submit(delayed->workers, delayed->work, delayed->arg, &err) < 0) {
        delayed->at_ms = clock_now_ms() + FULL_MS;
        if (insert(delay, delayed))
            return;
        delayed->work(delayed->arg);
    }
    free(delayed);
}

static void *run(void *arg)
{
    struct delay *delay = arg;
    struct delayed *next;

    lock_acquire(&delay->lock);
    while ((next = TAILQ_FIRST(&delay->list)) != NULL || !delay->is_closing) {
        if (!next) {
            condition_wait(&delay->wake, &delay->lock);
            continue;
        }
        if (!delay->is_closing && next->at_ms > clock_now_ms()) {
            condition_wait_until(&delay->wake, &delay->lock, next->at_ms);
            continue;
        }
        TAILQ_REMOVE(&delay->list, next, link);
        lock_release(&delay->lock);
        start(delay, next);
        lock_acquire(&delay->lock);
    }
    lock_release(&delay->lock);
    return NULL;
}

int delay_open(struct delay **ret_delay, struct error *err)
{
    struct delay *delay = XNEW(struct delay);
    int rc;

    lock_init(&delay->lock);
    condition_init(&delay->wake);
    TAILQ_INIT(&delay->list);
    rc = thread_start(&delay->thread, "cache-delay", run, delay);
    if (rc < 0) {
        delay_free(delay);
        return fail(err, -rc, "cannot start the cache's timer thread");
    }
    *ret_delay = delay;
    return 0;
}

void delay_submit(struct delay *delay, int64_t delay_ms, struct workers *workers,
                  delay_job *work, void *arg)
{
    struct delayed *delayed = XNEW(struct delayed);

    delayed->at_ms = clock_now_ms() + delay_ms;
    delayed->workers = workers;
    delayed->work = work;
    delayed->arg = arg;
    if (!insert(delay, delayed))
        start(delay, delayed);
}

void delay_run(struct delay *delay, int64_t delay_ms, delay_job *work, void *arg)
{
    delay_submit(delay, delay_ms, NULL, work, arg);
}

void delay_close(struct delay *delay)
{
    if (!delay)
        return;
    lock_acquire(&delay->lock);
    delay->is_closing = true;
    condition_signal(&delay->wake);
    lock_release(&delay->lock);
    pthread_join(delay->thread, NULL);
}

void delay_free(struct delay *delay)
{
    if (!delay)
        return;
    condition_done(&delay->wake);
    lock_done(&delay->lock);
    free(delay);
}
