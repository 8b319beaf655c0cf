/* test_toc_name.c: the bytes of names and what they mean; archives with bad names are in
 * test_toc_parse.c. */
#include "tests/test.h"

#include "cache/toc_name.h"

#include <errno.h>
#include <string.h>

static void names_are_decoded_as_their_flags_say(void **state)
{
    static const struct {
        const char *raw;
        uint16_t flags;
        const char *name; /* NULL: refused */
    } cases[] = {
        {"plain.txt",          0,          "plain.txt"                 },
        {"plain.txt",          0x800,      "plain.txt"                 },
        {"gr\xc3\xbc\xc3\x9f", 0x800,      "gr\xc3\xbc\xc3\x9f"        },
        {"gr\x81\xe1",         0,          "gr\xc3\xbc\xc3\x9f"        }, /* CP437 */
        {"\xb0\xff",           0,          "\xe2\x96\x91\xc2\xa0"      },
        {"gr\xc3\xbc",         0,          "gr\xe2\x94\x9c\xe2\x95\x9d"},
        {"gr\x81",             0x800,      NULL                        },
        {"gr\x81",             0x0800 | 1, NULL                        },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char buffer[TOC_NAME_BUFFER];
        struct error err = {0};
        size_t size = 0;
        int rc = toc_name_decode(cases[i].raw, strlen(cases[i].raw), cases[i].flags,
                                 buffer, &size, &err);

        test_row(i, "%s", cases[i].name ? cases[i].name : "refused");
        assert_int_equal(rc, cases[i].name ? 0 : -EBADMSG);
        if (!cases[i].name)
            continue;
        assert_int_equal(size, strlen(cases[i].name));
        assert_memory_equal(buffer, cases[i].name, size);
    }
}

static void the_longest_raw_name_fits_the_buffer(void **state)
{
    char raw[TOC_NAME_RAW_MAX + 1], buffer[TOC_NAME_BUFFER];
    struct error err = {0};
    size_t size = 0;

    (void)state;
    memset(raw, 0xb0, sizeof raw); /* three bytes each */
    assert_int_equal(toc_name_decode(raw, TOC_NAME_RAW_MAX, 0, buffer, &size, &err), 0);
    assert_int_equal(size, TOC_NAME_BUFFER);
    assert_int_equal(toc_name_decode(raw, sizeof raw, 0, buffer, &size, &err), -EBADMSG);
}

static void only_safe_names_are_safe(void **state)
{
    static const struct {
        const char *name;
        size_t size;
        bool is_safe;
    } cases[] = {
        {"a",    1, true },
        {"...",  3, true },
        {".a",   2, true },
        {"..a",  3, true },
        {" ",    1, true },
        {"\n",   1, true },
        {"-",    1, true },
        {"",     0, false},
        {".",    1, false},
        {"..",   2, false},
        {"a/b",  3, false},
        {"/",    1, false},
        {"a\\",  2, true },
        {"a\0b", 3, false},
        {"\0",   1, false},
    };
    char name[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].name);
        assert_int_equal(toc_name_is_safe(cases[i].name, cases[i].size),
                         cases[i].is_safe);
    }
    memset(name, 'n', sizeof name);
    assert_true(toc_name_is_safe(name, 255));
    assert_false(toc_name_is_safe(name, 256));
}

static void messages_stay_printable_and_short(void **state)
{
    char buffer[128], raw[1000];

    (void)state;
    assert_string_equal(toc_name_print("a\x1b[31m\n\0b\x7f", 9, buffer), "a?[31m??b");
    assert_string_equal(toc_name_print("gr\xc3\xbc", 4, buffer), "gr\xc3\xbc");
    assert_string_equal(toc_name_print("gr\x81", 3, buffer), "gr?");
    memset(raw, 'x', sizeof raw);
    assert_int_equal(strlen(toc_name_print(raw, sizeof raw, buffer)), 127);
    assert_string_equal(toc_name_print(NULL, 0, buffer), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_decoded_as_their_flags_say),
        cmocka_unit_test(the_longest_raw_name_fits_the_buffer),
        cmocka_unit_test(only_safe_names_are_safe),
        cmocka_unit_test(messages_stay_printable_and_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
