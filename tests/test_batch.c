/* test_batch.c: what comes along with a member of an archive, asked for or not. */
#include "tests/test.h"

#include "cache/load.h"
#include "common/cleanup.h"
#include "common/sync.h"
#include "tests/many.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Wait until all that comes along came: how many of many are there? */
static uint64_t count_files(struct place *place, struct archive *archive)
{
    struct cache_counters counters;

    do {
        sched_yield();
        cache_count(place->fixture.cache, &counters);
    } while (counters.transfers_running > 0);
    return archive_cached_bytes(archive) / TEXT;
}

static void neighbours_come_along(void **state)
{
    struct many *many = many_new();

    (void)state;
    for (enum place_kind kind = PLACE_REMOTE; kind <= PLACE_LOCAL; kind++) {
        struct counting_calls calls;
        struct place place;
        struct archive *archive;

        test_row(kind, "%s", place_kinds[kind]);
        archive = open_many(&place, kind, many);
        counting_backend_reset(place.fixture.counting);
        for (int i = 0; i < FILES; i++)
            assert_true(fixture_has(archive, many->names[i], many->noise + i, TEXT));
        calls = counting_backend_calls(place.fixture.counting);
        printf("    %ju requests, %ju bytes\n", (uintmax_t)calls.object_read,
               (uintmax_t)calls.bytes_read);
        assert_in_range(calls.object_read, 1, 20);
        assert_in_range(calls.bytes_read, FILES * TEXT, FILES * (TEXT + 200));
        archive_unref(archive);
        place_close(&place);
    }
    many_free(many);
}

static void one_file_brings_little_more(void **state)
{
    static const int indexes[] = {1000, 0, FILES - 1, 500, 501, 502, 503, 1500};
    struct many *many = many_new();

    (void)state;
    for (enum place_kind kind = PLACE_REMOTE; kind <= PLACE_LOCAL; kind++) {
        struct place place;
        struct archive *archive = open_many(&place, kind, many);

        for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
            int index = indexes[i];

            test_row(i, "file %d, %s", index, place_kinds[kind]);
            counting_backend_reset(place.fixture.counting);
            assert_true(
                fixture_has(archive, many->names[index], many->noise + index, TEXT));
            count_files(&place, archive);
            assert_in_range(counting_backend_calls(place.fixture.counting).bytes_read, 0,
                            TEXT + (256 << 10));
        }
        archive_unref(archive);
        place_close(&place);
    }
    many_free(many);
}

/* A request costs no round trip there: only who reads in order is helped. */
static void a_disk_brings_what_is_read_in_order(void **state)
{
    static const struct {
        int index;
        uint64_t first, last; /* how many come */
    } rows[] = {
        {1000, 1, 1 }, /* alone */
        {0,    1, 1 },
        {500,  1, 1 },
        {501,  4, 5 }, /* four times what was read */
        {506,  1, 30},
        {1500, 1, 1 }, /* another place */
        {499,  1, 1 }, /* backwards */
        {1001, 4, 5 },
        {1002, 0, 0 }, /* came along */
    };
    struct many *many = many_new();
    struct place place;
    struct archive *archive = open_many(&place, PLACE_LOCAL, many);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t before = count_files(&place, archive);
        int index = rows[i].index;

        test_row(i, "file %d", index);
        assert_true(fixture_has(archive, many->names[index], many->noise + index, TEXT));
        assert_in_range(count_files(&place, archive) - before, rows[i].first,
                        rows[i].last);
    }
    archive_unref(archive);
    place_close(&place);
    many_free(many);
}

/* Those that are large come as a file system gives them. */
static void a_disk_brings_small_ones_only(void **state)
{
    enum { LEAD = 100 << 10, LARGE = 200 << 10, HOLD = 150 << 10 };
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct zip_file files[] = {
        {.name = "a", .data = noise,   .size = LEAD },
        {.name = "b", .data = noise,   .size = LEAD },
        {.name = "c", .data = noise,   .size = LARGE}, /* more than is held */
        {.name = "d", .data = "small", .size = 5    },
        {.name = "e", .data = noise,   .size = LARGE},
        {.name = "f", .data = "small", .size = 5    },
    };
    struct place place;
    struct archive *archive;

    (void)state;
    place_open(&place, PLACE_LOCAL, &(struct cache_options){.hold = HOLD});
    fixture_publish(&place.fixture, files, ARRAY_SIZE(files));
    archive = fixture_archive(&place.fixture);
    assert_true(fixture_has(archive, "a", noise, LEAD));
    assert_true(fixture_has(archive, "b", noise, LEAD));
    count_files(&place, archive);
    assert_int_equal(archive_cached_bytes(archive), 2 * LEAD + 5); /* d */
    assert_true(fixture_has(archive, "c", noise, LARGE));
    assert_true(fixture_has(archive, "e", noise, LARGE)); /* brings no f */
    count_files(&place, archive);
    assert_int_equal(archive_cached_bytes(archive), 2 * LEAD + 5 + 2 * LARGE);
    archive_unref(archive);
    place_close(&place);
}

static void damaged_neighbours_harm_nobody(void **state)
{
    struct many *many = many_new();

    (void)state;
    many->files[7].has_wrong_crc = true;
    for (enum place_kind kind = PLACE_REMOTE; kind <= PLACE_LOCAL; kind++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct place place;
        struct archive *archive;

        test_row(kind, "%s", place_kinds[kind]);
        archive = open_many(&place, kind, many);
        for (int i = 0; i < 7; i++)
            assert_true(fixture_has(archive, many->names[i], many->noise + i, TEXT));
        count_files(&place, archive);
        assert_int_equal(archive_member_state(archive, fixture_index(archive, "0008")),
                         MEMBER_COMPLETE);
        assert_int_equal(fixture_want(archive, "0007", 0, ARCHIVE_WHOLE, &generation),
                         -EIO);
        assert_true(fixture_has(archive, "0008", many->noise + 8, TEXT));
        archive_unref(archive);
        place_close(&place);
    }
    many_free(many);
}

/* The request of those before breaks: who waits for a later one gets his own. */
static void cut_ranges_fail_nobody_else(void **state)
{
    struct many *many = many_new();

    (void)state;
    for (enum place_kind kind = PLACE_REMOTE; kind <= PLACE_LOCAL; kind++) {
        struct place place;
        struct archive *archive;

        test_row(kind, "%s", place_kinds[kind]);
        archive = open_many(&place, kind, many);
        assert_true(fixture_has(archive, "0000", many->noise, TEXT));
        fault_backend_truncate(place.fixture.fault, ".zip", 5 * TEXT);
        for (int i = 1; i < 100; i++) {
            uint32_t generation = ARCHIVE_GENERATION_NEW;

            if (fixture_want(archive, many->names[i], 0, ARCHIVE_WHOLE, &generation) < 0)
                printf("    %d failed once\n", i);
            assert_true(fixture_has(archive, many->names[i], many->noise + i, TEXT));
        }
        archive_unref(archive);
        place_close(&place);
    }
    many_free(many);
}

static void the_rest_comes_in_the_background(void **state)
{
    struct many *many = many_new();

    (void)state;
    for (enum place_kind kind = PLACE_REMOTE; kind <= PLACE_LOCAL; kind++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct place place;
        struct archive *archive;

        test_row(kind, "%s", place_kinds[kind]);
        place_open(&place, kind, &(struct cache_options){.prefetch_model = true});
        fixture_publish(&place.fixture, many->files, FILES);
        archive = fixture_archive(&place.fixture);
        counting_backend_reset(place.fixture.counting);
        assert_int_equal(archive_cached_bytes(archive), 0);
        assert_int_equal(fixture_want(archive, "0100", 0, 0, &generation), 0);
        while (archive_cached_bytes(archive) < FILES * TEXT)
            sched_yield();
        assert_in_range(counting_backend_calls(place.fixture.counting).object_read, 1,
                        10);
        archive_unref(archive);
        place_close(&place);
    }
    many_free(many);
}

static void loading_takes_few_requests(void **state)
{
    struct many *many = many_new();
    struct place place;
    struct archive *archive = open_many(&place, PLACE_REMOTE, many);
    CLEANUP_FREE char *path = NULL;
    struct error err = {0};

    (void)state;
    assert_true(fixture_has(archive, "1000", many->noise + 1000, TEXT));
    counting_backend_reset(place.fixture.counting);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    assert_int_equal(archive_cached_bytes(archive), FILES * TEXT);
    assert_in_range(counting_backend_calls(place.fixture.counting).object_read, 1, 4);
    archive_unref(archive);
    place_close(&place);
    many_free(many);
}

static void ignore_answer(void *arg, int rc, const struct error *err)
{
    (void)arg;
    (void)rc;
    (void)err;
}

/* What the background will bring some time is asked for: it comes at once. */
static void wishes_overtake_the_background(void **state)
{
    enum { HALF = 10 << 20 };
    CLEANUP_FREE unsigned char *noise = fixture_noise(HALF);
    struct zip_file files[] = {
        {.name = "a.txt", .data = "hello", .size = 5   },
        {.name = "b.bin", .data = noise,   .size = HALF},
        {.name = "c.bin", .data = noise,   .size = HALF},
        {.name = "d.txt", .data = "world", .size = 5   },
    };
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.prefetch_model = true});
    fixture_publish(&fixture, files, ARRAY_SIZE(files));
    archive = fixture_archive(&fixture);
    fault_backend_block(fixture.fault, FAULT_OBJECT_READ, ".zip");
    assert_int_equal(archive_want(archive, fixture_index(archive, "a.txt"), 0, 0,
                                  &generation, ignore_answer, NULL, &err),
                     0);
    assert_true(fault_backend_wait_blocked(fixture.fault, 2)); /* a; b, c and d */
    fault_backend_pass(fixture.fault);
    assert_true(fixture_has(archive, "d.txt", "world", 5));
    fault_backend_release(fixture.fault);
    assert_true(fixture_has(archive, "c.bin", noise, HALF));
    archive_unref(archive);
    fixture_close(&fixture);
}

/* Who wants something far away does not wait for a batch. */
static void wishes_overtake_neighbours(void **state)
{
    struct many *many = many_new();
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct error err = {0};
    struct place place;
    struct archive *archive = open_many(&place, PLACE_LOCAL, many);

    (void)state;
    assert_true(fixture_has(archive, "0000", many->noise, TEXT));
    fault_backend_block(place.fixture.fault, FAULT_OBJECT_READ, ".zip");
    assert_int_equal(archive_want(archive, fixture_index(archive, "0001"), 0, 0,
                                  &generation, ignore_answer, NULL, &err),
                     0);
    assert_true(fault_backend_wait_blocked(place.fixture.fault, 1)); /* 1 to 5 */
    fault_backend_pass(place.fixture.fault);
    assert_true(fixture_has(archive, "1500", many->noise + 1500, TEXT));
    fault_backend_release(place.fixture.fault);
    assert_true(fixture_has(archive, "0003", many->noise + 3, TEXT));
    archive_unref(archive);
    place_close(&place);
    many_free(many);
}

/* On the thread that hands out the first piece of what comes. */
static void change_archive(void *arg, int rc, const struct error *err)
{
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    int fd = place_open_archive(arg);

    (void)err;
    assert_int_equal(rc, 0);
    assert_int_equal(pwrite(fd, "?", 1, 100), 1);
    assert_int_equal(futimens(fd, times), 0); /* a coarse clock's help */
    close(fd);
}

static void what_changes_meanwhile_is_stale_not_damaged(void **state)
{
    enum { PART = 100 << 10 };
    CLEANUP_FREE unsigned char *noise = fixture_noise(PART);
    struct zip_file files[] = {
        {.name = "a", .data = noise, .size = PART},
        {.name = "b", .data = noise, .size = PART},
        {.name = "c", .data = noise, .size = PART},
        {.name = "d", .data = noise, .size = PART}, /* in two pieces */
    };
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    CLEANUP_BYTES struct bytes verdict;
    struct error err = {0};
    struct place place;
    struct archive *archive;

    (void)state;
    bytes_init(&verdict, 1000);
    place_open(&place, PLACE_LOCAL, &(struct cache_options){0});
    fixture_publish(&place.fixture, files, ARRAY_SIZE(files));
    archive = fixture_archive(&place.fixture);
    assert_true(fixture_has(archive, "a", noise, PART));
    assert_int_equal(archive_want(archive, fixture_index(archive, "b"), 0, ARCHIVE_WHOLE,
                                  &generation, change_archive, &place, &err),
                     0);
    while (archive_member_state(archive, fixture_index(archive, "b")) != MEMBER_COMPLETE)
        sched_yield();
    count_files(&place, archive);
    assert_int_equal(archive_cached_bytes(archive), 3 * PART); /* c was read before */
    generation = ARCHIVE_GENERATION_NEW;
    assert_int_equal(fixture_want(archive, "d", 0, ARCHIVE_WHOLE, &generation), -ESTALE);
    assert_int_equal(archive_print_verdict(archive, &verdict, &err), 0);
    assert_string_equal(verdict.data, "ok: partly cached, 3 of 4 files verified\n");
    archive_unref(archive);

    fixture_publish(&place.fixture, files, ARRAY_SIZE(files));
    archive = fixture_archive(&place.fixture);
    assert_true(fixture_has(archive, "d", noise, PART));
    archive_unref(archive);
    place_close(&place);
}

static void *read_many(void *arg)
{
    struct many *many = many_new();
    bool is_good = true;

    for (int i = 0; i < FILES; i++)
        is_good = fixture_has(arg, many->names[i], many->noise + i, TEXT) && is_good;
    many_free(many);
    return is_good ? arg : NULL;
}

/* What one process fetches ahead the other one waits for. */
static void two_processes_read_in_order(void **state)
{
    struct many *many = many_new();
    struct place place;
    struct archive *archive = open_many(&place, PLACE_LOCAL, many);
    struct archive *other_archive;
    struct cache *other;
    struct error err = {0};
    pthread_t thread;
    void *ok;

    (void)state;
    assert_int_equal(
        cache_open(&(struct cache_options){.root = place.fixture.root}, &other, &err), 0);
    assert_int_equal(cache_archive(other, place.fixture.resolver, &place.fixture.release,
                                   &other_archive, &err),
                     0);
    assert_int_equal(thread_start(&thread, "reader", read_many, other_archive), 0);
    assert_non_null(read_many(archive));
    pthread_join(thread, &ok);
    assert_non_null(ok);
    archive_unref(other_archive);
    archive_unref(archive);
    cache_close(other);
    place_close(&place);
    many_free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_come_along),
        cmocka_unit_test(one_file_brings_little_more),
        cmocka_unit_test(a_disk_brings_what_is_read_in_order),
        cmocka_unit_test(a_disk_brings_small_ones_only),
        cmocka_unit_test(damaged_neighbours_harm_nobody),
        cmocka_unit_test(cut_ranges_fail_nobody_else),
        cmocka_unit_test(loading_takes_few_requests),
        cmocka_unit_test(the_rest_comes_in_the_background),
        cmocka_unit_test(wishes_overtake_the_background),
        cmocka_unit_test(wishes_overtake_neighbours),
        cmocka_unit_test(what_changes_meanwhile_is_stale_not_damaged),
        cmocka_unit_test(two_processes_read_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
