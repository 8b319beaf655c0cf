/* test_json.c: JSON as Python's json.dumps(indent=2, ensure_ascii=False) writes it. */
#include "tests/test.h"

#include "cli/json.h"

#include <stdlib.h>
#include <string.h>

/* Expected: json.dumps(yaml.load(text), indent=2, ensure_ascii=False) of Python, and for
 * what that refuses (dates, bytes, sets, inf) what json.h says. */
static const struct {
    const char *yaml;
    const char *json;
} trees[] = {
    {"~",                                               "null"                                },
    {"yes",                                             "true"                                },
    {"123456789012345678901234567890",                  "123456789012345678901234567890"      },
    {"-0x10",                                           "-16"                                 },
    {"0.1",                                             "0.1"                                 },
    {"1.0e+16",                                         "1e+16"                               },
    {"0.00001",                                         "1e-05"                               },
    {".inf",                                            "\"inf\""                             },
    {".nan",                                            "\"nan\""                             },
    {"\"a\\\"\\\\\\b\\f\\n\\r\\t\\e\\0/\"",
     "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u001b\\u0000/\""                                            },
    {"gr\xC3\xBC\xC3\x9F"
     "e \xF0\x9F\x98\x80",                         "\"gr\xC3\xBC\xC3\x9F"
     "e \xF0\x9F\x98\x80\""                                    },
    {"[]",                                              "[]"                                  },
    {"{}",                                              "{}"                                  },
    {"[1, [2, {}], {a: [b]}]",
     "[\n  1,\n  [\n    2,\n    {}\n  ],\n  {\n    \"a\": [\n      \"b\"\n    ]\n  }\n]"      },
    {"{b: 1, \"a\\0\": 2, 7: x, 1.5: y, yes: z, ~: w}",
     "{\n  \"b\": 1,\n  \"a\\u0000\": 2,\n  \"7\": \"x\",\n  \"1.5\": \"y\",\n  "
     "\"true\": "
     "\"z\",\n"
     "  \"null\": \"w\"\n}"                                                                   },
    {"2024-02-29",                                      "\"2024-02-29\""                      },
    {"2024-02-29 01:02:03.5 -05:30",                    "\"2024-02-29 01:02:03.500000-05:30\""},
    {"!!binary SGVsbG8=",                               "\"SGVsbG8=\""                        },
    {"!!binary SGVsbA==",                               "\"SGVsbA==\""                        },
    {"!!binary SGVs",                                   "\"SGVs\""                            },
    {"!!python/tuple [1, a]",                           "[\n  1,\n  \"a\"\n]"                 },
    {"!!set {a, b}",                                    "[\n  \"a\",\n  \"b\"\n]"             },
};

static void print_to(char **ret_text, void (*print)(struct json *json, void *arg),
                     void *arg)
{
    size_t size = 0;
    FILE *file = open_memstream(ret_text, &size);
    struct json json;

    assert_non_null(file);
    json_init(&json, file);
    print(&json, arg);
    fclose(file);
}

static void print_tree(struct json *json, void *arg)
{
    json_yaml(json, NULL, arg);
}

static void trees_print_as_python_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
        CLEANUP_YAML struct yaml *yaml = NULL;
        CLEANUP_FREE char *text = NULL;
        struct error err = {0};

        test_row(i, "%s", trees[i].yaml);
        assert_int_equal(yaml_parse(trees[i].yaml, strlen(trees[i].yaml), &yaml, &err),
                         0);
        print_to(&text, print_tree, (void *)yaml_root(yaml));
        assert_int_equal(text[strlen(text) - 1], '\n');
        text[strlen(text) - 1] = '\0';
        assert_string_equal(text, trees[i].json);
    }
}

static void print_calls(struct json *json, void *arg)
{
    (void)arg;
    json_begin(json, NULL, JSON_MAP);
    json_text(json, "t", "x");
    json_number(json, "n", UINT64_MAX);
    json_null(json, "z");
    json_begin(json, "l", JSON_LIST);
    json_text(json, NULL, "y");
    json_end(json);
    json_end(json);
}

static void calls_print_in_their_order(void **state)
{
    CLEANUP_FREE char *text = NULL;

    (void)state;
    print_to(&text, print_calls, NULL);
    assert_string_equal(text, "{\n"
                              "  \"t\": \"x\",\n"
                              "  \"n\": 18446744073709551615,\n"
                              "  \"z\": null,\n"
                              "  \"l\": [\n"
                              "    \"y\"\n"
                              "  ]\n"
                              "}\n");
}

static void print_text(struct json *json, void *arg)
{
    json_text(json, NULL, arg);
}

/* Expected: bytes.decode('utf-8', 'replace') of Python, but one mark for each byte. */
static void bad_utf8_is_marked(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"a\xFFz",           "\"a\xEF\xBF\xBDz\"\n"          },
        {"\xC3",             "\"\xEF\xBF\xBD\"\n"            },
        {"\xC0\x80",         "\"\xEF\xBF\xBD\xEF\xBF\xBD\"\n"},
        {"\xE2\x82\xAC\xE2", "\"\xE2\x82\xAC\xEF\xBF\xBD\"\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *text = NULL;

        test_row(i, "%s", cases[i].json);
        print_to(&text, print_text, (void *)cases[i].text);
        assert_string_equal(text, cases[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_print_as_python_does),
        cmocka_unit_test(calls_print_in_their_order),
        cmocka_unit_test(bad_utf8_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
