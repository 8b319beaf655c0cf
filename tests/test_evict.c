/* test_evict.c: room is made from what nobody uses, and what is in use stays. */
#include "tests/test.h"

#include "cache/evict.h"
#include "cache/registry.h"
#include "cache/tree_open.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "tests/fakes/cache_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static void *evict_all(void *arg)
{
    struct cache *cache = arg;
    struct evict_sum sum;
    struct error err = {0};

    evict_unused(cache, EVICT_ALL, &sum, &err);
    return NULL;
}

/* How many files are open in this process whose path ends so? */
static int count_open(const char *end)
{
    CLEANUP_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
    ssize_t end_size = (ssize_t)strlen(end);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        char path[PATH_MAX];
        ssize_t size = readlinkat(dirfd(dir), entry->d_name, path, sizeof path);

        count +=
            size > end_size && memcmp(path + size - end_size, end, (size_t)end_size) == 0;
    }
    return count;
}

/* Two processes evict one tree: when the second gets its lock the first has removed it,
 * and somebody uses a new one that lies at its place. */
static void a_tree_that_took_anothers_place_stays(void **state)
{
    CLEANUP_FREE char *digest = NULL, *folder = NULL;
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    struct tree *first = NULL;
    pthread_t second;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, model, ARRAY_SIZE(model));
    archive = fixture_archive(&fixture);
    digest = xstrdup(toc_digest(archive_toc(archive)));
    folder = xstrdup(fixture_tree_path(&fixture, archive, "."));
    archive_unref(archive);
    registry_close_idle(fixture.cache, NULL, NULL);

    assert_int_equal(tree_open_existing(&fixture.cache->store, FIXTURE_ID,
                                        FIXTURE_VERSION, digest, &first, &err),
                     0);
    assert_int_equal(tree_lock_alone(first, &err), 0);
    assert_int_equal(thread_start(&second, "evict", evict_all, fixture.cache), 0);
    while (count_open(digest) < 2 || count_open("/state") < 2)
        sched_yield();                 /* until it is about to ask for the lock */
    folder[strlen(folder) - 2] = '\0'; /* without the "/." */
    assert_int_equal(rename(folder, fixture_path(&fixture, "removed")), 0);
    archive = fixture_archive(&fixture);
    tree_close(first);
    pthread_join(second, NULL);
    assert_int_equal(access(folder, F_OK), 0);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    archive_unref(archive);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_not_awaited_for_ever),
        cmocka_unit_test(what_was_answered_can_go),
        cmocka_unit_test(a_tree_that_took_anothers_place_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
