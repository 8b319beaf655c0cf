/* test_batch.c: what comes along with a member of a remote archive, asked for or not. */
#include "tests/test.h"

#include "cache/load.h"
#include "common/cleanup.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

enum { FILES = 2000, TEXT = 600 };

/* Files of one model, side by side in its archive: noise, so that they pack to as much.
 */
struct many {
    unsigned char *noise;
    char names[FILES][16];
    struct zip_file files[FILES];
};

static struct many *many_new(void)
{
    struct many *many = calloc(1, sizeof *many);

    many->noise = fixture_noise(FILES + TEXT);
    for (int i = 0; i < FILES; i++) {
        snprintf(many->names[i], sizeof many->names[i], "%04d", i);
        many->files[i] = (struct zip_file){
            .name = many->names[i], .data = many->noise + i, .size = TEXT};
    }
    return many;
}

static void many_free(struct many *many)
{
    free(many->noise);
    free(many);
}

static struct archive *open_many(struct fixture *fixture, const struct many *many)
{
    fixture_open(fixture, &(struct cache_options){0});
    fixture_publish(fixture, many->files, FILES);
    return fixture_archive(fixture);
}

static void neighbours_come_along(void **state)
{
    struct many *many = many_new();
    struct fixture fixture;
    struct archive *archive = open_many(&fixture, many);
    struct counting_calls calls;

    (void)state;
    counting_backend_reset(fixture.counting);
    for (int i = 0; i < FILES; i++)
        assert_true(fixture_has(archive, many->names[i], many->noise + i, TEXT));
    calls = counting_backend_calls(fixture.counting);
    printf("    %ju requests, %ju bytes\n", (uintmax_t)calls.object_read,
           (uintmax_t)calls.bytes_read);
    assert_in_range(calls.object_read, 1, 20);
    assert_in_range(calls.bytes_read, FILES * TEXT, FILES * (TEXT + 200));
    archive_unref(archive);
    fixture_close(&fixture);
    many_free(many);
}

static void one_file_brings_little_more(void **state)
{
    static const int indexes[] = {1000, 0, FILES - 1, 500, 501, 1500};
    struct many *many = many_new();
    struct fixture fixture;
    struct archive *archive = open_many(&fixture, many);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
        int index = indexes[i];

        test_row(i, "file %d", index);
        counting_backend_reset(fixture.counting);
        assert_true(fixture_has(archive, many->names[index], many->noise + index, TEXT));
        assert_in_range(counting_backend_calls(fixture.counting).bytes_read, 0,
                        TEXT + (256 << 10));
    }
    archive_unref(archive);
    fixture_close(&fixture);
    many_free(many);
}

static void damaged_neighbours_harm_nobody(void **state)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct many *many = many_new();
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    many->files[3].has_wrong_crc = true;
    archive = open_many(&fixture, many);
    assert_true(fixture_has(archive, "0002", many->noise + 2, TEXT));
    assert_int_equal(fixture_want(archive, "0003", 0, ARCHIVE_WHOLE, &generation), -EIO);
    assert_true(fixture_has(archive, "0004", many->noise + 4, TEXT));
    archive_unref(archive);
    fixture_close(&fixture);
    many_free(many);
}

/* The request of those before breaks: who waits for a later one gets his own. */
static void cut_ranges_fail_nobody_else(void **state)
{
    struct many *many = many_new();
    struct fixture fixture;
    struct archive *archive = open_many(&fixture, many);
    uint32_t generation = ARCHIVE_GENERATION_NEW;

    (void)state;
    assert_true(fixture_has(archive, "0000", many->noise, TEXT));
    fault_backend_truncate(fixture.fault, ".zip", 5 * TEXT);
    for (int i = 1; i < 100; i++) {
        generation = ARCHIVE_GENERATION_NEW;
        if (fixture_want(archive, many->names[i], 0, ARCHIVE_WHOLE, &generation) < 0)
            printf("    %d failed once\n", i);
        assert_true(fixture_has(archive, many->names[i], many->noise + i, TEXT));
    }
    archive_unref(archive);
    fixture_close(&fixture);
    many_free(many);
}

static void the_rest_comes_in_the_background(void **state)
{
    struct many *many = many_new();
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.prefetch_model = true});
    fixture_publish(&fixture, many->files, FILES);
    archive = fixture_archive(&fixture);
    counting_backend_reset(fixture.counting);
    assert_int_equal(archive_cached_bytes(archive), 0);
    assert_int_equal(fixture_want(archive, "0100", 0, 0, &generation), 0);
    while (archive_cached_bytes(archive) < FILES * TEXT)
        sched_yield();
    assert_in_range(counting_backend_calls(fixture.counting).object_read, 1, 10);
    archive_unref(archive);
    fixture_close(&fixture);
    many_free(many);
}

static void loading_takes_few_requests(void **state)
{
    struct many *many = many_new();
    struct fixture fixture;
    struct archive *archive = open_many(&fixture, many);
    CLEANUP_FREE char *path = NULL;
    struct error err = {0};

    (void)state;
    assert_true(fixture_has(archive, "1000", many->noise + 1000, TEXT));
    counting_backend_reset(fixture.counting);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    assert_int_equal(archive_cached_bytes(archive), FILES * TEXT);
    assert_in_range(counting_backend_calls(fixture.counting).object_read, 1, 4);
    archive_unref(archive);
    fixture_close(&fixture);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_come_along),
        cmocka_unit_test(one_file_brings_little_more),
        cmocka_unit_test(damaged_neighbours_harm_nobody),
        cmocka_unit_test(cut_ranges_fail_nobody_else),
        cmocka_unit_test(loading_takes_few_requests),
        cmocka_unit_test(the_rest_comes_in_the_background),
        cmocka_unit_test(wishes_overtake_the_background),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
