/* test_yaml_number.c: which texts are numbers, and their values; expected ones are
 * PyYAML's (FullLoader). */
#include "tests/test.h"

#include "common/yaml_number.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *text;
    bool is_int, is_float;
    const char *digits; /* NULL: refused */
    double value;
} cases[] = {
    {"0",                          true,  false, "0",                          0        },
    {"1",                          true,  false, "1",                          0        },
    {"-1",                         true,  false, "-1",                         0        },
    {"+12",                        true,  false, "12",                         0        },
    {"007",                        true,  false, "7",                          0        },
    {"0o17",                       false, false, NULL,                         0        },
    {"08",                         false, false, NULL,                         0        },
    {"0x1F",                       true,  false, "31",                         0        },
    {"0X1f",                       false, false, NULL,                         0        },
    {"-0xff",                      true,  false, "-255",                       0        },
    {"0b101",                      true,  false, "5",                          0        },
    {"0b",                         false, false, NULL,                         0        },
    {"0x",                         false, false, NULL,                         0        },
    {"_1",                         false, false, NULL,                         0        },
    {"1_000",                      true,  false, "1000",                       0        },
    {"1__0",                       true,  false, "10",                         0        },
    {"1:30",                       true,  false, "90",                         0        },
    {"1:30:00",                    true,  false, "5400",                       0        },
    {"-1:60",                      false, false, NULL,                         0        },
    {"190:20:30",                  true,  false, "685230",                     0        },
    {"1e5",                        false, false, NULL,                         0        },
    {"1.5",                        false, true,  NULL,                         1.5      },
    {"1.5e3",                      false, false, NULL,                         0        },
    {"1.5e+3",                     false, true,  NULL,                         1500.0   },
    {"-.5",                        false, false, NULL,                         0        },
    {".",                          false, false, NULL,                         0        },
    {".inf",                       false, true,  NULL,                         INFINITY },
    {"-.INF",                      false, true,  NULL,                         -INFINITY},
    {".nan",                       false, true,  NULL,                         NAN      },
    {"+.nan",                      false, false, NULL,                         0        },
    {"1.",                         false, true,  NULL,                         1.0      },
    {"1.e+1",                      false, true,  NULL,                         10.0     },
    {"1:30.5",                     false, true,  NULL,                         90.5     },
    {"99999999999999999999999999", true,  false, "99999999999999999999999999", 0        },
    {"-0",                         true,  false, "0",                          0        },
    {"+",                          false, false, NULL,                         0        },
};

static void numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t size = strlen(cases[i].text);
        CLEANUP_BYTES struct bytes digits;
        struct error err = {0};
        double value = 7;

        test_row(i, "%s", cases[i].text);
        bytes_init(&digits, 100);
        assert_int_equal(yaml_number_is_int(cases[i].text, size), cases[i].is_int);
        assert_int_equal(yaml_number_is_float(cases[i].text, size), cases[i].is_float);
        if (cases[i].digits) {
            assert_int_equal(yaml_number_read_int(cases[i].text, size, &digits, &err), 0);
            assert_string_equal(digits.data, cases[i].digits);
        } else if (cases[i].is_int) {
            assert_true(yaml_number_read_int(cases[i].text, size, &digits, &err) < 0);
        }
        if (!cases[i].is_float)
            continue;
        assert_int_equal(yaml_number_read_float(cases[i].text, size, &value, &err), 0);
        assert_true(isnan(cases[i].value) ? isnan(value) : value == cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
