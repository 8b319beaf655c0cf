/* test_toc_parse.c: good archives as zipfile reads them, hostile ones refused. */
#include "tests/test.h"

#include "tests/archives.h"
#include "tests/data/archives/cases.h"

#include "cache/toc_build.h"
#include "tests/toc_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void members_are_what_zipfile_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good_members); i++) {
        const struct good_member *expected = &good_members[i];
        struct toc *toc = archives_toc(expected->archive);
        const struct toc_entry *entry;
        uint32_t index;

        test_row(i, "%s %.60s", expected->archive, expected->path);
        assert_int_equal(toc_find(toc, expected->path, &index), 0);
        entry = toc_entry(toc, index);
        assert_int_equal(entry->kind, TOC_FILE);
        assert_int_equal(entry->size, expected->size);
        assert_int_equal(entry->packed_size, expected->packed_size);
        assert_int_equal(entry->archive_first, expected->first);
        assert_int_equal(entry->crc32, expected->crc32);
        assert_int_equal(entry->flags, expected->flags);
        assert_int_equal(entry->method,
                         expected->method < 0 ? TOC_UNSUPPORTED : expected->method);
        assert_int_equal(entry->mtime_s, expected->mtime_s);
        assert_int_equal(entry->execute_bits, expected->execute_bits);
        toc_free(toc);
    }
}

static void archives_have_the_files_that_zipfile_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good_archives); i++) {
        struct toc *toc;

        test_row(i, "%s", good_archives[i].archive);
        toc = archives_toc(good_archives[i].archive);
        assert_int_equal(toc_file_count(toc), good_archives[i].files);
        toc_free(toc);
    }
}

static void hostile_archives_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(hostile_archives); i++) {
        struct error err = {0};
        struct toc *toc = NULL;
        struct bytes data;

        archives_load(hostile_archives[i].archive, &data);
        test_row(i, "%s", hostile_archives[i].archive);
        assert_int_equal(archives_parse(data.data, data.size, &toc, &err), -EBADMSG);
        printf("        %s\n", err.message);
        assert_non_null(strstr(err.message, hostile_archives[i].sentence));
        assert_null(toc);
        bytes_done(&data);
    }
}

static void a_cut_archive_is_refused_wherever_it_is_cut(void **state)
{
    static const char *const names[] = {"two", "zip64-end", "comment", "folders"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct bytes data;

        archives_load(names[i], &data);
        test_row(i, "%s", names[i]);
        for (size_t size = 0; size < data.size; size++) {
            struct error err = {0};
            struct toc *toc = NULL;

            assert_int_equal(archives_parse(data.data, size, &toc, &err), -EBADMSG);
            assert_int_equal(
                archives_parse(data.data + data.size - size, size, &toc, &err), -EBADMSG);
        }
        bytes_done(&data);
    }
}

/* Members end where they can end at the latest: before the next one, and never further
 * than extra fields and a descriptor reach. */
static void members_have_their_stretch_of_the_archive(void **state)
{
    static const struct {
        const char *archive, *path;
        uint64_t last;
    } cases[] = {
        {"two",                  "a.txt",     45 },
        {"two",                  "log/b.bin", 852},
        {"not-in-order",         "a.txt",     45 },
        {"descriptor",           "a",         57 },
        {"aligned",              "a",         272},
        {"gap-before-directory", "log/b.bin", 952},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct toc *toc = archives_toc(cases[i].archive);
        uint32_t index;

        test_row(i, "%s %s", cases[i].archive, cases[i].path);
        assert_int_equal(toc_find(toc, cases[i].path, &index), 0);
        assert_int_equal(toc_entry(toc, index)->archive_last, cases[i].last);
        toc_free(toc);
    }
}

static void a_size_past_the_limits_is_refused(void **state)
{
    struct error err = {0};
    struct toc_end end;
    struct bytes data;

    (void)state;
    archives_load("empty", &data);
    assert_int_equal(
        toc_parse_end(data.data, data.size, TOC_PARSE_ARCHIVE_MAX + 1, &end, &err),
        -EBADMSG);
    assert_non_null(strstr(err.message, "more than an archive may have"));
    bytes_done(&data);
}

/* A comment that pushes the end record out of the tail. */
static void a_comment_longer_than_the_tail_is_refused(void **state)
{
    size_t size = 22 + 65535;
    char *data = calloc(1, size);
    struct error err = {0};
    struct toc *toc = NULL;

    (void)state;
    memcpy(data, "PK\5\6", 4);
    memset(data + 20, 0xff, 2);
    assert_int_equal(archives_parse(data, size, &toc, &err), -EBADMSG);
    assert_non_null(strstr(err.message, "no end record in the last 65536 bytes"));
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_what_zipfile_reads),
        cmocka_unit_test(archives_have_the_files_that_zipfile_lists),
        cmocka_unit_test(hostile_archives_are_refused_with_a_reason),
        cmocka_unit_test(a_cut_archive_is_refused_wherever_it_is_cut),
        cmocka_unit_test(members_have_their_stretch_of_the_archive),
        cmocka_unit_test(a_size_past_the_limits_is_refused),
        cmocka_unit_test(a_comment_longer_than_the_tail_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
