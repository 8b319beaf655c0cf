#include "tests/test.h"

#include "backends/ini.h"
#include "common/bytes.h"
#include "tests/unescape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 1 << 14 };

static char *next_field(char **rest)
{
    char *field = strsep(rest, "|");

    assert_non_null(field);
    return field;
}

/* "<section>|<key>|<reading>", as tests/data/ini_cases.gen.py writes it. */
static void check_reading(const struct ini *ini, char *line)
{
    const char *section = next_field(&line), *key = next_field(&line);
    const char *expected = next_field(&line);
    CLEANUP_FREE char *value = NULL;
    struct error err = {0};
    int rc;

    unescape((char *)section);
    unescape((char *)key);
    unescape((char *)expected);
    rc = ini_get(ini, section, key, &value, &err);
    if (rc == 1 && value) {
        assert_int_equal(expected[0], '=');
        assert_string_equal(value, expected + 1);
    } else {
        assert_string_equal(rc == 1 ? "none" : rc == 0 ? "absent" : "refused", expected);
        assert_int_equal(err.code, rc < 0 ? EINVAL : 0);
    }
}

static void test_reads_as_python(void **state)
{
    CLEANUP_FCLOSE FILE *file = fopen("tests/data/ini_cases.txt", "re");
    CLEANUP_INI struct ini *ini = NULL;
    static char line[LINE_MAX_SIZE];
    size_t row = 0;
    int rc = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "text ", 5) == 0) {
            struct error err = {0};

            test_row(row++, "%.200s", line);
            ini_free(steal_ptr(&ini));
            rc = ini_parse(line + 7, unescape(line + 7), (unsigned)(line[5] - '0'), &ini,
                           &err);
            assert_int_equal(rc, -err.code);
        } else if (strcmp(line, "refused") == 0) {
            assert_int_equal(rc, -EINVAL);
        } else {
            assert_int_equal(rc, 0);
            check_reading(ini, line + strlen("get "));
        }
    }
    assert_true(row > 900);
}

static const struct {
    const char *text;
    const char *key; /* NULL: parsing fails */
    const char *message;
} failures[] = {
    {"[s]\nsecret\n",            NULL, "line 2: neither a section nor a key"      },
    {"secret = 1\n",             NULL, "line 1: stands before the first [section]"},
    {"[s]\nk = 1\n\nK = 2\n",    NULL, "lines 2 and 4: the same key twice"        },
    {"[s]\n[t]\n[s]\n",          NULL, "lines 1 and 3: the same section twice"    },
    {"[s]\n\nk = secret%secret", "k",
     "line 3: a '%' stands for '%(key)s'; write '%%' for one '%'"                 },
    {"[s]\nk = %(secret)s",      "k",
     "line 2: a '%' stands for '%(key)s', and there is no such key; write '%%' for one "
     "'%'"                                                                        },
    {"[s]\nk = %(k)s",           "k",
     "line 2: a '%' stands for '%(key)s', but not in one another that deep; write '%%' "
     "for "
     "one '%'"                                                                    },
};

static void test_names_the_line_but_not_what_it_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        CLEANUP_INI struct ini *ini = NULL;
        CLEANUP_FREE char *value = NULL;
        struct error err = {0};
        int rc;

        test_row(i, "%s", failures[i].message);
        rc = ini_parse(failures[i].text, strlen(failures[i].text), INI_INTERPOLATE, &ini,
                       &err);
        if (failures[i].key) {
            assert_int_equal(rc, 0);
            rc = ini_get(ini, "s", failures[i].key, &value, &err);
        }
        assert_int_equal(rc, -EINVAL);
        assert_string_equal(err.message, failures[i].message);
    }
}

static void test_sections_in_order(void **state)
{
    static const char text[] = "[b]\nx = 1\n[DEFAULT]\ny = 2\n[a]\n";
    CLEANUP_INI struct ini *ini = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(ini_parse(text, strlen(text), 0, &ini, &err), 0);
    assert_string_equal(ini_section(ini, 0), "b");
    assert_string_equal(ini_section(ini, 1), "a");
    assert_null(ini_section(ini, 2));
}

/* Ten references in each value, ten values deep: 10^10 of them, to nothing. */
static void test_ends_a_bomb(void **state)
{
    CLEANUP_BYTES struct bytes text;
    CLEANUP_INI struct ini *ini = NULL;
    CLEANUP_FREE char *value = NULL;
    struct error err = {0};

    (void)state;
    bytes_init(&text, INI_BYTES_MAX);
    assert_int_equal(bytes_printf(&text, &err, "[s]\na9 =\n"), 0);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(bytes_printf(&text, &err, "a%d = ", i), 0);
        for (int j = 0; j < 10; j++)
            assert_int_equal(bytes_printf(&text, &err, "%%(a%d)s", i + 1), 0);
        assert_int_equal(bytes_printf(&text, &err, "\n"), 0);
    }
    assert_int_equal(ini_parse(text.data, text.size, INI_INTERPOLATE, &ini, &err), 0);
    assert_int_equal(ini_get(ini, "s", "a0", &value, &err), -EINVAL);
    assert_non_null(strstr(err.message, "not for that many"));
}

static void test_limits(void **state)
{
    char *text = malloc(INI_BYTES_MAX + 1);
    struct ini *ini = NULL;
    struct error err = {0};

    (void)state;
    assert_non_null(text);
    memset(text, '\n', INI_BYTES_MAX + 1);
    assert_int_equal(ini_parse(text, INI_BYTES_MAX + 1, 0, &ini, &err), -EFBIG);
    assert_int_equal(ini_parse(text, INI_BYTES_MAX, 0, &ini, &err), 0);
    ini_free(ini);
    text[0] = '\0';
    assert_int_equal(ini_parse(text, 1, 0, &ini, &err), -EINVAL);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_as_python),
        cmocka_unit_test(test_names_the_line_but_not_what_it_holds),
        cmocka_unit_test(test_sections_in_order),
        cmocka_unit_test(test_ends_a_bomb),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
