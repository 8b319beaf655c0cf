/* test_pyfloat.c: Python's float repr and reading; expected values are Python's own. */
#include "tests/test.h"

#include "common/pyfloat.h"

#include <float.h>
#include <math.h>

static void repr_is_python_s(void **state)
{
    static const struct {
        double value;
        const char *repr;
    } cases[] = {
        {0.0,                      "0.0"                     },
        {-0.0,                     "-0.0"                    },
        {1.0,                      "1.0"                     },
        {-1.5,                     "-1.5"                    },
        {0.1,                      "0.1"                     },
        {0.1 + 0.2,                "0.30000000000000004"     },
        {100.0,                    "100.0"                   },
        {123456.789,               "123456.789"              },
        {0.0001,                   "0.0001"                  },
        {0.00012345,               "0.00012345"              },
        {0.00001,                  "1e-05"                   },
        {1.5e-7,                   "1.5e-07"                 },
        {1e15,                     "1000000000000000.0"      },
        {9999999999999998.0,       "9999999999999998.0"      },
        {1e16,                     "1e+16"                   },
        {12345678901234567.0,      "1.2345678901234568e+16"  },
        {1e22,                     "1e+22"                   },
        {1e23,                     "1e+23"                   },
        {1e100,                    "1e+100"                  },
        {5e-324,                   "5e-324"                  },
        {1e-323,                   "1e-323"                  },
        {DBL_MIN,                  "2.2250738585072014e-308" },
        {DBL_MAX,                  "1.7976931348623157e+308" },
        {0x1p-44,                  "5.684341886080802e-14"   },
        {0x1p-1074,                "5e-324"                  },
        {0x1p-1022,                "2.2250738585072014e-308" },
        {9007199254740993.0,       "9007199254740992.0"      },
        {3.141592653589793,        "3.141592653589793"       },
        {2.0 / 3.0,                "0.6666666666666666"      },
        {(double)INFINITY,         "inf"                     },
        {-(double)INFINITY,        "-inf"                    },
        {(double)NAN,              "nan"                     },
        {-(double)NAN,             "nan"                     },
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
    };
    char text[PYFLOAT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].repr);
        pyfloat_repr(cases[i].value, text, sizeof text);
        assert_string_equal(text, cases[i].repr);
    }
}

static void repr_is_cut_to_the_buffer(void **state)
{
    char text[4] = "";

    (void)state;
    pyfloat_repr(123.25, text, sizeof text);
    assert_string_equal(text, "123");
}

/* Every power of two is a border case: the gaps around it differ. */
static void what_repr_writes_reads_back(void **state)
{
    char text[PYFLOAT_SIZE];

    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double value = ldexp(1, exponent);
        double values[] = {value, nextafter(value, 0), nextafter(value, INFINITY)};

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            pyfloat_repr(values[i], text, sizeof text);
            assert_true(pyfloat_read(text) == values[i]);
        }
    }
}

static void read_is_python_s(void **state)
{
    (void)state;
    assert_true(pyfloat_read("1.0e+400") == (double)INFINITY);
    assert_true(pyfloat_read("1e-400") == 0);
    assert_true(pyfloat_read("5e-324") == 0x1p-1074);
    assert_true(pyfloat_read("1.") == 1);
    assert_true(pyfloat_read(".5") == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repr_is_python_s),
        cmocka_unit_test(repr_is_cut_to_the_buffer),
        cmocka_unit_test(what_repr_writes_reads_back),
        cmocka_unit_test(read_is_python_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
