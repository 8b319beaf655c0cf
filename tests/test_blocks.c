/* test_blocks.c: large stored members over links of several sorts. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/sync.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MB ((uint64_t)1000000)

enum { BLOCK = 1 << 20, SIZE = 32 * BLOCK + 4321 };

struct stage {
    struct link *link;
    struct fixture fixture;
    struct archive *archive;
};

/* One stored member, over a link. */
static void stage_open(struct stage *stage, struct link *take_link, unsigned threads,
                       const struct zip_file *file)
{
    struct backend *memory = memory_backend_new();

    stage->link = take_link;
    memory_backend_link(memory, take_link);
    fixture_open_on(&stage->fixture,
                    &(struct cache_options){.hold = 1000, .threads = threads}, memory);
    fixture_publish(&stage->fixture, file, 1);
    stage->archive = fixture_archive(&stage->fixture);
    counting_backend_reset(stage->fixture.counting);
}

static void stage_close(struct stage *stage)
{
    archive_unref(stage->archive);
    fixture_close(&stage->fixture);
    link_free(stage->link);
}

/* One more is always tried, and some threads are left to others. Between these the rate
 * decides (test_pace), which on a busy machine is not the link's. */
static void the_link_decides_on_connections(void **state)
{
    static const struct {
        const char *what;
        uint64_t rate_each, rate_all;
        unsigned threads, peak_least, peak_most;
        unsigned requests_most;
    } cases[] = {
        {"one thread alone",        60 * MB, 900 * MB, 1,  1, 1,  1  },
        {"slow ones, many threads", 8 * MB,  900 * MB, 16, 2, 14, 200},
    };
    CLEANUP_FREE unsigned char *noise = fixture_noise(SIZE);
    struct zip_file file = {
        .name = "a.bin", .data = noise, .size = SIZE, .is_stored = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct stage stage;
        struct counting_calls calls;

        test_row(i, "%s", cases[i].what);
        stage_open(&stage, link_new(20, cases[i].rate_each, cases[i].rate_all),
                   cases[i].threads, &file);
        assert_true(fixture_has(stage.archive, "a.bin", noise, SIZE));
        calls = counting_backend_calls(stage.fixture.counting);
        printf("    %ju requests, %u at once\n", (uintmax_t)calls.object_read,
               link_peak(stage.link));
        assert_in_range(link_peak(stage.link), cases[i].peak_least, cases[i].peak_most);
        assert_in_range(calls.object_read, 1, cases[i].requests_most);
        stage_close(&stage);
    }
}

/* Wishes for blocks all over the member, while several threads fetch it. */
static void wishes_jump_ahead(void **state)
{
    static const uint64_t offsets[] = {30 * BLOCK, 3 * BLOCK - 1, 20 * BLOCK + 7,
                                       SIZE - BLOCK - 5, 10 * BLOCK};
    CLEANUP_FREE unsigned char *noise = fixture_noise(SIZE);
    struct zip_file file = {
        .name = "a.bin", .data = noise, .size = SIZE, .is_stored = true};
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct stage stage;

    (void)state;
    stage_open(&stage, link_new(5, 40 * MB, 400 * MB), 8, &file);
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        char there[10];
        struct error err = {0};
        CLEANUP_CLOSE int fd = -1;

        assert_int_equal(
            fixture_want(stage.archive, "a.bin", offsets[i], sizeof there, &generation),
            0);
        fd = archive_fd(stage.archive, fixture_index(stage.archive, "a.bin"), generation,
                        &err);
        assert_int_equal(pread(fd, there, sizeof there, (off_t)offsets[i]), sizeof there);
        assert_memory_equal(there, noise + offsets[i], sizeof there);
    }
    assert_true(fixture_has(stage.archive, "a.bin", noise, SIZE));
    stage_close(&stage);
}

/* The object ends early for every request: all threads fail, and it is said why. */
static void failures_of_all_threads_end_it(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(SIZE);
    struct zip_file file = {
        .name = "a.bin", .data = noise, .size = SIZE, .is_stored = true};
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct stage stage;

    (void)state;
    stage_open(&stage, link_new(1, 20 * MB, 900 * MB), 16, &file);
    fault_backend_truncate(stage.fixture.fault, ".zip", 10 * BLOCK);
    assert_int_equal(fixture_want(stage.archive, "a.bin", 0, ARCHIVE_WHOLE, &generation),
                     -EIO);
    fault_backend_clear(stage.fixture.fault);
    assert_true(fixture_has(stage.archive, "a.bin", noise, SIZE)); /* and it goes on */
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_link_decides_on_connections),
        cmocka_unit_test(wishes_jump_ahead),
        cmocka_unit_test(failures_of_all_threads_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
