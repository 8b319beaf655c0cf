/* grace.c: some time for what a mount that ends still has to send. */
#include "fs/grace.h"

#include "common/memory.h"
#include "common/sync.h"

#include <stdbool.h>
#include <stdlib.h>

enum { GRACE_MS = 3000 };

struct grace {
    void (*cancel)(void *arg); /* constant, as arg and thread */
    void *arg;
    pthread_t thread;
    bool has_thread;
    struct lock lock;
    struct condition changed;
    bool is_over; /* guarded by lock */
};

static void *cancel_in_time(void *arg)
{
    struct grace *grace = arg;
    int64_t deadline_ms = clock_now_ms() + GRACE_MS;

    lock_acquire(&grace->lock);
    while (!grace->is_over &&
           condition_wait_until(&grace->changed, &grace->lock, deadline_ms) == 0)
        continue;
    lock_release(&grace->lock);
    grace->cancel(grace->arg);
    return NULL;
}

struct grace *grace_begin(void (*cancel)(void *arg), void *arg)
{
    struct grace *grace = XNEW(struct grace);

    grace->cancel = cancel;
    grace->arg = arg;
    lock_init(&grace->lock);
    condition_init(&grace->changed);
    if (!cancel)
        return grace;
    grace->has_thread = thread_start(&grace->thread, "grace", cancel_in_time, grace) == 0;
    if (!grace->has_thread)
        cancel(arg); /* without a thread there is no time */
    return grace;
}

void grace_end(struct grace *grace)
{
    lock_acquire(&grace->lock);
    grace->is_over = true;
    condition_broadcast(&grace->changed);
    lock_release(&grace->lock);
    if (grace->has_thread)
        pthread_join(grace->thread, NULL);
    condition_done(&grace->changed);
    lock_done(&grace->lock);
    free(grace);
}
