/* test_sync.c: locks, conditions with a deadline, threads. */
#include "tests/test.h"

#include "common/sync.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

struct shared {
    struct lock lock;
    struct condition changed;
    int value; /* guarded by lock */
    char name[16];
    bool blocks_signals;
};

static void shared_init(struct shared *shared)
{
    *shared = (struct shared){0};
    lock_init(&shared->lock);
    condition_init(&shared->changed);
}

static void shared_done(struct shared *shared)
{
    condition_done(&shared->changed);
    lock_done(&shared->lock);
}

enum { ROUNDS = 10000 };

static void *count_up(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < ROUNDS; i++) {
        lock_acquire(&shared->lock);
        shared->value++;
        lock_release(&shared->lock);
    }
    return NULL;
}

static void locks_exclude(void **state)
{
    struct shared shared;
    pthread_t threads[4];

    (void)state;
    shared_init(&shared);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(thread_start(&threads[i], "count", count_up, &shared), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.value, ROUNDS * (int)ARRAY_SIZE(threads));
    shared_done(&shared);
}

static void *answer(void *arg)
{
    struct shared *shared = arg;

    lock_acquire(&shared->lock);
    while (shared->value != 1)
        condition_wait(&shared->changed, &shared->lock);
    shared->value = 2;
    condition_broadcast(&shared->changed);
    lock_release(&shared->lock);
    return NULL;
}

static void conditions_wake(void **state)
{
    struct shared shared;
    pthread_t thread;
    int rc = 0;

    (void)state;
    shared_init(&shared);
    assert_int_equal(thread_start(&thread, "answer", answer, &shared), 0);
    lock_acquire(&shared.lock);
    shared.value = 1;
    condition_signal(&shared.changed);
    while (shared.value != 2 && rc == 0)
        rc = condition_wait_until(&shared.changed, &shared.lock, clock_now_ms() + 60000);
    lock_release(&shared.lock);
    pthread_join(thread, NULL);
    assert_int_equal(rc, 0);
    shared_done(&shared);
}

static void a_deadline_ends_the_wait(void **state)
{
    struct shared shared;
    int64_t deadline_ms = clock_now_ms() + 20;
    int rc = 0;

    (void)state;
    shared_init(&shared);
    lock_acquire(&shared.lock);
    while (rc == 0) /* spurious wake-ups are allowed */
        rc = condition_wait_until(&shared.changed, &shared.lock, deadline_ms);
    assert_int_equal(rc, -ETIMEDOUT);
    assert_true(clock_now_ms() >= deadline_ms);
    assert_int_equal(condition_wait_until(&shared.changed, &shared.lock, 0), -ETIMEDOUT);
    lock_release(&shared.lock);
    shared_done(&shared);
}

static void *look_around(void *arg)
{
    struct shared *shared = arg;
    sigset_t blocked;

    lock_acquire(&shared->lock); /* the name is set by then */
    pthread_getname_np(pthread_self(), shared->name, sizeof shared->name);
    lock_release(&shared->lock);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    shared->blocks_signals =
        sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR2) == 1;
    return NULL;
}

static void threads_have_names_and_block_signals(void **state)
{
    struct shared shared;
    pthread_t thread;
    sigset_t blocked;

    (void)state;
    shared_init(&shared);
    lock_acquire(&shared.lock);
    assert_int_equal(thread_start(&thread, "look-around", look_around, &shared), 0);
    lock_release(&shared.lock);
    pthread_join(thread, NULL);
    assert_string_equal(shared.name, "look-around");
    assert_true(shared.blocks_signals);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0); /* the caller's are as before */
    shared_done(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(conditions_wake),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(threads_have_names_and_block_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
