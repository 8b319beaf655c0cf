/* test_layout.c: every name below the cache root. */
#include "tests/test.h"

#include "cache/layout.h"

#include <errno.h>
#include <stdlib.h>

static void names_are_audmodels(void **state)
{
    static const struct {
        char *(*make)(const char *id, const char *version, enum layout_document document);
        const char *version;
        enum layout_document document;
        const char *expected;
    } cases[] = {
        {layout_path, "1.0.0", LAYOUT_MODEL,  "3e120e8d/1.0.0"                  },
        {layout_path, "1.0.0", LAYOUT_HEADER, "3e120e8d/1.0.0.header.yaml"      },
        {layout_path, "1.0.0", LAYOUT_META,   "3e120e8d/1.0.0.meta.yaml"        },
        {layout_lock, "1.0.0", LAYOUT_MODEL,  "3e120e8d/.1.0.0.lock"            },
        {layout_lock, "1.0.0", LAYOUT_HEADER, "3e120e8d/.1.0.0.header.yaml.lock"},
        {layout_lock, "1.0.0", LAYOUT_META,   "3e120e8d/.1.0.0.meta.yaml.lock"  },
        {layout_path, "..",    LAYOUT_MODEL,  "3e120e8d/@.."                    },
        {layout_path, ".",     LAYOUT_HEADER, "3e120e8d/@..header.yaml"         },
        {layout_path, "...",   LAYOUT_MODEL,  "3e120e8d/..."                    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *name = cases[i].make("3e120e8d", cases[i].version, cases[i].document);

        test_row(i, "%s", cases[i].expected);
        assert_string_equal(name, cases[i].expected);
        free(name);
    }
}

static void only_names_become_paths(void **state)
{
    static const struct {
        const char *id;
        const char *version;
        int rc;
    } cases[] = {
        {"3e120e8d",                             "1.0.0",    0      },
        {"3e120e8d",                             "..",       0      },
        {"3e120e8d",                             "1.0_rc-1", 0      },
        {"5fbbaf38-3605-11ed-9ec2-000000000000", "1.0.0",    0      },
        {"3e120e8d",                             "",         -EINVAL},
        {"3e120e8d",                             "1/2",      -EINVAL},
        {"3e120e8d",                             "1.0.0~",   -EINVAL},
        {"3e120e8d",                             "@..",      -EINVAL},
        {"..",                                   "1.0.0",    -EINVAL},
        {"3E120E8D",                             "1.0.0",    -EINVAL},
        {"-e120e8d",                             "1.0.0",    -EINVAL},
        {"",                                     "1.0.0",    -EINVAL},
        {".modelfs",                             "1.0.0",    -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "'%s' '%s'", cases[i].id, cases[i].version);
        assert_int_equal(layout_check(cases[i].id, cases[i].version, &err), cases[i].rc);
    }
}

static void folders_read_back_as_versions(void **state)
{
    static const struct {
        const char *folder;
        const char *version;
    } cases[] = {
        {"1.0.0", "1.0.0"},
        {"@.",    "."    },
        {"@..",   ".."   },
        {".",     NULL   },
        {"..",    NULL   },
        {"1~",    NULL   },
        {"@x",    NULL   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *version = layout_version_of(cases[i].folder);

        test_row(i, "%s", cases[i].folder);
        if (cases[i].version)
            assert_string_equal(version, cases[i].version);
        else
            assert_null(version);
    }
}

static void documents_have_a_version(void **state)
{
    static const struct {
        const char *name;
        enum layout_document document;
        const char *version;
    } cases[] = {
        {"1.0.0.header.yaml",             LAYOUT_HEADER, "1.0.0"            },
        {"1.0.0.meta.yaml",               LAYOUT_META,   "1.0.0"            },
        {"1.0.0.meta.yaml",               LAYOUT_HEADER, NULL               },
        {"@..header.yaml",                LAYOUT_HEADER, "."                },
        {"@...meta.yaml",                 LAYOUT_META,   ".."               },
        {"1.0.0.header.yaml.header.yaml", LAYOUT_HEADER, "1.0.0.header.yaml"},
        {".header.yaml",                  LAYOUT_HEADER, NULL               },
        {"...header.yaml",                LAYOUT_HEADER, NULL               },
        {"1.0.0",                         LAYOUT_META,   NULL               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *version = layout_version_of_document(cases[i].name, cases[i].document);

        test_row(i, "%s", cases[i].name);
        if (cases[i].version)
            assert_string_equal(version, cases[i].version);
        else
            assert_null(version);
        free(version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_audmodels),
        cmocka_unit_test(only_names_become_paths),
        cmocka_unit_test(folders_read_back_as_versions),
        cmocka_unit_test(documents_have_a_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
