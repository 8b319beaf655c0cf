/* test_repo_path.c: paths in a repository; those of audmodel are from the golden data. */
#include "tests/test.h"

#include "resolver/repo_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEGACY "dcdf17d5-2ca8-d9ca-d813-d03a874beac0"

static char path[REPO_PATH_SIZE];

static void documents_of_a_version(void **state)
{
    static const struct {
        int (*build)(const char *id, const char *version, char *ret_path,
                     struct error *err);
        const char *id;
        const char *version;
        int rc;
        const char *path;
    } cases[] = {
        {repo_path_header,     "3e120e8d", "1.0.0",     0,
         "_uid/3e120e8d/1.0.0/3e120e8d-1.0.0.header.yaml"            },
        {repo_path_header,     LEGACY,     "1.0.0",     0,
         "_uid/" LEGACY "/1.0.0/" LEGACY "-1.0.0.header.yaml"        },
        {repo_path_meta,       "756d394f", "3.0.0-RC1", 0,
         "_uid/756d394f/3.0.0-RC1/756d394f-3.0.0-RC1.meta.yaml"      },
        {repo_path_alias_list, "3e120e8d", "2.0.0",     0,
         "_uid/3e120e8d.aliases/2.0.0/3e120e8d.aliases-2.0.0.yaml"   },
        {repo_path_header,     "3e120e8d", "..",        -EINVAL, NULL},
        {repo_path_header,     "3e120e8d", ".",         -EINVAL, NULL},
        {repo_path_header,     "3e120e8d", "",          -EINVAL, NULL},
        {repo_path_header,     "3e120e8d", "1.0.0+x",   -EINVAL, NULL},
        {repo_path_meta,       "3e120e8d", "a/../..",   -EINVAL, NULL},
        {repo_path_meta,       "../x",     "1.0.0",     -EINVAL, NULL},
        {repo_path_alias_list, "a/b",      "1.0.0",     -EINVAL, NULL},
        {repo_path_alias_list, "3e120e8d", "1 0",       -EINVAL, NULL},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s %s", cases[i].id, cases[i].version);
        memcpy(path, "untouched", 10);
        assert_int_equal(cases[i].build(cases[i].id, cases[i].version, path, &err),
                         cases[i].rc);
        assert_string_equal(path, cases[i].path ? cases[i].path : "untouched");
    }
}

static void archives(void **state)
{
    static const struct {
        const char *name;
        const char *subgroup;
        int rc;
        const char *folder;
    } cases[] = {
        {"onnx",              "emotion.cnn",     0,       "emotion/cnn/onnx"            },
        {"torch",             "",                0,       "torch"                       },
        {"torch",             NULL,              0,       "torch"                       },
        {"torch",             "a.b.c.d.e.f.g.h", 0,       "a/b/c/d/e/f/g/h/torch"       },
        {"torch",             "A-b_c.9",         0,       "A-b_c/9/torch"               },
        {"torch",             "a..b",            0,       "a/b/torch"                   },
        {"torch",             "_uid.x",          0,       "_uid/x/torch"                },
        {"torch",             "..up",            0,       "up/torch"                    },
        {"torch",             "emotion/cnn",     0,       "emotion/cnn/torch"           },
        {"torch.v2",          "names.test",      0,       "names/test/torch.v2"         },
        {"facebook/wav2vec2", "names.test",      0,       "names/test/facebook/wav2vec2"},
        {"model.zip",         "names.test",      0,       "names/test/model.zip"        },
        {"//a///b/",          "//x",             0,       "x/a/b"                       },
        {"..",                "x",               -EINVAL, NULL                          },
        {"a/../../b",         "x",               -EINVAL, NULL                          },
        {"a/.",               "x",               -EINVAL, NULL                          },
        {"my model",          "x",               -EINVAL, NULL                          },
        {"mod\xc3\xa8l",      "x",               -EINVAL, NULL                          },
        {"m",                 "x y",             -EINVAL, NULL                          },
        {"m\n",               "x",               -EINVAL, NULL                          },
    };
    struct error err = {0};
    char expected[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s' '%s'", cases[i].name,
                 cases[i].subgroup ? cases[i].subgroup : "(none)");
        assert_int_equal(repo_path_archive(cases[i].name, cases[i].subgroup, "3e120e8d",
                                           "1.0.0", path, &err),
                         cases[i].rc);
        if (cases[i].rc < 0)
            continue;
        snprintf(expected, sizeof expected, "%s/3e120e8d/1.0.0/3e120e8d-1.0.0.zip",
                 cases[i].folder);
        assert_string_equal(path, expected);
        assert_int_equal(repo_path_archives(cases[i].name, cases[i].subgroup, path, &err),
                         0);
        assert_string_equal(path, cases[i].folder);
    }
}

static void folders_and_aliases(void **state)
{
    static const struct {
        int (*build)(const char *name, char *ret_path, struct error *err);
        const char *name;
        int rc;
        const char *path;
    } cases[] = {
        {repo_path_versions, "3e120e8d",   0,       "_uid/3e120e8d"                            },
        {repo_path_versions, "..",         -EINVAL, NULL                                       },
        {repo_path_alias,    "-dash",      0,       "_alias/-dash/1.0.0/-dash-1.0.0.alias.yaml"},
        {repo_path_alias,    "alias.yaml", 0,
         "_alias/alias.yaml/1.0.0/alias.yaml-1.0.0.alias.yaml"                                 },
        {repo_path_alias,    "1.0.0",      0,       "_alias/1.0.0/1.0.0/1.0.0-1.0.0.alias.yaml"},
        {repo_path_alias,    "..",         -EINVAL, NULL                                       },
        {repo_path_alias,    "",           -EINVAL, NULL                                       },
        {repo_path_alias,    "a+b",        -EINVAL, NULL                                       },
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].name);
        assert_int_equal(cases[i].build(cases[i].name, path, &err), cases[i].rc);
        if (cases[i].rc == 0)
            assert_string_equal(path, cases[i].path);
    }
}

static void too_long_is_an_error(void **state)
{
    char *name = malloc(REPO_PATH_SIZE * 2);
    struct error err = {0};

    (void)state;
    assert_non_null(name);
    for (size_t size = 1; size < REPO_PATH_SIZE * 2; size += 997) {
        int rc;

        memset(name, 'a', size);
        name[size] = '\0';
        rc = repo_path_archive(name, "x", "3e120e8d", "1.0.0", path, &err);
        assert_int_equal(rc, size + strlen("x//3e120e8d/1.0.0/3e120e8d-1.0.0.zip") <
                                     REPO_PATH_SIZE
                                 ? 0
                                 : -ENAMETOOLONG);
        rc = repo_path_alias(name, path, &err);
        assert_int_equal(rc, 2 * size + strlen("_alias//1.0.0/-1.0.0.alias.yaml") <
                                     REPO_PATH_SIZE
                                 ? 0
                                 : -ENAMETOOLONG);
    }
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_of_a_version),
        cmocka_unit_test(archives),
        cmocka_unit_test(folders_and_aliases),
        cmocka_unit_test(too_long_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
