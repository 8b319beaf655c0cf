/* test_header.c: header documents as audmodel writes them, and what is none. */
#include "tests/test.h"

#include "resolver/header.h"

#include <errno.h>
#include <string.h>

#define GOOD                                                                             \
    "author: sphinx\n"                                                                   \
    "date: 2024-02-29\n"                                                                 \
    "name: onnx\n"                                                                       \
    "parameters:\n"                                                                      \
    "  model: cnn10\n"                                                                   \
    "subgroup: emotion.cnn\n"                                                            \
    "version: 1.0.0\n"

static void a_header_has_its_fields(void **state)
{
    CLEANUP_HEADER struct header *header = NULL;
    struct error err = {0};
    const struct yaml_node *model;

    (void)state;
    assert_int_equal(header_parse(GOOD, strlen(GOOD), &header, &err), 0);
    assert_string_equal(header->name, "onnx");
    assert_string_equal(header->subgroup, "emotion.cnn");
    assert_string_equal(header->version, "1.0.0");
    assert_string_equal(header->author, "sphinx");
    assert_string_equal(header->date, "2024-02-29");
    assert_int_equal(header->date_s, 1709164800);
    model = yaml_get(header->parameters, "model");
    assert_non_null(model);
    assert_string_equal(yaml_text(model), "cnn10");
    assert_int_equal(header->text_size, strlen(GOOD));
    assert_string_equal(header->text, GOOD);
}

/* Expected: str() of what PyYAML reads. */
static void fields_print_as_python_does(void **state)
{
    static const struct {
        const char *text;
        const char *version, *author, *date;
        int64_t date_s;
    } cases[] = {
        {"name: n\nversion: 1.0\n",                                  "1.0",      "",                "",           0     },
        {"name: n\nversion: '1.0'\n",                                "1.0",      "",                "",           0     },
        {"name: n\nversion: 3\nauthor: 0x10\n",                      "3",        "16",              "",           0     },
        {"name: n\nversion: 1e5\nauthor: yes\n",                     "1e5",      "True",            "",           0     },
        {"name: n\nversion: 1.0e+5\nauthor: ~\n",                    "100000.0", "",                "",           0     },
        {"name: n\nversion: v\nauthor: [a, 1]\n",                    "v",        "['a', 1]",        "",           0     },
        {"name: n\nversion: v\ndate: 1970-01-02\n",                  "v",        "",                "1970-01-02", 86400 },
        {"name: n\nversion: v\ndate: '1970-01-02'\n",                "v",        "",                "1970-01-02", 86400 },
        {"name: n\nversion: v\ndate: 1970-01-02 03:04:05\n",         "v",        "",
         "1970-01-02 03:04:05",                                                                                   86400 },
        {"name: n\nversion: v\ndate: 1970-01-02T03:04:05.5+05:30\n", "v",        "",
         "1970-01-02 03:04:05.500000+05:30",                                                                      86400 },
        {"name: n\nversion: v\ndate: 1969-12-31\n",                  "v",        "",                "1969-12-31", -86400},
        {"name: n\nversion: v\ndate: soon\n",                        "v",        "",                "soon",       0     },
        {"name: n\nversion: v\nauthor: \"J\\xFCrgen\\n\"\n",         "v",        "J\xc3\xbcrgen\n", "",
         0                                                                                                              },
        {"name: n\nversion: v\nparameters:\nsubgroup: ~\n",          "v",        "",                "",           0     },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_HEADER struct header *header = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        assert_int_equal(
            header_parse(cases[i].text, strlen(cases[i].text), &header, &err), 0);
        assert_string_equal(header->name, "n");
        assert_string_equal(header->subgroup, "");
        assert_string_equal(header->version, cases[i].version);
        assert_string_equal(header->author, cases[i].author);
        assert_string_equal(header->date, cases[i].date);
        assert_int_equal(header->date_s, cases[i].date_s);
        assert_int_equal(header->parameters->kind, YAML_NULL);
    }
}

static void what_is_no_header_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"",                                                              "it must be a mapping, not null"               },
        {"- 1\n",                                                         "it must be a mapping, not list"               },
        {"{}",                                                            "it has no 'name'"                             },
        {"name: n\n",                                                     "it has no 'version'"                          },
        {"name: ''\nversion: 1.0.0\n",                                    "it has no 'name'"                             },
        {"name: n\nversion: ~\n",                                         "it has no 'version'"                          },
        {"name: n\nversion: \"1\\0\"\n",                                  "line 2, column 10: 'version': a NUL character"},
        {"name: n\nversion: 1.0.0\nparameters: 5\n",
         "line 3, column 13: 'parameters' must be a mapping, not integer"                                                },
        {"name: ../../etc\nversion: 1.0.0\n",                             "'..' cannot be part"                          },
        {"name: a b\nversion: 1.0.0\n",                                   "'a b' cannot be part"                         },
        {"name: n\nsubgroup: a b\nversion: 1.0.0\n",                      "'a b' cannot be part"                         },
        {"name: n\nversion: 1.0.0\nauthor: {\n",                          "line "                                        },
        {"name: n\nversion: 1.0.0\nauthor: !!python/name:os.system ''\n",
         "line 3, column 9: 'author'"                                                                                    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct header *header = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        assert_int_equal(
            header_parse(cases[i].text, strlen(cases[i].text), &header, &err), -EBADMSG);
        assert_null(header);
        printf("        %s\n", err.message);
        assert_non_null(strstr(err.message, cases[i].reason));
    }
}

static void a_header_lives_until_its_last_reference(void **state)
{
    struct header *header = NULL, *second;
    struct error err = {0};

    (void)state;
    assert_int_equal(header_parse(GOOD, strlen(GOOD), &header, &err), 0);
    second = header_ref(header);
    header_unref(header);
    assert_string_equal(second->name, "onnx");
    header_unref(second);
    header_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_its_fields),
        cmocka_unit_test(fields_print_as_python_does),
        cmocka_unit_test(what_is_no_header_is_refused),
        cmocka_unit_test(a_header_lives_until_its_last_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
