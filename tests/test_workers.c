/* test_workers.c: the pool of threads and its queue. */
#include "tests/test.h"

#include "common/sync.h"
#include "common/workers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 1000 };

/* What the jobs of a test share. */
struct scene {
    struct lock lock;
    struct condition changed;
    bool gate_is_open; /* guarded by lock */
    int waiting;       /* at the gate; guarded by lock */
    int done;          /* guarded by lock */
    int order[JOBS];   /* guarded by lock */
    char name[16];     /* of the thread that ran last; guarded by lock */
};

struct numbered {
    struct scene *scene;
    int number;
};

static struct scene scene;
static struct workers *workers;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    scene = (struct scene){0};
    lock_init(&scene.lock);
    condition_init(&scene.changed);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    condition_done(&scene.changed);
    lock_done(&scene.lock);
    return 0;
}

static void open_pool(unsigned threads, size_t queue_max)
{
    assert_int_equal(workers_open(&(struct workers_options){.name = "test-pool-name",
                                                            .threads = threads,
                                                            .queue_max = queue_max},
                                  &workers, &err),
                     0);
}

static void note(void *arg)
{
    struct numbered *job = arg;

    lock_acquire(&job->scene->lock);
    job->scene->order[job->scene->done++] = job->number;
    pthread_getname_np(pthread_self(), job->scene->name, sizeof job->scene->name);
    condition_broadcast(&job->scene->changed);
    lock_release(&job->scene->lock);
}

static void wait_at_gate(void *arg)
{
    struct scene *at = arg;

    lock_acquire(&at->lock);
    at->waiting++;
    condition_broadcast(&at->changed);
    while (!at->gate_is_open)
        condition_wait(&at->changed, &at->lock);
    at->waiting--;
    at->done++;
    lock_release(&at->lock);
}

static void open_gate(void)
{
    lock_acquire(&scene.lock);
    scene.gate_is_open = true;
    condition_broadcast(&scene.changed);
    lock_release(&scene.lock);
}

static void wait_until_waiting(int count)
{
    lock_acquire(&scene.lock);
    while (scene.waiting < count)
        condition_wait(&scene.changed, &scene.lock);
    lock_release(&scene.lock);
}

static void each_job_runs_once(void **state)
{
    static struct numbered jobs[JOBS];
    static bool seen[JOBS];

    (void)state;
    open_pool(4, JOBS);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct numbered){&scene, i};
        assert_int_equal(workers_submit(workers, note, &jobs[i], &err), 0);
    }
    workers_close(workers); /* runs what is queued */
    assert_int_equal(scene.done, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_false(seen[scene.order[i]]);
        seen[scene.order[i]] = true;
    }
    assert_string_equal(scene.name, "test-pool-na");
}

static void one_thread_keeps_the_order(void **state)
{
    static struct numbered jobs[JOBS];

    (void)state;
    open_pool(1, JOBS);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct numbered){&scene, i};
        assert_int_equal(workers_submit(workers, note, &jobs[i], &err), 0);
    }
    workers_close(workers);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(scene.order[i], i);
}

/* Would hang if fewer threads ran than jobs wait for each other. */
static void all_threads_are_used(void **state)
{
    (void)state;
    open_pool(8, 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal(workers_submit(workers, wait_at_gate, &scene, &err), 0);
    wait_until_waiting(8);
    open_gate();
    workers_close(workers);
    assert_int_equal(scene.done, 8);
}

static void a_full_queue_refuses(void **state)
{
    (void)state;
    open_pool(2, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(workers_submit(workers, wait_at_gate, &scene, &err), 0);
        wait_until_waiting(i + 1); /* taken from the queue */
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(workers_submit(workers, wait_at_gate, &scene, &err), 0);
    assert_int_equal(workers_submit(workers, wait_at_gate, &scene, &err), -EAGAIN);
    assert_string_equal(err.message, "3 jobs wait for 'test-pool-na' already");
    open_gate();
    workers_close(workers);
    assert_int_equal(scene.done, 5);
}

static void submit_another(void *arg)
{
    struct numbered *job = arg;
    struct error own_err = {0};
    int rc = workers_submit(workers, note, job, &own_err);

    lock_acquire(&job->scene->lock);
    job->number = rc;
    job->scene->waiting++;
    condition_broadcast(&job->scene->changed);
    lock_release(&job->scene->lock);
}

static void jobs_may_submit(void **state)
{
    struct numbered job = {&scene, -1};

    (void)state;
    open_pool(1, 1);
    assert_int_equal(workers_submit(workers, submit_another, &job, &err), 0);
    wait_until_waiting(1);
    workers_close(workers);
    assert_int_equal(scene.done, 1);
    assert_int_equal(job.number, 0);
}

static void a_stopped_pool_refuses(void **state)
{
    (void)state;
    open_pool(2, 2);
    assert_int_equal(workers_submit(workers, note, &(struct numbered){&scene, 0}, &err),
                     0);
    workers_stop(workers);
    assert_int_equal(scene.done, 1);
    assert_int_equal(workers_submit(workers, note, &(struct numbered){&scene, 1}, &err),
                     -EAGAIN);
    workers_stop(workers);
    workers_close(workers);
    assert_int_equal(scene.done, 1);
}

static void a_pool_needs_thread_and_queue(void **state)
{
    struct workers *untouched = NULL;

    (void)state;
    assert_int_equal(workers_open(&(struct workers_options){.name = "x", .threads = 1},
                                  &untouched, &err),
                     -EINVAL);
    assert_int_equal(workers_open(&(struct workers_options){.name = "x", .queue_max = 1},
                                  &untouched, &err),
                     -EINVAL);
    assert_null(untouched);
    workers_close(NULL);
    open_pool(3, 3);
    workers_close(workers); /* without any job */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_job_runs_once),
        TEST(one_thread_keeps_the_order),
        TEST(all_threads_are_used),
        TEST(a_full_queue_refuses),
        TEST(jobs_may_submit),
        TEST(a_stopped_pool_refuses),
        TEST(a_pool_needs_thread_and_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
