/* test_mount_point.c: what may be mounted on, and beside which configured folders. */
#include "tests/test.h"

#include "cli/mount_point.h"
#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char top[] = "/tmp/test_mount_point.XXXXXX";

static int make_folders(void **state)
{
    struct error err = {0};

    (void)state;
    if (!mkdtemp(top) || chdir(top) < 0)
        return -1;
    if (files_make_folders(AT_FDCWD, "folder/below", 0755, &err) < 0)
        return -1;
    fclose(fopen("file", "w"));
    return symlink("folder", "link");
}

static int remove_folders(void **state)
{
    struct error err = {0};

    (void)state;
    return files_remove_tree(AT_FDCWD, top, &err);
}

static void folders_are_checked(void **state)
{
    static const struct {
        const char *given;
        int rc;
        const char *name; /* below top, or what the message holds */
    } cases[] = {
        {"folder",         0,        "/folder"      },
        {"folder/",        0,        "/folder"      },
        {"link",           0,        "/folder"      },
        {"link/../folder", 0,        "/folder"      },
        {"folder/./below", 0,        "/folder/below"},
        {"missing",        -ENOENT,  "mkdir -p"     },
        {"file",           -ENOTDIR, "is no folder" },
        {"/proc",          -EBUSY,   "type proc"    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *path = NULL;
        struct error err = {0};
        int rc;

        test_row(i, "%s", cases[i].given);
        rc = mount_point_check(cases[i].given, &path, &err);
        assert_int_equal(rc, cases[i].rc);
        if (rc < 0) {
            assert_non_null(strstr(err.message, cases[i].given));
            assert_non_null(strstr(err.message, cases[i].name));
            continue;
        }
        assert_memory_equal(path, top, strlen(top));
        assert_string_equal(path + strlen(top), cases[i].name);
    }
}

static void names_need_not_be_touched(void **state)
{
    static const struct {
        const char *given;
        const char *name; /* below top */
    } cases[] = {
        {"missing",      "/missing"       },
        {"link/missing", "/folder/missing"},
        {"link",         "/link"          },
        {"folder/",      "/folder"        },
        {".",            ""               },
        {"folder/..",    ""               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *path = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].given);
        assert_int_equal(mount_point_name(cases[i].given, &path, &err), 0);
        assert_memory_equal(path, top, strlen(top));
        assert_string_equal(path + strlen(top), cases[i].name);
    }
}

/* The path is absolute and without links; the configuration need not be. */
static void configured_folders_are_kept_apart(void **state)
{
    static const struct {
        const char *mountpoint, *cache_root, *host;
        const char *message; /* NULL: they are apart */
    } cases[] = {
        {"/m",          "/c",   "/r",          NULL                         },
        {"/m",          "/m2",  "/mm",         NULL                         },
        {"/m",          "/m/c", "/r",          "the cache folder lies at"   },
        {"/m",          "/m",   "/r",          "the cache folder lies at"   },
        {"/m",          "/c",   "/m/deep/r",   "repository 'models' lies at"},
        {"/m",          "/c",   "https://m/r", NULL                         },
        {"/c/m",        "/c",   "/r",          "lies in the cache folder"   },
        {"/r/models/m", "/c",   "/r",          "lies in repository 'models'"},
        {"/r/m",        "/c",   "/r",          NULL                         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config_repository repository = {.name = (char *)"models",
                                               .host = (char *)cases[i].host};
        struct config config = {.cache_root = (char *)cases[i].cache_root,
                                .repositories = &repository,
                                .repository_count = 1};
        struct error err = {0};
        int rc;

        test_row(i, "%s %s %s", cases[i].mountpoint, cases[i].cache_root, cases[i].host);
        rc = mount_point_check_config(cases[i].mountpoint, &config, &err);
        assert_int_equal(rc, cases[i].message ? -EINVAL : 0);
        if (rc < 0)
            assert_non_null(strstr(err.message, cases[i].message));
    }
}

/* A cache folder that is reached by a link and does not exist yet. */
static void links_lead_where_they_lead(void **state)
{
    char mountpoint[64];
    char root[64];
    struct config config = {.cache_root = root};
    struct error err = {0};

    (void)state;
    snprintf(mountpoint, sizeof mountpoint, "%s/folder", top);
    snprintf(root, sizeof root, "%s/link/new/cache", top);
    assert_int_equal(mount_point_check_config(mountpoint, &config, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_checked),
        cmocka_unit_test(names_need_not_be_touched),
        cmocka_unit_test(configured_folders_are_kept_apart),
        cmocka_unit_test(links_lead_where_they_lead),
    };

    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
