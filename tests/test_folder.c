/* test_folder.c: which names each folder of the tree lists. */
#include "tests/test.h"

#include "fs/child.h"
#include "fs/folder.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *path;
    int rc;
    const char *names;
} cases[] = {
    {"",                          0,        "@info @tree @status @metrics newest small 3e120e8d "},
    {"@info",                     0,        "newest small 3e120e8d "                             },
    {"3e120e8d",                  0,        "1.0.0 2.0.0 latest "                                },
    {"small",                     0,        "1.0.0 2.0.0 latest current "                        },
    {"@info/3e120e8d",            0,        "1.0.0 2.0.0 latest "                                },
    {"@info/small",               0,        "1.0.0 2.0.0 latest current "                        },
    {"3e120e8d/1.0.0",            0,        "big.bin folder log model.yaml "                     },
    {"3e120e8d/1.0.0/log",        0,        "eval.yaml "                                         },
    {"3e120e8d/1.0.0/folder",     0,        ""                                                   },
    {"@tree",                     0,        "emotion "                                           },
    {"@tree/emotion/onnx",        0,        "3e120e8d "                                          },
    {"3e120e8d/1.0.0/model.yaml", -ENOTDIR, NULL                                                 },
    {"3e120e8d/latest",           -ENOTDIR, NULL                                                 },
    {"@status",                   -ENOTDIR, NULL                                                 },
};

static void folders_list_their_names(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = fs_fixture_place(&fixture, cases[i].path), child;
        struct folder *folder = NULL;
        struct error err = {0};
        char names[256] = "";

        test_row(i, "'%s'", cases[i].path);
        assert_int_equal(
            folder_make(&fixture.fs, &place, 0, RESOLVE_FETCH, &folder, &err),
            cases[i].rc);
        if (!folder)
            continue;
        for (size_t position = 0; position < folder_size(folder); position++) {
            const char *name = folder_get(folder, position, &child);

            snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", name);
        }
        assert_string_equal(names, cases[i].names);
        assert_null(folder_get(folder, folder_size(folder), &child));
        folder_free(folder);
    }
    fs_fixture_close(&fixture);
}

/* The kernel is told the type of each name before it looks it up. */
static void listed_names_are_what_lookup_finds(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = fs_fixture_place(&fixture, cases[i].path), listed, found;
        struct folder *folder = NULL;
        struct error err = {0};
        int64_t keep_ms;

        test_row(i, "'%s'", cases[i].path);
        if (cases[i].rc < 0)
            continue;
        assert_int_equal(
            folder_make(&fixture.fs, &place, 0, RESOLVE_FETCH, &folder, &err), 0);
        for (size_t position = 0; position < folder_size(folder); position++) {
            const char *name = folder_get(folder, position, &listed);

            assert_int_equal(child_find(&fixture.fs, &place, name, RESOLVE_FETCH, &found,
                                        &keep_ms, &err),
                             0);
            assert_int_equal(listed.kind, found.kind);
            if (listed.kind != NODE_MEMBER && listed.kind != NODE_INFO_FILE)
                continue;
            assert_int_equal(listed.index, found.index);
            assert_string_equal(listed.release.id, found.release.id);
            assert_string_equal(listed.digest, found.digest);
        }
        folder_free(folder);
    }
    fs_fixture_close(&fixture);
}

static void reserved_versions_have_no_name(void **state)
{
    static const struct zip_file file = {.name = "x", .data = "", .is_stored = true};
    struct place model = {.kind = NODE_MODEL, .name = FIXTURE_ID}, child;
    struct folder *folder = NULL;
    struct fs_fixture fixture;
    struct error err = {0};
    size_t count = 0, latest = 0;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fixture_publish_as(&fixture.cache, "latest", &file, 1);
    fixture_publish_as(&fixture.cache, "current", &file, 1);
    assert_int_equal(folder_make(&fixture.fs, &model, 0, RESOLVE_FETCH, &folder, &err),
                     0);
    for (size_t position = 0; position < folder_size(folder); position++) {
        const char *name = folder_get(folder, position, &child);

        count += name != NULL;
        latest += name && strcmp(name, "latest") == 0;
    }
    assert_int_equal(count, 3);
    assert_int_equal(latest, 1);
    folder_free(folder);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_list_their_names),
        cmocka_unit_test(listed_names_are_what_lookup_finds),
        cmocka_unit_test(reserved_versions_have_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
