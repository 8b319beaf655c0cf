/* test_yaml_time.c: which texts are times, how Python prints them, and when they are;
 * expected values are PyYAML's and datetime's. */
#include "tests/test.h"

#include "common/yaml_time.h"

#include <string.h>

static void times(void **state)
{
    static const struct {
        const char *text;
        bool is_one;
        const char *printed; /* NULL: refused */
        int64_t unix_s;
    } cases[] = {
        {"2024-02-29",                    true,  "2024-02-29",                       1709164800  },
        {"2023-02-29",                    true,  NULL,                               0           },
        {"2024-1-2",                      false, NULL,                               0           },
        {"0001-01-01",                    true,  "0001-01-01",                       -62135596800},
        {"9999-12-31",                    true,  "9999-12-31",                       253402214400},
        {"2024-02-29 12:30:00",           true,  "2024-02-29 12:30:00",              1709209800  },
        {"2024-02-29T12:30:00Z",          true,  "2024-02-29 12:30:00+00:00",        1709209800  },
        {"2024-02-29t12:30:00.5+05:30",   true,  "2024-02-29 12:30:00.500000+05:30",
         1709190000                                                                              },
        {"2024-02-29 12:30:00 -8",        true,  "2024-02-29 12:30:00-08:00",        1709238600  },
        {"2024-02-29 24:00:00",           true,  NULL,                               0           },
        {"2024-02-29 1:00:00",            true,  "2024-02-29 01:00:00",              1709168400  },
        {"1969-12-31 23:59:59",           true,  "1969-12-31 23:59:59",              -1          },
        {"2024-02-29 12:30:00.123456789", true,  "2024-02-29 12:30:00.123456",       1709209800  },
        {"2024-02-29 12:30",              false, NULL,                               0           },
        {"24-02-29",                      false, NULL,                               0           },
        {"0000-01-01",                    true,  NULL,                               0           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t size = strlen(cases[i].text);
        char buffer[YAML_TIME_SIZE];
        struct yaml_time time;
        struct error err = {0};
        enum yaml_kind kind;
        int rc;

        test_row(i, "%s", cases[i].text);
        assert_int_equal(yaml_time_is_one(cases[i].text, size), cases[i].is_one);
        if (!cases[i].is_one)
            continue;
        rc = yaml_time_parse(cases[i].text, size, &kind, &time, &err);
        assert_int_equal(rc == 0, cases[i].printed != NULL);
        if (rc < 0)
            continue;
        yaml_time_print(kind, &time, buffer);
        assert_string_equal(buffer, cases[i].printed);
        assert_int_equal(yaml_time_to_unix(&time), cases[i].unix_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
