/* test_manifest.c: manifests and options become requests; the golden models' IDs. */
#include "tests/test.h"

#include "common/files.h"
#include "publish/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define NEEDED "name: m\nversion: 1.0.0\n"
#define FIFTY "01234567890123456789012345678901234567890123456789"
#define TWO_HUNDRED FIFTY FIFTY FIFTY FIFTY

static const struct manifest_defaults defaults = {"somebody", "2024-02-29"};

static struct manifest *parse_good(const char *text)
{
    struct manifest *manifest = NULL;
    struct error err = {0};

    if (manifest_parse(text, strlen(text), &defaults, &manifest, &err) < 0)
        fail_msg("%s", err.message);
    return manifest;
}

static void check_refused(const char *text, const char *reason)
{
    struct manifest *manifest = NULL;
    struct error err = {0};
    int rc = manifest_parse(text, strlen(text), &defaults, &manifest, &err);

    if (rc == 0)
        fail_msg("taken: %s", text);
    assert_int_equal(rc, -EINVAL);
    assert_null(manifest);
    if (!strstr(err.message, reason))
        fail_msg("'%s' does not say '%s'", err.message, reason);
}

/* What audmodel's publish refuses (golden data, "refused"), as far as it is in the
 * arguments, and what it could not find again ("published_but_lost"). */
static void refuses_what_audmodel_refuses(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"name: v\nsubgroup: x\nversion: 1.0.0+build\n",
         "line 3, column 10: Invalid version '1.0.0+build', does not match "
         "'[A-Za-z0-9._-]+'."                                                                                        },
        {"name: v\nversion: ''\n",                                   "'version' must not be empty"                   },
        {"name: v\nversion: 1/0\n",                                  "Invalid version '1/0'"                         },
        {"name: my model\nversion: 1.0.0\n",
         "line 1, column 7: 'name': 'my model' cannot"                                                               },
        {"name: \"mod\\u00e8l\"\nversion: 1.0.0\n",                  "'name': 'mod\xc3\xa8l' cannot"                 },
        {NEEDED "subgroup: x y\n",                                   "line 3, column 11: 'subgroup'"                 },
        {NEEDED "subgroup: _uid\n",                                  "It is not allowed to set subgroup to '_uid'."  },
        {NEEDED "subgroup: _alias\n",                                "It is not allowed to set subgroup to '_alias'."},
        {NEEDED "alias: deadbeef\n",                                 "'deadbeef' is not an allowed"                  },
        {NEEDED "alias: deadbeef-1.0.0\n",                           "is not an allowed alias"                       },
        {NEEDED "alias: 12345678-1234-1234-1234-123456789abc\n",
         "is not an allowed alias"                                                                                   },
        {NEEDED "alias: a b\n",                                      "is not an allowed alias"                       },
        {NEEDED "alias: a/b\n",                                      "is not an allowed alias"                       },
        {NEEDED "alias: \xc3\xa4\n",                                 "is not an allowed alias"                       },
        {NEEDED "alias: a+b\n",                                      "is not an allowed alias"                       },
        {NEEDED "alias: ..\n",                                       "is not an allowed alias"                       },
        {NEEDED "params: {1: a, b: 2}\n",                            "Python cannot sort these keys"                 },
        {NEEDED "params: {o: !!python/object/apply:os.getcwd []}\n",
         "line 3, column 13: only Python knows"                                                                      },
        {NEEDED "meta: {o: !!python/object/apply:os.getcwd []}\n",
         "'meta': line 3, column 11: cannot print"                                                                   },
        {"name: m\nversion: 1.0.0_x\n",                              "never be found again"                          },
        {"name: m\nversion: v1.0.0\n",                               "never be found again"                          },
        {"name: m\nversion: rc1\n",
         "line 2, column 10: version 'rc1' could never be found again"                                               },
        {"name: m\nversion: 1.0.0-abcdefghijklmnopqrstu\n",          "is taken for a legacy ID"                      },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].reason);
        check_refused(cases[i].text, cases[i].reason);
    }
}

static void refuses_what_is_no_manifest(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"",                                                    "the manifest is empty"                                  },
        {"# nothing\n",                                         "the manifest is empty"                                  },
        {"- name\n",                                            "must be a mapping, not list"                            },
        {"name: [\n",                                           "line 2, column 1"                                       },
        {"version: 1.0.0\n",                                    "'name' is missing"                                      },
        {"name: m\n",                                           "'version' is missing"                                   },
        {"name:\nversion: 1.0.0\n",                             "'name' is missing"                                      },
        {"name: ''\nversion: 1.0.0\n",                          "line 1, column 7: 'name' must not be empty"             },
        {"name: m\nversion: 1.0\n",
         "line 2, column 10: 'version' must be text, not number; put it in "
         "quotes"                                                                                                        },
        {"name: m\nversion: 3\n",                               "not integer; put it in quotes"                          },
        {"name: m\nversion: 2024-01-15\n",                      "not date; put it in quotes"                             },
        {"name: yes\nversion: 1.0.0\n",                         "'name' must be text"                                    },
        {"name: {}\nversion: 1.0.0\n",                          "'name' must be text, not map"                           },
        {"name: \"a\\0b\"\nversion: 1.0.0\n",                   "'name' has a NUL"                                       },
        {"name: a/../b\nversion: 1.0.0\n",                      "'name': '..' cannot"                                    },
        {"name: " TWO_HUNDRED FIFTY FIFTY "\nversion: 1.0.0\n",
         "'name' has a part of more than 255 bytes"                                                                      },
        {"name: m\nversion: v1" TWO_HUNDRED FIFTY "\n",         "is longer than"                                         },
        {NEEDED "parms: {}\n",
         "line 3, column 1: there is no key 'parms'; did you mean 'params'?"                                             },
        {NEEDED "parameters: {}\n",                             "there is no key 'parameters'"                           },
        {NEEDED "zzzzzzzz: {}\n",                               "there is no key 'zzzzzzzz'"                             },
        {NEEDED "3: {}\n",                                      "a key must be text"                                     },
        {NEEDED "name: other\n",
         "line 3, column 1: the key 'name' is there twice; remove one"                                                   },
        {NEEDED "params: {a: 1, b: 2, a: 3}\n",
         "line 3, column 22: the key 'a' is there twice"                                                                 },
        {NEEDED "params: [a]\n",                                "'params' must be a mapping"                             },
        {NEEDED "params: text\n",                               "'params' must be a mapping"                             },
        {NEEDED "meta: 3\n",                                    "line 3, column 7: 'meta' must be a mapping, not integer"},
        {NEEDED "author: 123\n",                                "'author' must be text"                                  },
        {NEEDED "subgroup: 1.5\n",                              "'subgroup' must be text"                                },
        {NEEDED "alias: 1.0\n",                                 "'alias' must be text"                                   },
        {NEEDED "date: 2024-02-29 12:00:00\n",                  "'date' must be a day"                                   },
        {NEEDED "date: 2024-2-29\n",                            "'date' must be a day"                                   },
        {NEEDED "date: '2024-02-29 12:00:00'\n",                "without a time"                                         },
        {NEEDED "date: yesterday\n",                            "'date' must be a day"                                   },
        {NEEDED "date: '2023-02-29'\n",                         "there is no day"                                        },
        {NEEDED "date: 2023-02-29\n",                           "there is no day"                                        },
        {"---\n" NEEDED "---\n" NEEDED,                         "another document"                                       },
        {NEEDED "params: &a {b: *a}\n",                         "holds itself"                                           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].reason);
        check_refused(cases[i].text, cases[i].reason);
    }
}

/* Ten lists of ten lists of ten ...: the tree would have 10^9 places. */
static void alias_bombs_end_in_a_sentence(void **state)
{
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    (void)state;
    bytes_init(&text, MIB);
    bytes_printf(&text, &err, NEEDED "params:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        bytes_printf(&text, &err, "  a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            bytes_printf(&text, &err, "*a%d,", i - 1);
        bytes_printf(&text, &err, "]\n");
    }
    check_refused(text.data, "nodes");
}

static void much_text_ends_in_a_sentence(void **state)
{
    struct manifest *manifest = NULL;
    size_t size = 100 * MIB;
    char *text = malloc(size);
    struct error err = {0};

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    assert_int_equal(manifest_parse(text, size, &defaults, &manifest, &err), -EINVAL);
    assert_non_null(strstr(err.message, "larger than the limit"));
    free(text);
}

static void fills_in_what_is_not_given(void **state)
{
    struct manifest *manifest = parse_good(NEEDED);

    (void)state;
    assert_string_equal(manifest->name, "m");
    assert_string_equal(manifest->version, "1.0.0");
    assert_string_equal(manifest->subgroup, "");
    assert_string_equal(manifest->author, "somebody");
    assert_int_equal(manifest->date.year, 2024);
    assert_int_equal(manifest->date.month, 2);
    assert_int_equal(manifest->date.day, 29);
    assert_int_equal(manifest->params->kind, YAML_MAP);
    assert_int_equal(manifest->params->map.count, 0);
    assert_int_equal(manifest->meta->kind, YAML_NULL);
    assert_null(manifest->alias);
    assert_null(manifest->repository);
    manifest_free(manifest);
}

static void takes_what_is_given(void **state)
{
    struct manifest *manifest = parse_good("name: 'facebook/wav2vec2'\n"
                                           "version: '3'\n"
                                           "params: {rate: 16000}\n"
                                           "subgroup: _uid.x\n"
                                           "author: 'A: B'\n"
                                           "date: '2023-01-02'\n"
                                           "meta: {a: 1}\n"
                                           "alias: emotion-small\n"
                                           "repository: models\n");

    (void)state;
    assert_string_equal(manifest->name, "facebook/wav2vec2");
    assert_string_equal(manifest->version, "3");
    assert_string_equal(manifest->subgroup, "_uid.x");
    assert_string_equal(manifest->author, "A: B");
    assert_int_equal(manifest->date.day, 2);
    assert_int_equal(manifest->params->map.count, 1);
    assert_int_equal(manifest->meta->map.count, 1);
    assert_string_equal(manifest->alias, "emotion-small");
    assert_string_equal(manifest->repository, "models");
    manifest_free(manifest);
}

/* The example of audmodel's documentation. */
static void takes_options_apart(void **state)
{
    static const struct manifest_texts texts = {
        .name = "onnx",
        .version = "1.0",
        .subgroup = "emotion.cnn",
        .params = "{model: gone, data: [emodb, msppodcast], feature: melspec, "
                  "sampling_rate: 16000, model: cnn10}", /* the last one counts */
        .date = "2024-02-29",
    };
    struct manifest *manifest = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(manifest_make(&texts, &defaults, &manifest, &err), 0);
    assert_string_equal(manifest->uid, "3e120e8d-1.0");
    assert_string_equal(manifest->id, "3e120e8d");
    manifest_free(manifest);
}

static void refuses_options(void **state)
{
    static const struct {
        struct manifest_texts texts;
        const char *reason;
    } cases[] = {
        {{.name = "m"},                                        "'version' is missing" },
        {{.name = "m", .version = "1", .params = "{a"},        "'params': line 2"     },
        {{.name = "m", .version = "1", .params = "a"},         "'params' must be a"   },
        {{.name = "m", .version = "1", .meta = "[]"},          "'meta' must be a"     },
        {{.name = "m", .version = "1", .date = "29.2.2024"},   "'date' must be a day" },
        {{.name = "m", .version = "1", .author = "M\xfcller"}, "'author' is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct manifest *manifest = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].reason);
        assert_int_equal(manifest_make(&cases[i].texts, &defaults, &manifest, &err),
                         -EINVAL);
        if (!strstr(err.message, cases[i].reason))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].reason);
    }
}

static void ids_are_those_of_audmodel(void **state)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};
    const struct yaml_node *rows;

    (void)state;
    bytes_init(&text, MIB);
    assert_int_equal(files_read(AT_FDCWD, "tests/data/manifests.yaml", &text, &err), 0);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    rows = yaml_root(yaml);
    assert_int_equal(rows->list.count, 78);
    for (size_t i = 0; i < rows->list.count; i++) {
        const struct yaml_node *row = rows->list.items[i];
        const char *uid = yaml_text(yaml_get(row, "uid"));
        struct manifest *manifest;

        test_row(i, "%s", uid);
        manifest = parse_good(yaml_text(yaml_get(row, "manifest")));
        assert_string_equal(manifest->uid, uid);
        manifest_free(manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_audmodel_refuses),
        cmocka_unit_test(refuses_what_is_no_manifest),
        cmocka_unit_test(alias_bombs_end_in_a_sentence),
        cmocka_unit_test(much_text_ends_in_a_sentence),
        cmocka_unit_test(fills_in_what_is_not_given),
        cmocka_unit_test(takes_what_is_given),
        cmocka_unit_test(takes_options_apart),
        cmocka_unit_test(refuses_options),
        cmocka_unit_test(ids_are_those_of_audmodel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
