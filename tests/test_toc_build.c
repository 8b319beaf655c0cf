/* test_toc_build.c: lists in any order become tables, however many and however named. */
#include "tests/test.h"

#include "cache/toc_build.h"
#include "tests/toc_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add(struct toc_build *build, const char *path, enum toc_kind kind)
{
    struct toc_entry entry = {.kind = (uint8_t)kind, .size = 1, .packed_size = 1};
    struct error err = {0};

    if (kind == TOC_FOLDER)
        entry.size = 0;
    return toc_build_add(build, path, strlen(path), &entry, &err);
}

/* Entries in breadth-first order, each folder's children one run, sorted and different.
 */
static void assert_is_a_table(const struct toc *toc)
{
    uint32_t next = 1;

    for (uint32_t i = 0; i < toc_count(toc); i++) {
        const struct toc_entry *entry = toc_entry(toc, i);

        assert_true(entry->child_count == 0 || entry->first_child == next);
        for (uint32_t child = next; child < next + entry->child_count; child++) {
            assert_int_equal(toc_entry(toc, child)->parent, i);
            assert_true(child == next ||
                        strcmp(toc_name(toc, child - 1), toc_name(toc, child)) < 0);
        }
        next += entry->child_count;
    }
    assert_int_equal(next, toc_count(toc));
}

static void any_order_gives_the_same_table(void **state)
{
    static const char *const paths[] = {"a/b/c", "a.b",     "a/b.c",
                                        "a-",    "z/y/x/w", "a/b/d"};
    char digest[TOC_DIGEST_SIZE] = "";

    (void)state;
    for (size_t shift = 0; shift < ARRAY_SIZE(paths); shift++) {
        CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
        struct error err = {0};
        struct toc *toc;

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
            assert_int_equal(
                add(build, paths[(i * 5 + shift) % ARRAY_SIZE(paths)], TOC_FILE), 0);
        assert_int_equal(toc_build_finish(build, &toc, &err), 0);
        assert_int_equal(toc_count(toc), 1 + 6 + 5); /* a a/b z z/y z/y/x */
        assert_is_a_table(toc);
        if (shift)
            assert_string_equal(toc_digest(toc), digest);
        memcpy(digest, toc_digest(toc), sizeof digest);
        toc_free(toc);
    }
}

/* Names that share all but their end, in the worst order. */
static void many_entries_are_no_trouble(void **state)
{
    enum { COUNT = 100000 };
    CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
    struct error err = {0};
    struct toc *toc;
    uint32_t index;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        char path[100];

        snprintf(path, sizeof path, "a/long/folder/name/in/front/%03d/file-%06d",
                 i * 7919 % 1000, i * 7919 % COUNT);
        assert_int_equal(add(build, path, TOC_FILE), 0);
    }
    assert_int_equal(toc_build_finish(build, &toc, &err), 0);
    assert_int_equal(toc_file_count(toc), COUNT);
    assert_int_equal(toc_count(toc), 1 + 6 + 1000 + COUNT);
    assert_int_equal(toc_total_size(toc), COUNT);
    assert_is_a_table(toc);
    assert_int_equal(toc_find(toc, "a/long/folder/name/in/front/042/file-099042", &index),
                     0);
    toc_free(toc);
}

static void clashes_name_the_entry(void **state)
{
    static const struct {
        const char *paths[3];
        const char *sentence;
    } cases[] = {
        {{"a/b", "c", "a/b"},      "entry 'a/b' is there twice"},
        {{"a/b/c", "a/b", "a/b."}, "entry 'a/b' is a file, and"},
        {{"a", "a/b/c/d", "a-"},   "entry 'a' is a file, and"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
        struct error err = {0};
        struct toc *toc = NULL;

        test_row(i, "%s", cases[i].sentence);
        for (size_t k = 0; k < ARRAY_SIZE(cases[i].paths); k++)
            assert_int_equal(add(build, cases[i].paths[k], TOC_FILE), 0);
        assert_int_equal(toc_build_finish(build, &toc, &err), -EBADMSG);
        assert_non_null(strstr(err.message, cases[i].sentence));
        assert_null(toc);
    }
}

/* Few entries can imply many folders: those count, too. */
static void implied_folders_are_limited(void **state)
{
    enum { DEPTH = TOC_DEPTH_MAX, COUNT = TOC_ENTRIES_MAX / (DEPTH - 1) + 1 };
    CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
    struct error err = {0};
    struct toc *toc = NULL;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        char path[2 * DEPTH + 16];
        int size = snprintf(path, sizeof path, "%d", i);

        for (int depth = 1; depth < DEPTH; depth++) {
            path[size++] = '/';
            path[size++] = 'd';
        }
        path[size] = '\0';
        assert_int_equal(add(build, path, TOC_FILE), 0);
    }
    assert_int_equal(toc_build_finish(build, &toc, &err), -EBADMSG);
    assert_non_null(strstr(err.message, "more than 2097152"));
    assert_null(toc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_same_table),
        cmocka_unit_test(many_entries_are_no_trouble),
        cmocka_unit_test(clashes_name_the_entry),
        cmocka_unit_test(implied_folders_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
