/* test_pyrepr.c: Python's repr of YAML; expected values are PyYAML's and Python's own. */
#include "tests/test.h"

#include "common/yaml.h"
#include "resolver/pyrepr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef int print(const struct yaml_node *node, struct bytes *to, struct error *err);

static int print_yaml(print *print_it, const char *text, struct bytes *to,
                      struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    int rc = yaml_parse(text, strlen(text), &yaml, err);

    assert_int_equal(rc, 0);
    return print_it(yaml_root(yaml), to, err);
}

struct repr_case {
    const char *yaml;
    const char *repr;
};

static void check(print *print_it, const struct repr_case *cases, size_t count)
{
    struct error err = {0};

    for (size_t i = 0; i < count; i++) {
        CLEANUP_BYTES struct bytes to;

        test_row(i, "%s", cases[i].yaml);
        bytes_init(&to, 4096);
        assert_int_equal(print_yaml(print_it, cases[i].yaml, &to, &err), 0);
        assert_string_equal(to.data, cases[i].repr);
    }
}

static const struct repr_case python_prints[] = {
    {"~",                                                     "None"                                          },
    {"yes",                                                   "True"                                          },
    {"no",                                                    "False"                                         },
    {"0",                                                     "0"                                             },
    {"-12",                                                   "-12"                                           },
    {"0x1F",                                                  "31"                                            },
    {"123456789012345678901234567890",                        "123456789012345678901234567890"                },
    {"-99999999999999999999",                                 "-99999999999999999999"                         },
    {"1.5",                                                   "1.5"                                           },
    {"1.0e+16",                                               "1e+16"                                         },
    {"1.0e-05",                                               "1e-05"                                         },
    {"-0.0",                                                  "-0.0"                                          },
    {".inf",                                                  "inf"                                           },
    {"-.inf",                                                 "-inf"                                          },
    {".nan",                                                  "nan"                                           },
    {"text",                                                  "'text'"                                        },
    {"''",                                                    "''"                                            },
    {"\"it's\"",                                              "\"it's\""                                      },
    {"'say \"x\"'",                                           "'say \"x\"'"                                   },
    {"\"it's \\\"x\\\"\"",                                    "'it\\'s \"x\"'"                                },
    {"\"a\\\\b\"",                                            "'a\\\\b'"                                      },
    {"\"\\n\\r\\t\\0\\a\\e\\x7f\"",                           "'\\n\\r\\t\\x00\\x07\\x1b\\x7f'"               },
    {"\"\\x80\\xa0\\xad\\xff\"",                              "'\\x80\\xa0\\xad\xc3\xbf'"                     },
    {"\"\\u0378\\u4e2d\\ufeff\\u2028\\u3000\\ue000\\uffff\"",
     "'\\u0378\xe4\xb8\xad\\ufeff\\u2028\\u3000\\ue000\\uffff'"                                               },
    {"\"\\U0001F600\\U000E0001\\U0010FFFF\"",                 "'\xf0\x9f\x98\x80\\U000e0001\\U0010ffff'"      },
    {"\"\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80\"",
     "'\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80'"                                                                 },
    {"\"tab\\there\"",                                        "'tab\\there'"                                  },
    {"[]",                                                    "[]"                                            },
    {"[a]",                                                   "['a']"                                         },
    {"[1, [2, []], {}]",                                      "[1, [2, []], {}]"                              },
    {"{}",                                                    "{}"                                            },
    {"{b: 1, a: {d: 2, c: 3}}",                               "{'b': 1, 'a': {'d': 2, 'c': 3}}"               },
    {"{1: a, yes: b, 2.5: c, ~: d, 2020-02-02: e}",
     "{1: 'b', 2.5: 'c', None: 'd', datetime.date(2020, 2, 2): 'e'}"                                          },
    {"!!python/tuple []",                                     "()"                                            },
    {"!!python/tuple [1]",                                    "(1,)"                                          },
    {"!!python/tuple [1, a]",                                 "(1, 'a')"                                      },
    {"? !!python/tuple [1, 2]\n: x",                          "{(1, 2): 'x'}"                                 },
    {"!!set {}",                                              "set()"                                         },
    {"!!set {a}",                                             "{'a'}"                                         },
    {"!!set {7}",                                             "{7}"                                           },
    {"!!binary ''",                                           "b''"                                           },
    {"!!binary AP9hYmM=",                                     "b'\\x00\\xffabc'"                              },
    {"!!binary Jw==",                                         "b\"'\""                                        },
    {"!!binary JyI=",                                         "b'\\'\"'"                                      },
    {"!!binary XAkKDQ==",                                     "b'\\\\\\t\\n\\r'"                              },
    {"!!binary gH8g",                                         "b'\\x80\\x7f '"                                },
    {"2024-01-02",                                            "datetime.date(2024, 1, 2)"                     },
    {"2024-01-02 03:04:00",                                   "datetime.datetime(2024, 1, 2, 3, 4)"           },
    {"2024-01-02 03:04:05",                                   "datetime.datetime(2024, 1, 2, 3, 4, 5)"        },
    {"2024-01-02 03:04:05.25",                                "datetime.datetime(2024, 1, 2, 3, 4, 5, 250000)"},
    {"2024-01-02 03:04:00.000007",                            "datetime.datetime(2024, 1, 2, 3, 4, 0, 7)"     },
    {"2024-01-02T03:04:05Z",
     "datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)"                                   },
    {"2024-01-02 03:04:00Z",
     "datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)"                                      },
    {"2024-01-02 03:04:05+05:30",
     "datetime.datetime(2024, 1, 2, 3, 4, 5, "
     "tzinfo=datetime.timezone(datetime.timedelta(seconds=19800)))"                                           },
    {"2024-01-02 03:04:05-05:30",
     "datetime.datetime(2024, 1, 2, 3, 4, 5, "
     "tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=66600)))"                                  },
    {"2024-01-02 03:04:05 -0:01",
     "datetime.datetime(2024, 1, 2, 3, 4, 5, "
     "tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=86340)))"                                  },
    {"2024-01-02 03:04:05 +00:00",
     "datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)"                                   },
    {"2024-01-02 00:00:00",                                   "datetime.datetime(2024, 1, 2, 0, 0)"           },
    {"[&a [1], *a]",                                          "[[1], [1]]"                                    },
    {"{a: &m {x: 1}, b: *m}",                                 "{'a': {'x': 1}, 'b': {'x': 1}}"                },
};

static void prints_as_python(void **state)
{
    (void)state;
    check(pyrepr_print, python_prints, ARRAY_SIZE(python_prints));
}

static const struct repr_case python_sorts[] = {
    {"~",                                                        "{}"                                          },
    {"{}",                                                       "{}"                                          },
    {"{b: 1, a: 2}",                                             "{'a': 2, 'b': 1}"                            },
    {"{B: 1, a: 2, A: 3, '': 4}",                                "{'': 4, 'A': 3, 'B': 1, 'a': 2}"             },
    {"{a: {z: 1, y: 2}}",                                        "{'a': {'z': 1, 'y': 2}}"                     },
    {"{10: a, 9: b, -1: c, 1.5: d, yes: e}",
     "{-1: 'c', True: 'e', 1.5: 'd', 9: 'b', 10: 'a'}"                                                         },
    {"{100000000000000000000: a, 99999999999999999999: b, -100000000000000000000: c, "
     "-99999999999999999999: d}",                           "{-100000000000000000000: 'c', -99999999999999999999: 'd', "
     "99999999999999999999: 'b', 100000000000000000000: 'a'}"            },
    {"{\"\\uFFFF\": 1, \"\\U00010000\": 2, \"\\xE9\": 3, z: 4}",
     "{'z': 4, '\xc3\xa9': 3, '\\uffff': 1, '\xf0\x90\x80\x80': 2}"                                            },
    {"{2024-03-01: a, 2024-02-29: b, 2023-12-31: c}",
     "{datetime.date(2023, 12, 31): 'c', datetime.date(2024, 2, 29): 'b', "
     "datetime.date(2024, 3, 1): 'a'}"                                                                         },
    {"{2024-01-01 00:30:00+01:00: a, 2024-01-01 00:00:00Z: b, 2024-01-01 "
     "00:00:00.5+00:30: c}",                                "{datetime.datetime(2024, 1, 1, 0, 30, "
     "tzinfo=datetime.timezone(datetime.timedelta(seconds=3600))): 'a', "
     "datetime.datetime(2024, 1, 1, 0, 0, 0, 500000, "
     "tzinfo=datetime.timezone(datetime.timedelta(seconds=1800))): 'c', "
     "datetime.datetime(2024, 1, 1, 0, 0, tzinfo=datetime.timezone.utc): 'b'}"},
    {"{2024-01-01 10:00:00: a, 2024-01-01 09:59:59.9: b}",
     "{datetime.datetime(2024, 1, 1, 9, 59, 59, 900000): 'b', "
     "datetime.datetime(2024, 1, 1, 10, 0): 'a'}"                                                              },
    {"{!!binary YWI=: a, !!binary YQ==: b}",                     "{b'a': 'b', b'ab': 'a'}"                     },
    {"{~: a}",                                                   "{None: 'a'}"                                 },
    {"{.inf: a, 5: b, -.inf: c}",                                "{-inf: 'c', 5: 'b', inf: 'a'}"               },
    {"{aa: 1, a: 2, ab: 3}",                                     "{'a': 2, 'aa': 1, 'ab': 3}"                  },
};

static void sorts_the_top_level_as_python(void **state)
{
    (void)state;
    check(pyrepr_print_sorted, python_sorts, ARRAY_SIZE(python_sorts));
}

static void what_python_cannot_sort_is_an_error(void **state)
{
    static const char *const cases[] = {
        "{1: a, b: c}",
        "{~: a, b: c}",
        "{!!python/tuple [1]: a, b: c}",
        "{2024-01-01: a, 2024-01-01 00:00:00: b}",
        "{2024-01-01 00:00:00Z: a, 2024-01-01 00:00:00: b}",
        "{1: a, !!binary YQ==: b}",
        "[a]",
        "text",
        "!!set {a}",
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;

        test_row(i, "%s", cases[i]);
        bytes_init(&to, 4096);
        assert_int_equal(print_yaml(pyrepr_print_sorted, cases[i], &to, &err), -EINVAL);
        assert_string_equal(to.data, "");
    }
}

static void an_unknown_tag_is_an_error(void **state)
{
    CLEANUP_BYTES struct bytes to;
    struct error err = {0};

    (void)state;
    bytes_init(&to, 4096);
    assert_int_equal(
        print_yaml(pyrepr_print, "a:\n- !!python/name:os.getcwd ''\n", &to, &err),
        -EINVAL);
    assert_non_null(strstr(err.message, "line 2, column 3"));
    assert_non_null(strstr(err.message, "python/name:os.getcwd"));
}

/* Each limit below the size that Python says fails, none is passed. */
static void output_is_limited(void **state)
{
    static const char text[] =
        "{a: [1, !!python/tuple [x], {y: !!set {z}}], b: 1.5, c: 2024-01-02, d: !!binary "
        "AP9h, e: 2024-01-02 03:04:05.25+05:30, f: \"\\n'\\u2028\\U000E0001\", g: ~}";
    struct error err = {0};
    size_t size = 0;
    int rc = -EFBIG;

    (void)state;
    for (; rc < 0; size++) {
        CLEANUP_BYTES struct bytes to;

        bytes_init(&to, size);
        rc = print_yaml(pyrepr_print, text, &to, &err);
        assert_true(rc == 0 || rc == -EFBIG);
        assert_true(to.size <= size);
    }
    assert_int_equal(size - 1, 246);
}

static void texts_that_are_not_utf8_are_an_error(void **state)
{
    static const struct yaml_node bad = {
        .kind = YAML_TEXT, .text = {"a\xff", 2}
    };
    static const struct yaml_node nul = {
        .kind = YAML_TEXT, .text = {"a\0b", 3}
    };
    CLEANUP_BYTES struct bytes to;
    struct error err = {0};

    (void)state;
    bytes_init(&to, 4096);
    assert_int_equal(pyrepr_print(&bad, &to, &err), -EINVAL);
    assert_int_equal(pyrepr_print(&nul, &to, &err), 0);
    assert_string_equal(to.data, "'a\\x00b'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_as_python),
        cmocka_unit_test(sorts_the_top_level_as_python),
        cmocka_unit_test(what_python_cannot_sort_is_an_error),
        cmocka_unit_test(an_unknown_tag_is_an_error),
        cmocka_unit_test(output_is_limited),
        cmocka_unit_test(texts_that_are_not_utf8_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
