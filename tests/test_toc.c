/* test_toc.c: looking things up in a table. */
#include "tests/test.h"

#include "tests/archives.h"
#include "tests/toc_find.h"

#include <errno.h>
#include <string.h>

/* From what make.py put into "order-of-bytes"; the order is that of bytes. */
static const char *const paths[] = {
    "", "B", "a", "a b", "a-b", "a.b", "a0", "b", "b.x", "a/X", "a/x", "b/a", "b.x/y",
};

static void entries_stand_in_breadth_first_order(void **state)
{
    struct toc *toc = archives_toc("order-of-bytes");

    (void)state;
    assert_int_equal(toc_count(toc), ARRAY_SIZE(paths));
    assert_int_equal(toc_file_count(toc), 9);
    for (uint32_t i = 0; i < ARRAY_SIZE(paths); i++) {
        const char *slash = strrchr(paths[i], '/');
        char path[TOC_PATH_MAX + 1];
        uint32_t index = 99;

        test_row(i, "%s", paths[i]);
        toc_path(toc, i, path);
        assert_string_equal(path, paths[i]);
        assert_int_equal(toc_find(toc, paths[i], &index), 0);
        assert_int_equal(index, i);
        assert_string_equal(toc_name(toc, i), slash ? slash + 1 : paths[i]);
        if (i == 0)
            continue;
        assert_int_equal(
            toc_child(toc, toc_entry(toc, i)->parent, toc_name(toc, i), &index), 0);
        assert_int_equal(index, i);
    }
    toc_free(toc);
}

static void what_is_not_there_is_not_found(void **state)
{
    static const char *const missing[] = {
        "/",   "a/",   "/a",    "a//X", "b/",   "c",     "A",  "a/Y",
        "B/x", "a.b/", "a/x/y", "b/a/", "b.x/", "b.x//", "..", ".",
    };
    struct toc *toc = archives_toc("order-of-bytes");
    uint32_t index;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
        test_row(i, "%s", missing[i]);
        assert_int_equal(toc_find(toc, missing[i], &index), -ENOENT);
    }
    index = 99;
    assert_int_equal(toc_child(toc, 1, "x", &index), -ENOENT); /* "B" is a file */
    assert_int_equal(toc_child(toc, 0, "", &index), -ENOENT);
    assert_int_equal(toc_child(toc, 0, "a/x", &index), -ENOENT);
    assert_int_equal(index, 99);
    toc_free(toc);
}

static void an_empty_archive_is_an_empty_folder(void **state)
{
    struct toc *toc = archives_toc("empty");
    uint32_t index = 99;
    char path[TOC_PATH_MAX + 1];

    (void)state;
    assert_int_equal(toc_count(toc), 1);
    assert_int_equal(toc_file_count(toc), 0);
    assert_int_equal(toc_total_size(toc), 0);
    assert_int_equal(toc_entry(toc, 0)->kind, TOC_FOLDER);
    assert_int_equal(toc_entry(toc, 0)->child_count, 0);
    assert_int_equal(toc_find(toc, "", &index), 0);
    assert_int_equal(index, 0);
    toc_path(toc, 0, path);
    assert_string_equal(path, "");
    toc_free(toc);
    toc_free(NULL);
}

static void folders_are_the_same_named_or_implied(void **state)
{
    struct toc *named = archives_toc("folder-after-its-file");
    uint32_t index;

    (void)state;
    assert_int_equal(toc_count(named), 3);
    assert_int_equal(toc_find(named, "x", &index), 0);
    assert_int_equal(toc_entry(named, index)->kind, TOC_FOLDER);
    assert_int_equal(toc_entry(named, index)->child_count, 1);
    assert_int_equal(toc_entry(named, index)->mtime_s, 0);
    toc_free(named);
}

static void the_longest_path_fits(void **state)
{
    static const char *const archives[] = {"path-of-4095", "depth-of-256"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(archives); i++) {
        struct toc *toc = archives_toc(archives[i]);
        char path[TOC_PATH_MAX + 1];
        uint32_t index = 0;

        test_row(i, "%s", archives[i]);
        toc_path(toc, toc_count(toc) - 1, path);
        assert_int_equal(strlen(path), i == 0 ? TOC_PATH_MAX : 2 * TOC_DEPTH_MAX - 1);
        assert_int_equal(toc_find(toc, path, &index), 0);
        assert_int_equal(index, toc_count(toc) - 1);
        toc_free(toc);
    }
}

static void digests_name_the_content(void **state)
{
    struct toc *two = archives_toc("two"), *again = archives_toc("two");
    struct toc *comment = archives_toc("comment"), *other = archives_toc("descriptor");

    (void)state;
    assert_int_equal(strlen(toc_digest(two)), TOC_DIGEST_SIZE - 1);
    assert_string_equal(toc_digest(two), toc_digest(again));
    assert_string_equal(toc_digest(two), toc_digest(comment)); /* no part of the table */
    assert_string_not_equal(toc_digest(two), toc_digest(other));
    assert_int_equal(toc_total_size(two), 240 + 768);
    toc_free(two);
    toc_free(again);
    toc_free(comment);
    toc_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_stand_in_breadth_first_order),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(an_empty_archive_is_an_empty_folder),
        cmocka_unit_test(folders_are_the_same_named_or_implied),
        cmocka_unit_test(the_longest_path_fits),
        cmocka_unit_test(digests_name_the_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
