/* test_registry.c: which open archives are found, and which idle ones stay open. */
#include "tests/test.h"

#include "cache/evict.h"
#include "cache/registry.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const struct zip_file files[] = {
    {.name = "model.yaml", .data = "a: 1\n", .size = 5},
};

static struct archive *find(struct fixture *fixture, const struct release *release,
                            const char *digest)
{
    struct cache *cache = fixture->cache;
    struct archive *archive;

    lock_acquire(&cache->lock);
    archive = registry_find_locked(cache, release, digest);
    lock_release(&cache->lock);
    archive_unref(archive);
    return archive;
}

static struct archive *open_version(struct fixture *fixture, const char *version)
{
    fixture_publish_as(fixture, version, files, ARRAY_SIZE(files));
    snprintf(fixture->release.version, sizeof fixture->release.version, "%s", version);
    return fixture_archive(fixture);
}

static void set_replaced(struct archive *archive)
{
    lock_acquire(&archive->lock);
    archive->is_replaced = true;
    lock_release(&archive->lock);
}

static void open_archives_are_found(void **state)
{
    struct release other = {FIXTURE_ID, "9.9.9", 0};
    struct fixture fixture;
    struct archive *archive;
    const char *digest;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    assert_null(find(&fixture, &fixture.release, NULL));
    archive = open_version(&fixture, "1.0.0");
    digest = toc_digest(archive_toc(archive));
    assert_ptr_equal(find(&fixture, &fixture.release, NULL), archive);
    assert_ptr_equal(find(&fixture, &fixture.release, digest), archive);
    assert_null(find(&fixture, &fixture.release, "another digest"));
    assert_null(find(&fixture, &other, NULL));
    assert_null(find(&fixture, &other, digest));
    assert_false(registry_has_replaced(fixture.cache, &fixture.release));

    set_replaced(archive); /* by its digest it is still served */
    assert_null(find(&fixture, &fixture.release, NULL));
    assert_ptr_equal(find(&fixture, &fixture.release, digest), archive);
    assert_true(registry_has_replaced(fixture.cache, &fixture.release));
    assert_false(registry_has_replaced(fixture.cache, &other));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void count_one(struct archive *archive, void *arg)
{
    (void)archive;
    ++*(unsigned *)arg;
}

static unsigned count_open(struct fixture *fixture)
{
    unsigned count = 0;

    registry_for_each(fixture->cache, count_one, &count);
    return count;
}

static void idle_ones_stay_until_somebody_wants_them_closed(void **state)
{
    struct fixture fixture;
    struct archive *first, *second;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    first = open_version(&fixture, "1.0.0");
    second = open_version(&fixture, "2.0.0");
    archive_unref(first);
    assert_int_equal(count_open(&fixture), 2);
    registry_close_idle(fixture.cache, FIXTURE_ID, "2.0.0"); /* is in use */
    registry_close_idle(fixture.cache, FIXTURE_ID, "3.0.0");
    registry_close_idle(fixture.cache, "00000000", "1.0.0");
    assert_int_equal(count_open(&fixture), 2);
    registry_close_idle(fixture.cache, FIXTURE_ID, "1.0.0");
    assert_int_equal(count_open(&fixture), 1);
    archive_unref(second);
    registry_close_idle(fixture.cache, NULL, NULL);
    assert_int_equal(count_open(&fixture), 0);
    registry_release(NULL);
    fixture_close(&fixture);
}

static void the_idle_ones_are_few(void **state)
{
    struct fixture fixture;
    struct archive *archives[3];

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture.cache->idle_max = 1;
    for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
        archives[i] =
            open_version(&fixture, (const char *[]){"1.0.0", "2.0.0", "3.0.0"}[i]);
    assert_int_equal(count_open(&fixture), 3);
    for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
        archive_unref(archives[i]);
    assert_int_equal(count_open(&fixture), 1);
    assert_non_null(find(&fixture, &fixture.release, NULL)); /* the last one */
    fixture_close(&fixture);
}

static void idle_ones_leave_descriptors_to_others(void **state)
{
    static const struct {
        rlim_t descriptors;
        size_t idle_max;
    } cases[] = {
        {64,    0  },
        {192,   0  },
        {207,   0  },
        {208,   1  },
        {256,   4  },
        {1024,  52 },
        {4287,  255},
        {4288,  256},
        {65536, 256},
    };
    struct rlimit before, limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (cases[i].descriptors > before.rlim_max)
            continue; /* not ours to have */
        test_row(i, "%ju descriptors", (uintmax_t)cases[i].descriptors);
        limit = (struct rlimit){cases[i].descriptors, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(registry_idle_max(), cases[i].idle_max);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* What another process, with the same cache folder, finds: 0, evicted; -EAGAIN, in use.
 */
static int evict_elsewhere(const struct fixture *fixture)
{
    struct cache_options options = {.root = fixture->root};
    struct cache *other;
    struct error err = {0};
    int rc;

    assert_int_equal(cache_open(&options, &other, &err), 0);
    rc = evict_release(other, fixture->release.id, fixture->release.version, &err);
    cache_close(other);
    return rc;
}

static void await_let_go(struct fixture *fixture)
{
    while (
        registry_is_used(fixture->cache, fixture->release.id, fixture->release.version))
        sched_yield();
}

static void look(struct archive *archive, void *arg)
{
    (void)archive;
    assert_int_equal(evict_elsewhere(arg), 0);
}

static void others_evict_what_nobody_uses(void **state)
{
    struct fixture fixture;
    struct archive *archive, *again;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    archive = open_version(&fixture, "1.0.0");
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    assert_int_equal(evict_elsewhere(&fixture), -EAGAIN);
    assert_true(registry_is_used(fixture.cache, FIXTURE_ID, "1.0.0"));
    assert_false(registry_is_used(fixture.cache, FIXTURE_ID, "2.0.0"));
    archive_unref(archive);
    fixture_reopen(&fixture); /* nothing is under way any more */

    archive = fixture_archive(&fixture);
    archive_unref(archive);
    await_let_go(&fixture);
    again = fixture_archive(&fixture); /* it is there, and used again */
    assert_ptr_equal(again, archive);
    assert_int_equal(evict_elsewhere(&fixture), -EAGAIN);
    archive_unref(again);
    await_let_go(&fixture);
    assert_int_equal(evict_elsewhere(&fixture), 0);
    assert_null(find(&fixture, &fixture.release, NULL));
    archive = fixture_archive(&fixture); /* a new one */
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void a_look_is_no_use(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    archive_unref(open_version(&fixture, "1.0.0"));
    await_let_go(&fixture);
    registry_for_each(fixture.cache, look, &fixture);
    assert_null(find(&fixture, &fixture.release, NULL));
    fixture_close(&fixture);
}

/* The only one was not used since its record was dated, or was. */
static void the_last_use_is_noted(void **state)
{
    struct timespec old[2] = {{.tv_sec = 10}, {.tv_sec = 10}};
    CLEANUP_FREE char *path = NULL;
    struct archive *archive;
    struct fixture fixture;
    struct stat st;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.stall_ms = GIB}); /* no timer */
    archive = open_version(&fixture, "1.0.0");
    path = xstrdup(fixture_tree_path(&fixture, archive, "state"));
    archive_unref(archive);
    registry_note_uses(fixture.cache);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    registry_note_uses(fixture.cache);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, 10);
    clock_sleep_ms(2); /* uses are told apart by milliseconds */
    archive_unref(cache_find(fixture.cache, &fixture.release, NULL));
    registry_note_uses(fixture.cache);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_mtim.tv_sec > 10);
    fixture_close(&fixture);
}

static void work_is_waited_for(void **state)
{
    struct fixture fixture;
    struct cache *cache;
    uint64_t ended;
    unsigned begun;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    cache = fixture.cache;
    ended = registry_work_ended(cache);
    assert_false(registry_work_await(cache, ended, INT64_MAX)); /* none is being done */
    begun = registry_work_begin(cache);
    assert_false(registry_work_await(cache, ended, clock_now_ms()));
    registry_work_end(cache, begun);
    assert_true(registry_work_await(cache, ended, INT64_MAX));
    assert_false(registry_work_await(cache, registry_work_ended(cache), INT64_MAX));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_archives_are_found),
        cmocka_unit_test(idle_ones_stay_until_somebody_wants_them_closed),
        cmocka_unit_test(the_idle_ones_are_few),
        cmocka_unit_test(idle_ones_leave_descriptors_to_others),
        cmocka_unit_test(others_evict_what_nobody_uses),
        cmocka_unit_test(a_look_is_no_use),
        cmocka_unit_test(the_last_use_is_noted),
        cmocka_unit_test(work_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
