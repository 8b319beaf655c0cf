/* test_uid.c: reading and computing IDs; those computed are audmodel's (golden data). */
#include "tests/test.h"

#include "common/files.h"
#include "common/yaml.h"
#include "resolver/pyrepr.h"
#include "resolver/uid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define LEGACY "dcdf17d5-2ca8-d9ca-d813-d03a874beac0"
#define LEGACY_WITH_LETTER "dcdf17d5-aca8-d9ca-d813-d03a874beac0"
#define FIFTY "01234567890123456789012345678901234567890123456789"
#define TWO_HUNDRED FIFTY FIFTY FIFTY FIFTY

static struct error err;

struct reading {
    const char *text;
    int rc;
    enum uid_kind kind;
    const char *first; /* the ID, or the alias */
    const char *version;
};

static void check(int (*parse)(const char *, struct uid *, struct error *),
                  const struct reading *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct uid uid = {0};

        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(parse(cases[i].text, &uid, &err), cases[i].rc);
        if (cases[i].rc < 0)
            continue;
        assert_int_equal(uid.kind, cases[i].kind);
        assert_string_equal(uid.kind == UID_ALIAS ? uid.alias : uid.id, cases[i].first);
        assert_string_equal(uid.kind == UID_ALIAS ? uid.id : uid.alias, "");
        assert_string_equal(uid.version, cases[i].version);
    }
}

static void reads_what_a_user_gives(void **state)
{
    static const struct reading cases[] = {
        {"3e120e8d",                             0,       UID_SHORT,       "3e120e8d",         ""         },
        {"3e120e8d-1.0.0",                       0,       UID_FULL,        "3e120e8d",         "1.0.0"    },
        {"3e120e8d-1",                           0,       UID_FULL,        "3e120e8d",         "1"        },
        {"3e120e8d-1.0.0-rc1",                   0,       UID_FULL,        "3e120e8d",         "1.0.0-rc1"},
        {"3e120e8d-1.0.0+x",                     0,       UID_FULL,        "3e120e8d",         "1.0.0+x"  },
 /* 36 characters, but not a legacy ID (AUDMODEL 9.6) */
        {"3e120e8d-1.0.0-abcdefghijklmnopqrstu", 0,       UID_FULL,        "3e120e8d",
         "1.0.0-abcdefghijklmnopqrstu"                                                                    },
        {LEGACY,                                 0,       UID_LEGACY,      LEGACY,             ""         },
        {LEGACY "-1.0.0",                        0,       UID_LEGACY_FULL, LEGACY,             "1.0.0"    },
        {LEGACY_WITH_LETTER,                     0,       UID_LEGACY,      LEGACY_WITH_LETTER, ""         },
        {LEGACY_WITH_LETTER "-1.0",              0,       UID_LEGACY_FULL, LEGACY_WITH_LETTER, "1.0"      },
        {"emotion-small",                        0,       UID_ALIAS,       "emotion-small",    ""         },
        {"-dash",                                0,       UID_ALIAS,       "-dash",            ""         },
        {"1.0.0",                                0,       UID_ALIAS,       "1.0.0",            ""         },
        {"3e120e8d-x",                           0,       UID_ALIAS,       "3e120e8d-x",       ""         },
        {"3e120e8d-v1.0.0",                      0,       UID_ALIAS,       "3e120e8d-v1.0.0",  ""         },
        {"3e120e8d-1.0.0_x",                     0,       UID_ALIAS,       "3e120e8d-1.0.0_x", ""         },
        {"3e120e8d-",                            0,       UID_ALIAS,       "3e120e8d-",        ""         },
        {"3e120e8d-latest",                      0,       UID_ALIAS,       "3e120e8d-latest",  ""         },
        {"deadbee",                              0,       UID_ALIAS,       "deadbee",          ""         },
        {"deadbeef0",                            0,       UID_ALIAS,       "deadbeef0",        ""         },
        {"DEADBEEF",                             0,       UID_ALIAS,       "DEADBEEF",         ""         },
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0,       UID_ALIAS,
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",                                               ""         },
        {"DCDF17D5-2ca8-d9ca-d813-d03a874beac0", 0,       UID_ALIAS,
         "DCDF17D5-2ca8-d9ca-d813-d03a874beac0",                                               ""         },
        {"",                                     -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"a b",                                  -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"a/b",                                  -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"../etc",                               -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {".",                                    -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"..",                                   -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"@info",                                -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"\xc3\xa4",                             -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"3e120e8d-../../etc",                   -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"3e120e8d\n",                           -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"a" TWO_HUNDRED FIFTY,                  -EINVAL, UID_ALIAS,       NULL,               NULL       },
        {"3e120e8d-1" TWO_HUNDRED FIFTY,         -EINVAL, UID_ALIAS,       NULL,               NULL       },
    };

    (void)state;
    check(uid_parse, cases, ARRAY_SIZE(cases));
}

static void reads_what_a_document_says(void **state)
{
    static const struct reading cases[] = {
        {"3e120e8d",           0,       UID_SHORT,       "3e120e8d", ""       },
        {"3e120e8d-1.0.0",     0,       UID_FULL,        "3e120e8d", "1.0.0"  },
        {"3e120e8d-1.0.0_x",   0,       UID_FULL,        "3e120e8d", "1.0.0_x"},
        {"3e120e8d-v1.0.0",    0,       UID_FULL,        "3e120e8d", "v1.0.0" },
        {"3e120e8d-latest",    0,       UID_FULL,        "3e120e8d", "latest" },
        {LEGACY,               0,       UID_LEGACY,      LEGACY,     ""       },
        {LEGACY "-1.0.0",      0,       UID_LEGACY_FULL, LEGACY,     "1.0.0"  },
        {"emotion-small",      -EINVAL, UID_ALIAS,       NULL,       NULL     },
        {"3e120e8d-",          -EINVAL, UID_ALIAS,       NULL,       NULL     },
        {"3e120e8d-../../etc", -EINVAL, UID_ALIAS,       NULL,       NULL     },
        {"",                   -EINVAL, UID_ALIAS,       NULL,       NULL     },
    };

    (void)state;
    check(uid_parse_target, cases, ARRAY_SIZE(cases));
}

/* The alias names that audmodel refused and took (golden data). */
static void alias_names(void **state)
{
    static const struct {
        const char *name;
        bool is_valid;
    } cases[] = {
        {"emotion-small",                        true },
        {"alias.yaml",                           true },
        {"_x",                                   true },
        {"A",                                    true },
        {"3e120e8d-x",                           true },
        {"deadbeef",                             false},
        {"deadbeef-1.0.0",                       false},
        {"12345678-1234-1234-1234-123456789abc", false},
        {"a b",                                  false},
        {"a/b",                                  false},
        {"\xc3\xa4",                             false},
        {"a+b",                                  false},
        {"",                                     false},
        {".",                                    false},
        {"..",                                   false},
        {"...",                                  true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].name);
        assert_int_equal(uid_alias_is_valid(cases[i].name), cases[i].is_valid);
    }
}

static void versions(void **state)
{
    static const struct {
        const char *version;
        bool is_accepted, is_valid;
    } cases[] = {
        {"1.0.0",               true,  true },
        {"3",                   true,  true },
        {"2.0.0-1-gabc",        true,  true },
        {"1.0.0+build",         true,  false},
        {"1.0.0_x",             false, true },
        {"v1.0.0",              false, true },
        {"rc1",                 false, true },
        {"latest",              false, true },
        {"..",                  false, true }, /* audmodel's rule; paths refuse it */
        {"",                    false, false},
        {"1/0",                 false, false},
        {"1 0",                 false, false},
        {"1.0\n",               false, false},
        {"1" TWO_HUNDRED,       true,  true },
        {"1" TWO_HUNDRED FIFTY, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].version);
        assert_int_equal(uid_version_is_accepted(cases[i].version), cases[i].is_accepted);
        assert_int_equal(uid_version_is_valid(cases[i].version), cases[i].is_valid);
    }
}

typedef void check_row(const struct yaml_node *row);

/* Runs check_it on each mapping of a list in a file of tests/data. */
static void each_row(const char *path, size_t count, check_row *check_it)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    CLEANUP_BYTES struct bytes text;
    const struct yaml_node *rows;

    bytes_init(&text, MIB);
    assert_int_equal(files_read(AT_FDCWD, path, &text, &err), 0);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    rows = yaml_root(yaml);
    assert_int_equal(rows->kind, YAML_LIST);
    assert_int_equal(rows->list.count, count);
    for (size_t i = 0; i < count; i++) {
        test_row(i, "%s", yaml_text(yaml_get(rows->list.items[i], "uid")));
        check_it(rows->list.items[i]);
    }
}

static struct yaml *parse_field(const struct yaml_node *row, const char *key)
{
    const struct yaml_node *text = yaml_get(row, key);
    struct yaml *yaml = NULL;

    assert_int_equal(yaml_parse(text->text.data, text->text.size, &yaml, &err), 0);
    return yaml;
}

static void check_uid(const struct yaml_node *row, const char *name, const char *subgroup,
                      const struct yaml_node *params)
{
    CLEANUP_BYTES struct bytes text;
    char id[MODEL_ID_SIZE];

    bytes_init(&text, PYREPR_SIZE_MAX);
    assert_int_equal(bytes_printf(&text, &err, "%s.%s", subgroup ? subgroup : "", name),
                     0);
    assert_int_equal(pyrepr_print_sorted(params, &text, &err), 0);
    assert_string_equal(text.data, yaml_text(yaml_get(row, "hashed")));
    assert_int_equal(uid_short(name, subgroup, params, id, &err), 0);
    assert_int_equal(strlen(id), 8);
    assert_memory_equal(id, yaml_text(yaml_get(row, "uid")), 8);
}

static void check_arguments(const struct yaml_node *row)
{
    CLEANUP_YAML struct yaml *yaml = parse_field(row, "params_yaml");

    check_uid(row, yaml_text(yaml_get(row, "name")), yaml_text(yaml_get(row, "subgroup")),
              yaml_root(yaml));
}

static void computes_the_ids_of_arguments(void **state)
{
    (void)state;
    each_row("tests/data/uids.yaml", 400, check_arguments);
}

static void check_header(const struct yaml_node *row)
{
    CLEANUP_YAML struct yaml *yaml = parse_field(row, "header_yaml");
    const struct yaml_node *header = yaml_root(yaml);

    check_uid(row, yaml_text(yaml_get(header, "name")),
              yaml_text(yaml_get(header, "subgroup")), yaml_get(header, "parameters"));
}

static void computes_the_ids_of_headers(void **state)
{
    (void)state;
    each_row("tests/data/model_uids.yaml", 78, check_header);
}

/* The first is a golden model, the others follow the formula, hashed by Python. */
static void computes_legacy_ids(void **state)
{
    static const struct {
        const char *name;
        const char *subgroup;
        const char *params;
        const char *version;
        enum uid_legacy_repository repository;
        const char *id;
    } cases[] = {
        {"torch", "legacy.group", "{seed: 1, kind: legacy}", "1.0.0", UID_LEGACY_PUBLIC,
         LEGACY                                },
        {"torch", "legacy.group", "{seed: 1, kind: legacy}", "1.0.0", UID_LEGACY_PRIVATE,
         "bc070667-6561-72f2-d9ad-4b01efd64f85"},
        {"m",     NULL,           "{}",                      "1.0.0", UID_LEGACY_PUBLIC,
         "c46242fa-67c5-87cc-a18d-6322eed04b83"},
        {"m",     NULL,           "~",                       "1.0.0", UID_LEGACY_PUBLIC,
         "c46242fa-67c5-87cc-a18d-6322eed04b83"},
        {"m",     "",             "{}",                      "1.0.0", UID_LEGACY_PUBLIC,
         "97b9de71-35ba-4775-031e-064ca1264b2d"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_YAML struct yaml *yaml = NULL;
        char id[MODEL_ID_SIZE];

        test_row(i, "%s", cases[i].id);
        assert_int_equal(
            yaml_parse(cases[i].params, strlen(cases[i].params), &yaml, &err), 0);
        assert_int_equal(uid_legacy(cases[i].name, cases[i].subgroup, yaml_root(yaml),
                                    cases[i].version, cases[i].repository, id, &err),
                         0);
        assert_string_equal(id, cases[i].id);
    }
}

static void bad_parameters_are_named(void **state)
{
    static const struct {
        const char *params;
        const char *message;
    } cases[] = {
        {"[a]",          "cannot compute the ID of model 'm': the parameters are a "    },
        {"{1: a, b: c}", "cannot compute the ID of model 'm': line 1, column 8: Python "},
        {"a: !x 1",      "cannot compute the ID of model 'm': line 1, column 4: only "  },
    };
    char id[MODEL_ID_SIZE] = "untouched";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_YAML struct yaml *yaml = NULL;

        test_row(i, "%s", cases[i].params);
        assert_int_equal(
            yaml_parse(cases[i].params, strlen(cases[i].params), &yaml, &err), 0);
        assert_int_equal(uid_short("m", NULL, yaml_root(yaml), id, &err), -EINVAL);
        assert_memory_equal(err.message, cases[i].message, strlen(cases[i].message));
        assert_string_equal(id, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_user_gives),
        cmocka_unit_test(reads_what_a_document_says),
        cmocka_unit_test(alias_names),
        cmocka_unit_test(versions),
        cmocka_unit_test(computes_the_ids_of_arguments),
        cmocka_unit_test(computes_the_ids_of_headers),
        cmocka_unit_test(computes_legacy_ids),
        cmocka_unit_test(bad_parameters_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
