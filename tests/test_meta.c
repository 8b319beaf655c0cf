/* test_meta.c: metadata documents; the printed texts are PyYAML's. */
#include "tests/test.h"

#include "resolver/meta.h"

#include <errno.h>
#include <string.h>

static void metadata_is_parsed_and_printed(void **state)
{
    static const struct {
        const char *text;
        const char *print;
    } cases[] = {
        {"",                         "{}\n"                               },
        {"null\n...\n",              "{}\n"                               },
        {"{}\n",                     "{}\n"                               },
        {"~",                        "{}\n"                               },
        {"# nothing\n",              "{}\n"                               },
        {"new: meta\n",              "new: meta\n"                        },
        {"{b: 1, a: [1, 2], 3: {}}", "b: 1\na:\n- 1\n- 2\n3: {}\n"        },
        {"a: 1.0e+5\nb: '1'\n",      "a: 100000.0\nb: '1'\n"              },
        {"x: &a {y: [1]}\nz: *a\n",  "x: &id001\n  y:\n  - 1\nz: *id001\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_YAML struct yaml *yaml = NULL;
        CLEANUP_BYTES struct bytes print;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        bytes_init(&print, MIB);
        assert_int_equal(meta_parse(cases[i].text, strlen(cases[i].text), &yaml, &err),
                         0);
        assert_int_equal(meta_root(yaml)->kind, YAML_MAP);
        assert_int_equal(meta_print(meta_root(yaml), &print, &err), 0);
        assert_string_equal(print.data, cases[i].print);
    }
}

static void what_is_no_mapping_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"text",      "metadata: it must be a mapping, not text"   },
        {"- a\n",     "metadata: it must be a mapping, not list"   },
        {"1",         "metadata: it must be a mapping, not integer"},
        {"!!set {a}", "metadata: it must be a mapping, not set"    },
        {"a: {",      "metadata: line 2, column 1: while parsing a flow node, did not find "
                 "expected node content"           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct yaml *yaml = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        assert_int_equal(meta_parse(cases[i].text, strlen(cases[i].text), &yaml, &err),
                         -EINVAL);
        assert_null(yaml);
        assert_string_equal(err.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_parsed_and_printed),
        cmocka_unit_test(what_is_no_mapping_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
