/* test_receive_local.c: members of an archive on this machine, packed and stored, as a
 * whole and in pieces. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "tests/fakes/place.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { MIB_BYTES = 1 << 20, LARGE = 30 * MIB_BYTES };

static const struct {
    const char *what;
    size_t size;
    uint64_t hold;
    bool is_stored;
} cases[] = {
    {"nothing, stored",            0,             0,    true },
    {"nothing, deflated",          0,             0,    false},
    {"small, deflated",            500,           0,    false},
    {"small, stored",              500,           0,    true },
    {"whole in memory",            5 * MIB_BYTES, 0,    false},
    {"too large for that",         LARGE,         0,    false},
    {"streamed, deflated",         3 * MIB_BYTES, 1000, false},
    {"held, stored, by block",     3 * MIB_BYTES, 0,    true },
    {"streamed, stored, by block", LARGE + 17,    1000, true },
};

static void all_kinds_come_as_they_are(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE + 17);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct zip_file files[] = {
            {.name = "a.txt", .data = "hello", .size = 5     },
            {.name = "b.bin",
             .data = noise,
             .size = cases[i].size,
             .is_stored = cases[i].is_stored},
            {.name = "c.txt",               .data = "world",                .size = 5},
        };
        struct place place;
        struct archive *archive;

        test_row(i, "%s", cases[i].what);
        place_open(&place, PLACE_LOCAL, &(struct cache_options){.hold = cases[i].hold});
        fixture_publish(&place.fixture, files, ARRAY_SIZE(files));
        archive = fixture_archive(&place.fixture);
        assert_true(fixture_has(archive, "b.bin", noise, cases[i].size));
        /* Nothing comes along with what is read alone. */
        assert_int_equal(archive_cached_bytes(archive), cases[i].size);
        archive_unref(archive);
        place_close(&place);
    }
}

static void what_is_damaged_is_found_out(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE + 17);

    (void)state;
    for (size_t i = 2; i < ARRAY_SIZE(cases); i++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct zip_file file = {.name = "b.bin",
                                .data = noise,
                                .size = cases[i].size,
                                .is_stored = cases[i].is_stored,
                                .has_wrong_crc = true};
        struct place place;
        struct archive *archive;

        test_row(i, "%s", cases[i].what);
        place_open(&place, PLACE_LOCAL, &(struct cache_options){.hold = cases[i].hold});
        fixture_publish(&place.fixture, &file, 1);
        archive = fixture_archive(&place.fixture);
        assert_int_equal(fixture_want(archive, "b.bin", 0, ARCHIVE_WHOLE, &generation),
                         -EIO);
        assert_int_equal(archive_cached_bytes(archive), 0);
        assert_int_equal(
            access(fixture_tree_path(&place.fixture, archive, "files/b.bin"), F_OK), -1);
        archive_unref(archive);
        place_close(&place);
    }
}

static void an_archive_that_changes_is_stale(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE + 17);

    (void)state;
    for (size_t i = 2; i < ARRAY_SIZE(cases); i++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct zip_file file = {.name = "b.bin",
                                .data = noise,
                                .size = cases[i].size,
                                .is_stored = cases[i].is_stored};
        struct place place;
        struct archive *archive;
        int fd;

        test_row(i, "%s", cases[i].what);
        place_open(&place, PLACE_LOCAL, &(struct cache_options){.hold = cases[i].hold});
        fixture_publish(&place.fixture, &file, 1);
        archive = fixture_archive(&place.fixture);
        fd = place_open_archive(&place);
        assert_int_equal(pwrite(fd, "?", 1, 100), 1);
        assert_int_equal(ftruncate(fd, 200), 0);
        close(fd);
        assert_int_equal(fixture_want(archive, "b.bin", 0, ARCHIVE_WHOLE, &generation),
                         -ESTALE);
        archive_unref(archive);
        place_close(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_come_as_they_are),
        cmocka_unit_test(what_is_damaged_is_found_out),
        cmocka_unit_test(an_archive_that_changes_is_stale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
