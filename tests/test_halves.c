/* test_halves.c: what somebody waits for comes by two requests, where that helps. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>

enum { OTHER = 256 << 10 };

static struct archive *open_one(struct fixture *fixture, struct cache_options options,
                                bool has_another, const void *data, size_t size)
{
    fixture_open(fixture, &options);
    if (has_another)
        memory_backend_keep_connections(fixture->memory);
    /* The other one does not come along: nor does the metadata, as when all is there. */
    fixture_publish(fixture,
                    (const struct zip_file[]){
                        {.name = "a.bin", .data = data, .size = size },
                        {.name = "b.bin", .data = data, .size = OTHER},
    },
                    2);
    return fixture_archive(fixture);
}

static void large_members_come_in_halves(void **state)
{
    static const struct {
        size_t size; /* and so much packed: it is noise */
        bool has_another;
        unsigned threads;
        unsigned requests;
    } cases[] = {
        {1 << 20,         true,  0, 2},
        {(512 << 10) + 1, true,  0, 2},
        {1 << 20,         false, 0, 1}, /* to open a connection takes longer */
        {1 << 20,         true,  1, 1}, /* no thread for it */
        {256 << 10,       true,  0, 1}, /* not worth it */
        {4 << 20,         true,  0, 1}, /* too much to lie in memory */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE unsigned char *noise = fixture_noise(cases[i].size);
        struct fixture fixture;
        struct archive *archive;
        struct counting_calls calls;

        test_row(i, "%zu bytes, %u threads", cases[i].size, cases[i].threads);
        archive = open_one(&fixture, (struct cache_options){.threads = cases[i].threads},
                           cases[i].has_another, noise, cases[i].size);
        counting_backend_reset(fixture.counting);
        assert_true(fixture_has(archive, "a.bin", noise, cases[i].size));
        calls = counting_backend_calls(fixture.counting);
        assert_int_equal(calls.object_read, cases[i].requests);
        assert_in_range(calls.bytes_read, cases[i].size, cases[i].size + 4096);
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

/* Nothing of it is taken for good, and once it comes again it is. */
static void broken_halves_are_fetched_again(void **state)
{
    enum { SIZE = 1 << 20 };
    static const struct {
        const char *what;
        uint64_t cut, corrupt_at; /* 0: not */
    } cases[] = {
        {"both end early",          300 << 10, 0        },
        {"the first one is wrong",  0,         100 << 10},
        {"the second one is wrong", 0,         900 << 10},
    };
    CLEANUP_FREE unsigned char *noise = fixture_noise(SIZE);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct fixture fixture;
        struct archive *archive;

        test_row(i, "%s", cases[i].what);
        archive = open_one(&fixture, (struct cache_options){0}, true, noise, SIZE);
        if (cases[i].cut)
            fault_backend_truncate(fixture.fault, ".zip", cases[i].cut);
        else
            fault_backend_corrupt(fixture.fault, ".zip", cases[i].corrupt_at);
        assert_int_equal(fixture_want(archive, "a.bin", 0, ARCHIVE_WHOLE, &generation),
                         -EIO);
        fault_backend_clear(fixture.fault);
        assert_true(fixture_has(archive, "a.bin", noise, SIZE));
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_members_come_in_halves),
        cmocka_unit_test(broken_halves_are_fetched_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
