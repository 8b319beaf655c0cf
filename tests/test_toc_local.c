/* test_toc_local.c: local headers that agree with the table, and such that lie. */
#include "tests/test.h"

#include "tests/archives.h"
#include "tests/data/archives/cases.h"

#include "cache/toc_local.h"
#include "tests/toc_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void headers_of_good_archives_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good_members); i++) {
        const struct good_member *member = &good_members[i];
        struct toc *toc = archives_toc(member->archive);
        const struct toc_entry *entry;
        struct error err = {0};
        struct bytes data;
        uint32_t index;
        size_t size;

        test_row(i, "%s %.60s", member->archive, member->path);
        archives_load(member->archive, &data);
        assert_int_equal(toc_find(toc, member->path, &index), 0);
        entry = toc_entry(toc, index);
        assert_int_equal(toc_local_check(toc, index, data.data + entry->archive_first,
                                         data.size - entry->archive_first, &size, &err),
                         0);
        assert_true(entry->archive_first + size + entry->packed_size <=
                    entry->archive_last + 1);
        bytes_done(&data);
        toc_free(toc);
    }
}

static void it_says_how_many_bytes_it_takes(void **state)
{
    static const struct {
        size_t given;
        int rc;
        size_t size;
    } cases[] = {
        {0,  1, 30},
        {29, 1, 30},
        {30, 1, 40},
        {39, 1, 40},
        {40, 0, 40},
        {41, 0, 40},
    };
    struct toc *toc = archives_toc("aligned");
    struct bytes data;
    uint32_t index;

    (void)state;
    archives_load("aligned", &data);
    assert_int_equal(toc_find(toc, "b", &index), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t first = toc_entry(toc, index)->archive_first;
        unsigned char *given = malloc(cases[i].given + 1); /* a reach beyond is seen */
        struct error err = {0};
        size_t size = 0;

        test_row(i, "%zu", cases[i].given);
        memcpy(given, data.data + first, cases[i].given);
        given = realloc(given, cases[i].given ? cases[i].given : 1);
        assert_int_equal(toc_local_check(toc, index, given, cases[i].given, &size, &err),
                         cases[i].rc);
        assert_int_equal(size, cases[i].size);
        free(given);
    }
    bytes_done(&data);
    toc_free(toc);
}

/* One byte of the header of "a.txt" in "two" changed. */
static void lies_are_named(void **state)
{
    static const struct {
        size_t at;
        unsigned char value;
        const char *sentence;
    } cases[] = {
        {0,  'Q', "no local header"          },
        {6,  1,   "another flags"            }, /* encrypted */
        {7,  8,   "another flags"            }, /* UTF-8 */
        {8,  0,   "another method"           },
        {14, 0,   "another CRC-32"           },
        {18, 12,  "another size"             }, /* packed */
        {22, 0,   "another size"             },
        {26, 4,   "another name"             },
        {28, 1,   "reaches into what follows"}, /* extra fields */
        {29, 255, "reaches into what follows"},
        {30, 'b', "another name"             },
        {31, '/', "another name"             },
    };
    struct toc *toc = archives_toc("two");
    struct bytes data;
    uint32_t index;

    (void)state;
    archives_load("two", &data);
    assert_int_equal(toc_find(toc, "a.txt", &index), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char before = data.data[cases[i].at];
        struct error err = {0};
        size_t size;

        test_row(i, "byte %zu", cases[i].at);
        data.data[cases[i].at] = (char)cases[i].value;
        assert_int_equal(toc_local_check(toc, index, data.data, data.size, &size, &err),
                         -EIO);
        printf("        %s\n", err.message);
        assert_non_null(strstr(err.message, cases[i].sentence));
        data.data[cases[i].at] = before;
    }
    bytes_done(&data);
    toc_free(toc);
}

/* What may differ: version, time, the bits that tell how hard deflate tried. */
static void what_does_not_matter_may_differ(void **state)
{
    static const size_t places[] = {4, 5, 10, 11, 12, 13};
    struct toc *toc = archives_toc("two");
    struct error err = {0};
    struct bytes data;
    uint32_t index;
    size_t size;

    (void)state;
    archives_load("two", &data);
    assert_int_equal(toc_find(toc, "a.txt", &index), 0);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        data.data[places[i]] ^= 0x55;
    data.data[6] |= 6;
    assert_int_equal(toc_local_check(toc, index, data.data, data.size, &size, &err), 0);
    assert_int_equal(size, 35);
    bytes_done(&data);
    toc_free(toc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_good_archives_agree),
        cmocka_unit_test(it_says_how_many_bytes_it_takes),
        cmocka_unit_test(lies_are_named),
        cmocka_unit_test(what_does_not_matter_may_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
