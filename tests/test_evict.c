/* test_evict.c: room is made from what nobody uses, and what is in use stays. */
#include "tests/test.h"

#include "cache/evict.h"
#include "cache/registry.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>

static const struct zip_file model[] = {
    {.name = "model.yaml", .data = "a: 1\n", .size = 5},
};

/* Work of our own that hangs, with a disk or a server, holds nobody for ever. */
static void room_is_not_awaited_for_ever(void **state)
{
    struct fixture fixture;
    struct error err = {0};
    unsigned begun;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.stall_ms = 20});
    begun = registry_work_begin(fixture.cache);
    assert_int_equal(evict_make_room(fixture.cache, 1, &err), -ENOSPC);
    registry_work_end(fixture.cache, begun);
    fixture_close(&fixture);
}

/* Who waited for a member, on the thread that brought it. */
struct answer {
    sem_t is_given, may_return;
    int rc;
};

static void take_answer(void *arg, int rc, const struct error *err)
{
    struct answer *answer = arg;

    (void)err;
    answer->rc = rc;
    sem_post(&answer->is_given);
    sem_wait(&answer->may_return);
}

static void *make_room(void *arg)
{
    struct error err = {0};

    return (void *)(intptr_t)evict_make_room(arg, 1, &err);
}

static unsigned works_now(struct cache *cache)
{
    unsigned now;

    lock_acquire(&cache->lock);
    now = cache->works_now;
    lock_release(&cache->lock);
    return now;
}

/* The reader has the last member and is gone; who brought it and moves the model to its
 * final path has not given it back yet. */
static void what_was_answered_can_go(void **state)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct answer answer = {.rc = -1};
    struct archive *archive;
    struct fixture fixture;
    struct error err = {0};
    pthread_t thread;
    void *result;

    (void)state;
    sem_init(&answer.is_given, 0, 0);
    sem_init(&answer.may_return, 0, 0);
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, model, ARRAY_SIZE(model));
    archive = fixture_archive(&fixture);
    assert_int_equal(archive_want(archive, fixture_index(archive, "model.yaml"), 0,
                                  ARCHIVE_WHOLE, &generation, take_answer, &answer, &err),
                     0);
    archive_unref(archive);
    sem_wait(&answer.is_given);
    assert_int_equal(thread_start(&thread, "room", make_room, fixture.cache), 0);
    while (works_now(fixture.cache) == 0) /* until it has found nothing that can go */
        sched_yield();
    sem_post(&answer.may_return);
    pthread_join(thread, &result);
    assert_int_equal(answer.rc, 0);
    assert_int_equal((intptr_t)result, 0);
    sem_destroy(&answer.is_given);
    sem_destroy(&answer.may_return);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_not_awaited_for_ever),
        cmocka_unit_test(what_was_answered_can_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
