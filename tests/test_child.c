/* test_child.c: what each name in each folder of the tree stands for. */
#include "tests/test.h"

#include "fs/child.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <string.h>

enum keep { FOR_EVER, AS_LISTED };

static const struct {
    const char *folder, *name;
    int rc;
    enum node_kind kind;
    const char *text; /* place.name, or the version of the release */
    enum keep keep;
} cases[] = {
    {"",                          "@info",          0,        NODE_INFO,         "",             FOR_EVER },
    {"",                          "@tree",          0,        NODE_GROUP,        "",             FOR_EVER },
    {"",                          "@status",        0,        NODE_STATUS,       "",             FOR_EVER },
    {"",                          "@metrics",       0,        NODE_METRICS,      "",             FOR_EVER },
    {"",                          "@stat",          -ENOENT,  0,                 NULL,           0        },
    {"",                          "3e120e8d",       0,        NODE_MODEL,        "3e120e8d",     AS_LISTED},
    {"",                          "11111111",       -ENOENT,  0,                 NULL,           0        },
    {"",                          "3e120e8d-1.0.0", 0,        NODE_LINK_ROOT,    "1.0.0",        FOR_EVER },
    {"",                          "3e120e8d-3.0.0", -ENOENT,  0,                 NULL,           0        },
    {"",                          "small",          0,        NODE_ALIAS,        "small",        AS_LISTED},
    {"",                          "large",          -ENOENT,  0,                 NULL,           0        },
    {"",                          "a b?",           -ENOENT,  0,                 NULL,           0        },
    {"",                          "..",             -ENOENT,  0,                 NULL,           0        },
    {"3e120e8d",                  "1.0.0",          0,        NODE_VERSION,      "1.0.0",        FOR_EVER },
    {"3e120e8d",                  "3.0.0",          -ENOENT,  0,                 NULL,           0        },
    {"3e120e8d",                  "latest",         0,        NODE_LINK_MODEL,   "2.0.0",        AS_LISTED},
    {"3e120e8d",                  "current",        -ENOENT,  0,                 NULL,           0        },
    {"3e120e8d",                  "..",             -ENOENT,  0,                 NULL,           0        },
    {"small",                     "1.0.0",          0,        NODE_LINK_ALIAS,   "1.0.0",        AS_LISTED},
    {"small",                     "2.0.0",          0,        NODE_LINK_ALIAS,   "2.0.0",        AS_LISTED},
    {"small",                     "current",        0,        NODE_LINK_ALIAS,   "1.0.0",        AS_LISTED},
    {"small",                     "latest",         0,        NODE_LINK_ALIAS,   "2.0.0",        AS_LISTED},
    {"small",                     "3.0.0",          -ENOENT,  0,                 NULL,           0        },
    {"small",                     ".",              -ENOENT,  0,                 NULL,           0        },
    {"newest",                    "current",        0,        NODE_LINK_ALIAS,   "2.0.0",        AS_LISTED},
    {"3e120e8d/1.0.0",            "model.yaml",     0,        NODE_MEMBER,       "1.0.0",        FOR_EVER },
    {"3e120e8d/1.0.0",            "log",            0,        NODE_MEMBER,       "1.0.0",        FOR_EVER },
    {"3e120e8d/1.0.0",            "eval.yaml",      -ENOENT,  0,                 NULL,           0        },
    {"3e120e8d/1.0.0",            "@info",          -ENOENT,  0,                 NULL,           0        },
    {"3e120e8d/1.0.0/log",        "eval.yaml",      0,        NODE_MEMBER,       "1.0.0",        FOR_EVER },
    {"3e120e8d/1.0.0/log",        "model.yaml",     -ENOENT,  0,                 NULL,           0        },
    {"3e120e8d/1.0.0/model.yaml", "a",              -ENOENT,  0,                 NULL,           0        },
    {"@info",                     "3e120e8d",       0,        NODE_INFO_MODEL,   "3e120e8d",     AS_LISTED},
    {"@info",                     "small",          0,        NODE_INFO_ALIAS,   "small",        AS_LISTED},
    {"@info",                     "@info",          -ENOENT,  0,                 NULL,           0        },
    {"@info/3e120e8d",            "1.0.0",          0,        NODE_INFO_VERSION, "1.0.0",        FOR_EVER },
    {"@info/3e120e8d",            "latest",         0,        NODE_LINK_MODEL,   "2.0.0",        AS_LISTED},
    {"@info/small",               "current",        0,        NODE_LINK_ALIAS,   "1.0.0",        AS_LISTED},
    {"@info/3e120e8d/1.0.0",      "uid",            0,        NODE_INFO_FILE,    "1.0.0",        FOR_EVER },
    {"@info/3e120e8d/1.0.0",      "uids",           -ENOENT,  0,                 NULL,           0        },
    {"@tree",                     "emotion",        0,        NODE_GROUP,        "emotion",      AS_LISTED},
    {"@tree",                     "fear",           -ENOENT,  0,                 NULL,           0        },
    {"@tree/emotion",             "onnx",           0,        NODE_GROUP,        "emotion/onnx", AS_LISTED},
    {"@tree/emotion/onnx",        "11111111",       -ENOENT,  0,                 NULL,           0        },
    {"@status",                   "a",              -ENOTDIR, 0,                 NULL,           0        },
    {"small/current",             "model.yaml",     -ENOTDIR, 0,                 NULL,           0        },
};

static void names_are_found(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place parent = fs_fixture_place(&fixture, cases[i].folder);
        struct place child = {0};
        struct error err = {0};
        int64_t keep_ms = -1;

        test_row(i, "'%s' in '%s'", cases[i].name, cases[i].folder);
        assert_int_equal(child_find(&fixture.fs, &parent, cases[i].name, RESOLVE_FETCH,
                                    &child, &keep_ms, &err),
                         cases[i].rc);
        if (cases[i].rc < 0) {
            assert_true(err.message[0] != '\0');
            continue;
        }
        assert_int_equal(child.kind, cases[i].kind);
        assert_string_equal(child.name ? child.name : child.release.version,
                            cases[i].text);
        assert_true(cases[i].keep == FOR_EVER ? keep_ms == INT64_MAX
                                              : keep_ms > 0 && keep_ms <= 3600 * 1000);
    }
    fs_fixture_close(&fixture);
}

/* A FUSE thread must not wait: what is not known is said to be asked for. */
static void nothing_is_asked_that_is_not_known(void **state)
{
    struct fs_fixture fixture;
    uint64_t asked;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place parent = fs_fixture_place(&fixture, cases[i].folder);
        struct place child;
        struct error err = {0};
        int64_t keep_ms;
        int rc;

        test_row(i, "'%s' in '%s'", cases[i].name, cases[i].folder);
        asked = counting_backend_total(fixture.cache.counting);
        rc = child_find(&fixture.fs, &parent, cases[i].name, RESOLVE_KNOWN, &child,
                        &keep_ms, &err);
        assert_true(rc == -EINPROGRESS || rc == cases[i].rc);
        assert_int_equal(counting_backend_total(fixture.cache.counting), asked);
        (void)child_find(&fixture.fs, &parent, cases[i].name, RESOLVE_FETCH, &child,
                         &keep_ms, &err); /* its answer: names_are_found */
        assert_int_equal(child_find(&fixture.fs, &parent, cases[i].name, RESOLVE_KNOWN,
                                    &child, &keep_ms, &err),
                         cases[i].rc);
    }
    fs_fixture_close(&fixture);
}

static void reserved_versions_are_reached_by_full_id(void **state)
{
    static const char *const names[] = {"latest", "current"};
    static const struct zip_file file = {.name = "x", .data = "", .is_stored = true};
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char full[64], path[80];

        test_row(i, "%s", names[i]);
        assert_true(child_is_reserved(names[i]));
        fixture_publish_as(&fixture.cache, names[i], &file, 1);
        snprintf(full, sizeof full, "3e120e8d-%s", names[i]);
        assert_int_equal(fs_fixture_place(&fixture, full).kind, NODE_VERSION);
        snprintf(path, sizeof path, "@info/%s", full);
        assert_int_equal(fs_fixture_place(&fixture, path).kind, NODE_INFO_VERSION);
    }
    assert_true(child_is_reserved("."));
    assert_true(child_is_reserved(".."));
    assert_false(child_is_reserved("1.0.0"));
    fs_fixture_close(&fixture);
}

static void leaves_of_the_tree_are_links(void **state)
{
    struct fs_fixture fixture;
    struct place place;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    place = fs_fixture_place(&fixture, "@tree/emotion/onnx/3e120e8d");
    assert_int_equal(place.kind, NODE_GROUP_LINK);
    assert_string_equal(place.name, "emotion/onnx/3e120e8d");
    fs_fixture_close(&fixture);
}

static void large_members_have_an_arriving_place(void **state)
{
    struct fs_fixture fixture;
    struct archive *archive;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    assert_true(fs_fixture_place(&fixture, "3e120e8d/1.0.0/big.bin").is_arriving);
    assert_false(fs_fixture_place(&fixture, "3e120e8d/1.0.0/model.yaml").is_arriving);
    assert_false(fs_fixture_place(&fixture, "3e120e8d/1.0.0/log").is_arriving);
    archive = fixture_archive(&fixture.cache);
    assert_true(fixture_has(archive, "big.bin", fixture.big, FS_BIG));
    archive_unref(archive);
    assert_false(fs_fixture_place(&fixture, "3e120e8d/1.0.0/big.bin").is_arriving);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(nothing_is_asked_that_is_not_known),
        cmocka_unit_test(reserved_versions_are_reached_by_full_id),
        cmocka_unit_test(leaves_of_the_tree_are_links),
        cmocka_unit_test(large_members_have_an_arriving_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
