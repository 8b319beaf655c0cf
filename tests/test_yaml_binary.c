/* test_yaml_binary.c: base 64; expected values are those of Python's base64 module. */
#include "tests/test.h"

#include "common/yaml_binary.h"

#include <errno.h>
#include <string.h>

static void reads(void **state)
{
    static const struct {
        const char *text;
        int rc;
        const char *bytes;
        size_t size;
    } cases[] = {
        {"",                 0,       "",         0},
        {"YQ==",             0,       "a",        1},
        {"YWI=",             0,       "ab",       2},
        {"YWJj",             0,       "abc",      3},
        {"YWJj\012ZGVm\012", 0,       "abcdef",   6},
        {"Y W J j",          0,       "abc",      3},
        {"YWJ",              -EINVAL, NULL,       0},
        {"Y",                -EINVAL, NULL,       0},
        {"YQ",               -EINVAL, NULL,       0},
        {"YQ=",              -EINVAL, NULL,       0},
        {"=",                0,       "",         0},
        {"YQ==YQ==",         0,       "a",        1},
        {"Y-W_J.j",          0,       "abc",      3},
        {"AP8=",             0,       "\000\377", 2},
        {"YQ===",            0,       "a",        1},
        {"*",                0,       "",         0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        bytes_init(&to, 100);
        assert_int_equal(
            yaml_binary_read(cases[i].text, strlen(cases[i].text), &to, &err),
            cases[i].rc);
        if (cases[i].rc < 0)
            continue;
        assert_int_equal(to.size, cases[i].size);
        if (to.size > 0)
            assert_memory_equal(to.data, cases[i].bytes, to.size);
    }
}

#define SIX "eHh4eHh4eHh4eHh4eHh4eHh4"
#define LINE SIX SIX SIX /* but for its last four characters */

static void prints(void **state)
{
    static const struct {
        size_t count; /* of "x" */
        const char *text;
    } cases[] = {
        {0,   ""                         },
        {1,   "eA==\n"                   },
        {2,   "eHg=\n"                   },
        {3,   "eHh4\n"                   },
        {56,  LINE "eHg=\n"              },
        {57,  LINE "eHh4\n"              },
        {58,  LINE "eHh4\neA==\n"        },
        {114, LINE "eHh4\n" LINE "eHh4\n"},
    };
    char data[114];

    (void)state;
    memset(data, 'x', sizeof data);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;
        struct error err = {0};

        test_row(i, "%zu bytes", cases[i].count);
        bytes_init(&to, 1000);
        assert_int_equal(yaml_binary_print(data, cases[i].count, &to, &err), 0);
        assert_int_equal(to.size, strlen(cases[i].text));
        if (to.size > 0)
            assert_memory_equal(to.data, cases[i].text, to.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(prints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
