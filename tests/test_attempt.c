/* test_attempt.c: a member that takes several attempts is in the end what was verified;
 * and what counts as failed. */
#include "tests/test.h"

#include "cache/tree_open.h"
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/sync.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LARGE = 3 * 1048576 + 12345,
    CAME = 2 * 1048576 + 1000, /* bytes of the first attempt */
    STALL_MS = 300,
};

static struct archive *open_model(struct fixture *fixture, const unsigned char *noise)
{
    const struct zip_file files[] = {
        {.name = "a.bin", .data = noise, .size = LARGE, .is_stored = true},
        {.name = "b.bin", .data = noise, .size = LARGE, .is_stored = true},
        {.name = "c.bin", .data = noise, .size = LARGE, .is_stored = true},
    };

    fixture_open(fixture, &(struct cache_options){
                              .hold = 1000, .threads = 1, .stall_ms = STALL_MS});
    fixture_publish(fixture, files, ARRAY_SIZE(files));
    return fixture_archive(fixture);
}

static int want_all(struct archive *archive, const char *path, uint32_t *generation)
{
    return fixture_want(archive, path, 0, ARCHIVE_WHOLE, generation);
}

/* A part of a.bin came, then the connection broke. */
static void fetch_part(struct fixture *fixture, struct archive *archive,
                       uint32_t *generation)
{
    fault_backend_truncate(fixture->fault, FIXTURE_ARCHIVE, CAME);
    assert_int_equal(want_all(archive, "a.bin", generation), -EIO);
    fault_backend_clear(fixture->fault);
    assert_int_equal(archive_member_state(archive, fixture_index(archive, "a.bin")),
                     MEMBER_ARRIVING);
}

static void *want_another(void *arg)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;

    (void)want_all(arg, "b.bin", &generation);
    return NULL;
}

/* The next attempt finds that nobody waits any more: before it in the queue of the only
 * thread is one that hangs. */
static void begin_in_vain(struct fixture *fixture, struct archive *archive,
                          uint32_t *generation)
{
    uint32_t unused = ARCHIVE_GENERATION_NEW;
    pthread_t thread;

    fault_backend_block(fixture->fault, FAULT_OBJECT_READ, FIXTURE_ARCHIVE);
    assert_int_equal(thread_start(&thread, "another", want_another, archive), 0);
    fault_backend_wait_blocked(fixture->fault, 1);
    assert_int_equal(want_all(archive, "a.bin", generation), -ETIMEDOUT);
    fault_backend_release(fixture->fault);
    pthread_join(thread, NULL);
    assert_int_equal(want_all(archive, "c.bin", &unused), 0); /* behind both */
}

static void what_came_stays_ours_until_the_next_attempt(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, noise), *theirs;
    struct error err = {0};
    struct cache *other;

    (void)state;
    fetch_part(&fixture, archive, &generation);
    begin_in_vain(&fixture, archive, &generation);
    /* Another process drops what is nobody's. */
    assert_int_equal(
        cache_open(&(struct cache_options){.root = fixture.root}, &other, &err), 0);
    assert_int_equal(
        cache_archive(other, fixture.resolver, &fixture.release, &theirs, &err), 0);
    archive_unref(theirs);
    cache_close(other);
    assert_int_equal(want_all(archive, "a.bin", &generation), 0);
    assert_true(fixture_has(archive, "a.bin", noise, LARGE));
    archive_unref(archive);
    fixture_close(&fixture);
}

/* What is verified is the file that we have open; what lies at its place counts. */
static void what_is_put_in_its_place_was_verified(void **state)
{
    static const char *const cases[] = {"removed", "another"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
        CLEANUP_FREE unsigned char *zeros = calloc(1, LARGE);
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct fixture fixture;
        struct archive *archive = open_model(&fixture, noise);
        struct error err = {0};
        char name[32];
        const char *path;

        test_row(i, "%s", cases[i]);
        fetch_part(&fixture, archive, &generation);
        snprintf(name, sizeof name, "incoming/%u", fixture_index(archive, "a.bin"));
        path = fixture_tree_path(&fixture, archive, name);
        assert_int_equal(unlink(path), 0);
        if (i == 1)
            assert_int_equal(files_replace(AT_FDCWD, path, zeros, LARGE, 0644, &err), 0);
        assert_int_equal(want_all(archive, "a.bin", &generation), -EIO);
        generation = ARCHIVE_GENERATION_NEW;
        assert_int_equal(want_all(archive, "a.bin", &generation), 0);
        assert_true(fixture_has(archive, "a.bin", noise, LARGE));
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

/* As if the last attempt had failed so long ago. */
static void let_time_pass(struct archive *archive, const char *root, uint32_t index,
                          int hours)
{
    struct tree_record record;
    struct error err = {0};
    struct store store;
    struct tree *tree = NULL;

    assert_int_equal(store_open(root, &store, &err), 0);
    assert_int_equal(
        tree_open(&store, FIXTURE_ID, FIXTURE_VERSION, archive_toc(archive), &tree, &err),
        0);
    assert_int_equal(tree_read_record(tree, index, &record, &err), 0);
    record.failed_h = (uint16_t)(record.failed_h - hours);
    assert_int_equal(tree_write_record(tree, index, &record, &err), 0);
    tree_close(tree);
    store_close(&store);
}

/* Not the archive was damaged, but what came of it. */
static void damage_on_the_way_is_not_for_ever(void **state)
{
    static const struct {
        int hours, rc;
    } cases[] = {
        {0, -EIO},
        {2, 0   },
    };
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, noise);
    uint32_t index = fixture_index(archive, "a.bin"), generation;

    (void)state;
    fault_backend_corrupt(fixture.fault, FIXTURE_ARCHIVE, CAME);
    for (int i = 0; i < 2; i++) {
        generation = ARCHIVE_GENERATION_NEW;
        assert_int_equal(want_all(archive, "a.bin", &generation), -EIO);
    }
    fault_backend_clear(fixture.fault);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "after %d h", cases[i].hours);
        let_time_pass(archive, fixture.root, index, cases[i].hours);
        archive_unref(archive);
        fixture_reopen(&fixture);
        archive = fixture_archive(&fixture);
        generation = ARCHIVE_GENERATION_NEW;
        assert_int_equal(want_all(archive, "a.bin", &generation), cases[i].rc);
    }
    archive_unref(archive);
    fixture_close(&fixture);
}

enum { TEXT = 600 };

static const char text[TEXT] = "what comes along";

static const struct zip_file small[] = {
    {.name = "a", .data = text, .size = TEXT},
    {.name = "b", .data = text, .size = TEXT},
    {.name = "c", .data = text, .size = TEXT},
    {.name = "d", .data = text, .size = TEXT},
};

/* Until all that comes along came. */
static struct cache_counters await_transfers(struct cache *cache)
{
    struct cache_counters counters;

    do {
        sched_yield();
        cache_count(cache, &counters);
    } while (counters.transfers_running > 0);
    return counters;
}

/* How many files failed, as @info has it? */
static uint64_t count_errors(struct archive *archive)
{
    struct error err = {0};
    struct bytes lines;
    uint64_t count = 0;

    bytes_init(&lines, 10000);
    assert_int_equal(archive_print_errors(archive, &lines, &err), 0);
    for (size_t i = 0; i < lines.size; i++)
        count += lines.data[i] == '\n';
    bytes_done(&lines);
    return count;
}

/* What comes along finds no room: nobody asked for it, so nothing failed. */
static void no_room_is_no_failure_of_what_nobody_asked_for(void **state)
{
    static const struct {
        uint64_t size; /* of the cache, in files */
        size_t asked;  /* so many first ones */
        int rc;        /* of the last one */
        uint64_t failed;
    } cases[] = {
        {4, 1, 0,       0},
        {2, 1, 0,       0},
        {2, 2, 0,       0},
        {2, 3, -ENOSPC, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture fixture;
        struct archive *archive;
        int rc = 0;

        test_row(i, "%zu of %ju", cases[i].asked, (uintmax_t)cases[i].size);
        fixture_open(&fixture, &(struct cache_options){.size = cases[i].size * TEXT});
        fixture_publish(&fixture, small, ARRAY_SIZE(small));
        archive = fixture_archive(&fixture);
        for (size_t j = 0; j < cases[i].asked; j++) {
            uint32_t generation = ARCHIVE_GENERATION_NEW;

            rc = fixture_want(archive, small[j].name, 0, ARCHIVE_WHOLE, &generation);
        }
        assert_int_equal(rc, cases[i].rc);
        assert_int_equal(await_transfers(fixture.cache).transfers_failed,
                         cases[i].failed);
        assert_int_equal(count_errors(archive), cases[i].failed);
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_stays_ours_until_the_next_attempt),
        cmocka_unit_test(what_is_put_in_its_place_was_verified),
        cmocka_unit_test(damage_on_the_way_is_not_for_ever),
        cmocka_unit_test(no_room_is_no_failure_of_what_nobody_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
