/* sync.c: mutexes, conditions by the monotonic clock, named threads. */
#include "common/sync.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* A failing lock operation is our bug; going on would corrupt data. */
static void must(int rc)
{
    if (rc != 0)
        abort();
}

void lock_init(struct lock *lock)
{
    must(pthread_mutex_init(&lock->mutex, NULL));
}

void lock_done(struct lock *lock)
{
    must(pthread_mutex_destroy(&lock->mutex));
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wthread-safety-analysis" /* these ARE the lock */
#endif
void lock_acquire(struct lock *lock)
{
    must(pthread_mutex_lock(&lock->mutex));
}

void lock_release(struct lock *lock)
{
    must(pthread_mutex_unlock(&lock->mutex));
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

void condition_init(struct condition *condition)
{
    pthread_condattr_t attributes;

    must(pthread_condattr_init(&attributes));
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    must(pthread_cond_init(&condition->cond, &attributes));
    must(pthread_condattr_destroy(&attributes));
}

void condition_done(struct condition *condition)
{
    must(pthread_cond_destroy(&condition->cond));
}

void condition_signal(struct condition *condition)
{
    must(pthread_cond_signal(&condition->cond));
}

void condition_broadcast(struct condition *condition)
{
    must(pthread_cond_broadcast(&condition->cond));
}

void condition_wait(struct condition *condition, struct lock *lock)
{
    must(pthread_cond_wait(&condition->cond, &lock->mutex));
}

int condition_wait_until(struct condition *condition, struct lock *lock,
                         int64_t deadline_ms)
{
    struct timespec deadline = {.tv_sec = deadline_ms / 1000,
                                .tv_nsec = deadline_ms % 1000 * 1000000};
    int rc = pthread_cond_timedwait(&condition->cond, &lock->mutex, &deadline);

    if (rc != 0 && rc != ETIMEDOUT)
        abort();
    return -rc;
}

int64_t clock_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_sleep_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
              NULL);
}

/* Those of a fault in the thread itself stay: blocked, the kernel would end the process
 * without asking its handler. */
static void fill_but_faults(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(set, faults[i]);
}

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    int rc;

    fill_but_faults(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(ret_thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_setname_np(*ret_thread, name);
    return -rc;
}
