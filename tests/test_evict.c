/* test_evict.c: room is made from what nobody uses, and what is in use stays. */
#include "tests/test.h"

#include "cache/evict.h"
#include "cache/layout.h"
#include "cache/load.h"
#include "cache/registry.h"
#include "cache/tree_open.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "tests/fakes/cache_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct zip_file model[] = {
    {.name = "model.yaml", .data = "a: 1\n", .size = 5},
};

/* One file of it does not complete it. */
static const struct zip_file two[] = {
    {.name = "model.yaml", .data = "a: 1\n", .size = 5},
    {.name = "readme.txt", .data = "hello",  .size = 5},
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
    assert_int_equal(evict_make_room(fixture.cache, 1, EVICT_ASKED, &err), -ENOSPC);
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

    return (void *)(intptr_t)evict_make_room(arg, 1, EVICT_ASKED, &err);
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

/* Another process moves the model to its place, and lets go then. */
static void what_others_move_is_waited_for(void **state)
{
    struct cache_options options = {.stall_ms = 600000};
    struct archive *archive;
    struct fixture fixture;
    struct error err = {0};
    struct cache *other;
    pthread_t thread;
    void *result;

    (void)state;
    fixture_open(&fixture, &options);
    fixture_publish(&fixture, two, ARRAY_SIZE(two));
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    options.root = fixture.root;
    assert_int_equal(cache_open(&options, &other, &err), 0);
    assert_int_equal(tree_lock(archive->tree, TREE_LOCK_MOVE, TREE_TRY, &err), 0);
    assert_int_equal(thread_start(&thread, "room", make_room, other), 0);
    while (works_now(other) == 0) /* until it has found nothing that can go */
        sched_yield();
    archive_unref(archive);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 0);
    cache_close(other);
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

/* Three versions: 1.0.0 and 3.0.0 are complete, of 2.0.0 there is one small file. */
enum { VERSIONS = 3, PARTIAL = 1, SMALL = 1000, LARGE = 400000, ALL = SMALL + LARGE };

struct versions {
    struct fixture fixture;
    struct archive *used[VERSIONS];
};

static void name_version(struct versions *versions, size_t i)
{
    snprintf(versions->fixture.release.version, sizeof versions->fixture.release.version,
             "%zu.0.0", i + 1);
}

static void make_version(struct versions *versions, size_t i, const unsigned char *noise)
{
    struct zip_file files[] = {
        {.name = "a", .data = noise + i, .size = SMALL},
        {.name = "b", .data = noise + i, .size = LARGE},
    };
    struct fixture *fixture = &versions->fixture;
    CLEANUP_FREE char *path = NULL;
    struct archive *archive;
    struct error err = {0};

    name_version(versions, i);
    fixture_publish_as(fixture, fixture->release.version, files, ARRAY_SIZE(files));
    archive = fixture_archive(fixture);
    if (i == PARTIAL)
        assert_true(fixture_has(archive, "a", noise + i, SMALL));
    else
        assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    archive_unref(archive);
}

/* used_s: when each was used last; is_open: a bit for each that is open now. */
static void open_versions(struct versions *versions, const int *used_s, unsigned is_open)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE + VERSIONS);
    struct fixture *fixture = &versions->fixture;

    *versions = (struct versions){.used = {NULL}};
    fixture_open(fixture, &(struct cache_options){0});
    for (size_t i = 0; i < VERSIONS; i++)
        make_version(versions, i, noise);
    fixture_reopen(fixture); /* nothing is under way any more */
    for (size_t i = 0; i < VERSIONS; i++) {
        struct timespec times[2] = {{.tv_sec = used_s[i]}, {.tv_sec = used_s[i]}};
        struct archive *archive;

        name_version(versions, i);
        archive = fixture_archive(fixture);
        assert_int_equal(
            utimensat(AT_FDCWD, fixture_tree_path(fixture, archive, "state"), times, 0),
            0);
        if (is_open & 1 << i)
            versions->used[i] = archive;
        else
            archive_unref(archive);
    }
}

/* Which are still there, a bit for each. */
static unsigned close_versions(struct versions *versions)
{
    unsigned left = 0;

    for (size_t i = 0; i < VERSIONS; i++) {
        CLEANUP_FREE char *path = NULL;

        name_version(versions, i);
        path = layout_trees(FIXTURE_ID, versions->fixture.release.version);
        if (rmdir(fixture_path(&versions->fixture, path)) < 0 && errno == ENOTEMPTY)
            left |= 1U << i;
        archive_unref(versions->used[i]);
    }
    fixture_close(&versions->fixture);
    return left;
}

static void room_is_made_by_age(void **state)
{
    static const struct {
        int used_s[VERSIONS];
        unsigned is_open;
        uint64_t wanted;
        int rc;
        unsigned left;
    } cases[] = {
        {{10, 20, 30}, 0, 1,       0,       6},
        {{30, 20, 10}, 0, 1,       0,       3},
        {{10, 20, 30}, 0, ALL,     0,       6},
        {{10, 20, 30}, 0, ALL + 1, 0,       4},
        {{20, 30, 10}, 0, ALL + 1, 0,       2},
        {{10, 20, 30}, 1, 1,       0,       5},
        {{10, 20, 30}, 3, 1,       0,       3},
        {{10, 20, 30}, 7, 1,       -ENOSPC, 7},
        {{10, 20, 30}, 0, GIB,     -ENOSPC, 0},
        {{10, 20, 30}, 4, GIB,     -ENOSPC, 4},
        {{10, 20, 30}, 0, 0,       0,       7},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct versions versions;
        struct error err = {0};

        test_row(i, "%ju bytes, open: %x", (uintmax_t)cases[i].wanted, cases[i].is_open);
        open_versions(&versions, cases[i].used_s, cases[i].is_open);
        assert_int_equal(
            evict_make_room(versions.fixture.cache, cases[i].wanted, EVICT_ASKED, &err),
            cases[i].rc);
        assert_int_equal(close_versions(&versions), cases[i].left);
    }
}

static void what_nobody_uses_is_removed(void **state)
{
    static const int used_s[] = {10, 20, 30};
    static const struct {
        enum evict_what what;
        unsigned is_open;
        unsigned freed, kept, left;
    } cases[] = {
        {EVICT_PARTIAL, 0, 1, 0, 5},
        {EVICT_PARTIAL, 2, 0, 1, 7},
        {EVICT_PARTIAL, 5, 1, 0, 5},
        {EVICT_ALL,     0, 3, 0, 0},
        {EVICT_ALL,     1, 2, 1, 1},
        {EVICT_ALL,     7, 0, 3, 7},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct versions versions;
        struct evict_sum sum;
        struct error err = {0};

        test_row(i, "%s, open: %x", cases[i].what == EVICT_ALL ? "all" : "partial",
                 cases[i].is_open);
        open_versions(&versions, used_s, cases[i].is_open);
        assert_int_equal(evict_unused(versions.fixture.cache, cases[i].what, &sum, &err),
                         0);
        assert_int_equal(sum.freed, cases[i].freed);
        assert_int_equal(sum.kept, cases[i].kept);
        if (cases[i].what == EVICT_ALL)
            assert_int_equal(sum.freed_bytes + sum.kept_bytes, 2 * ALL + SMALL);
        assert_int_equal(close_versions(&versions), cases[i].left);
    }
}

static void a_version_is_released_unless_it_is_in_use(void **state)
{
    static const int used_s[] = {10, 20, 30};
    struct versions versions;
    struct error err = {0};

    (void)state;
    open_versions(&versions, used_s, 1);
    assert_int_equal(evict_release(versions.fixture.cache, FIXTURE_ID, "1.0.0", &err),
                     -EAGAIN);
    assert_int_equal(evict_release(versions.fixture.cache, FIXTURE_ID, "3.0.0", &err), 0);
    assert_int_equal(evict_release(versions.fixture.cache, FIXTURE_ID, "9.9.9", &err), 0);
    assert_int_equal(close_versions(&versions), 3);
}

static void what_a_dead_process_left_goes(void **state)
{
    CLEANUP_FREE char *left = NULL;
    struct fixture fixture;
    CLEANUP_CLOSE int folder = -1;
    struct error err = {0};
    struct stat st;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    left = xstrdup(fixture_path(&fixture, LAYOUT_REMOVED "/3e120e8d-x/files/a"));
    assert_int_equal(files_make_folders(AT_FDCWD, left, 0777, &err), 0);
    folder = open(fixture_path(&fixture, LAYOUT_REMOVED), O_PATH);
    evict_clean(fixture.cache);
    assert_int_equal(fstat(folder, &st), 0);
    assert_true(st.st_nlink > 0); /* others are about to move something there */
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(rmdir(fixture_path(&fixture, LAYOUT_REMOVED)), 0); /* it is empty */
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_not_awaited_for_ever),
        cmocka_unit_test(what_was_answered_can_go),
        cmocka_unit_test(what_others_move_is_waited_for),
        cmocka_unit_test(a_tree_that_took_anothers_place_stays),
        cmocka_unit_test(room_is_made_by_age),
        cmocka_unit_test(what_nobody_uses_is_removed),
        cmocka_unit_test(a_version_is_released_unless_it_is_in_use),
        cmocka_unit_test(what_a_dead_process_left_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
