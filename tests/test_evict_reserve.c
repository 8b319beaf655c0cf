/* test_evict_reserve.c: what is to come is counted, with what others brought. */
#include "tests/test.h"

#include "cache/evict.h"
#include "cache/layout.h"
#include "common/cleanup.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <unistd.h>

enum { SMALL = 1000, LARGE = 400000, ALL = SMALL + LARGE };

static void no_more_is_reserved_than_there_may_be(void **state)
{
    static const struct {
        uint64_t size, bytes;
        int rc;
    } cases[] = {
        {0,    UINT64_MAX, 0      }, /* unlimited */
        {1000, 0,          0      },
        {1000, 1000,       0      },
        {1000, 1001,       -ENOSPC},
        {1000, UINT64_MAX, -ENOSPC},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture fixture;
        struct error err = {0};

        test_row(i, "%ju of %ju", (uintmax_t)cases[i].bytes, (uintmax_t)cases[i].size);
        fixture_open(&fixture, &(struct cache_options){.size = cases[i].size});
        assert_int_equal(evict_reserve(fixture.cache, cases[i].bytes, EVICT_ASKED, &err),
                         cases[i].rc);
        fixture_close(&fixture);
    }
}

/* Both have looked at an empty folder; then one of them fills it. */
static void what_another_process_brought_counts(void **state)
{
    static const struct {
        uint64_t limit; /* of the one that fills it */
        uint64_t bytes; /* that the other one, with a limit of ALL, is to bring */
        bool stays;     /* what was brought */
    } cases[] = {
        {ALL, SMALL, true },
        {ALL, LARGE, false},
        {0,   SMALL, true },
        {0,   LARGE, false},
    };
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct zip_file file = {.name = "b", .data = noise, .size = LARGE};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *trees = layout_trees(FIXTURE_ID, FIXTURE_VERSION);
        struct cache_options options = {.size = ALL};
        struct fixture fixture;
        struct archive *archive;
        struct error err = {0};
        struct cache *other;

        test_row(i, "%ju beside %ju", (uintmax_t)cases[i].bytes,
                 (uintmax_t)cases[i].limit);
        fixture_open(&fixture, &(struct cache_options){.size = cases[i].limit});
        options.root = fixture.root;
        assert_int_equal(cache_open(&options, &other, &err), 0);
        assert_int_equal(evict_reserve(other, 0, EVICT_ASKED, &err), 0);
        fixture_publish(&fixture, &file, 1);
        archive = fixture_archive(&fixture);
        assert_true(fixture_has(archive, "b", noise, LARGE));
        archive_unref(archive);
        assert_int_equal(evict_reserve(other, cases[i].bytes, EVICT_ASKED, &err), 0);
        assert_int_equal(access(fixture_path(&fixture, trees), F_OK), 0);
        assert_int_equal(rmdir(fixture_path(&fixture, trees)),
                         cases[i].stays ? -1 : 0); /* it is empty */
        cache_close(other);
        fixture_close(&fixture);
    }
}

/* Where room was looked for in vain, who asked for nothing does not look again. */
static void what_nobody_asked_for_looks_once(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct zip_file file = {.name = "a", .data = noise, .size = LARGE};
    struct cache *cache;
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.size = ALL, .stall_ms = 600000});
    fixture_publish(&fixture, &file, 1);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "a", noise, LARGE));
    archive_unref(archive);
    fixture_reopen(&fixture); /* nothing is under way any more */
    cache = fixture.cache;
    archive = fixture_archive(&fixture);
    assert_false(evict_was_in_vain(cache));
    assert_int_equal(evict_reserve(cache, LARGE, EVICT_UNASKED, &err), -ENOSPC);
    assert_true(evict_was_in_vain(cache));
    archive_unref(archive); /* now it could go */
    assert_int_equal(evict_reserve(cache, LARGE, EVICT_UNASKED, &err), -ENOSPC);
    assert_int_equal(evict_make_room(cache, 1, EVICT_UNASKED, &err), -ENOSPC);
    assert_int_equal(evict_reserve(cache, SMALL, EVICT_UNASKED, &err), 0); /* fits */
    assert_int_equal(evict_reserve(cache, LARGE, EVICT_ASKED, &err), 0);
    assert_false(evict_was_in_vain(cache));
    assert_int_equal(evict_reserve(cache, LARGE, EVICT_UNASKED, &err), 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_is_reserved_than_there_may_be),
        cmocka_unit_test(what_another_process_brought_counts),
        cmocka_unit_test(what_nobody_asked_for_looks_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
