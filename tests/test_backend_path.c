/* test_backend_path.c: which paths may be asked of a repository. */
#include "tests/test.h"

#include "backends/backend_path.h"
#include "backends/backend_types.h"

#include <errno.h>
#include <string.h>

static void paths_have_no_odd_parts(void **state)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {"a",                 0      },
        {"a/b/c.zip",         0      },
        {"...",               0      },
        {"a/..b/.c/d..",      0      },
        {".hidden/_uid",      0      },
        {"a b/\xc3\xa4/\\/~", 0      },
        {"",                  -EINVAL},
        {"/",                 -EINVAL},
        {"/a",                -EINVAL},
        {"a/",                -EINVAL},
        {"a//b",              -EINVAL},
        {".",                 -EINVAL},
        {"..",                -EINVAL},
        {"./a",               -EINVAL},
        {"../a",              -EINVAL},
        {"a/.",               -EINVAL},
        {"a/..",              -EINVAL},
        {"a/./b",             -EINVAL},
        {"a/../b",            -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "'%s'", cases[i].path);
        assert_int_equal(backend_path_check(cases[i].path, &err), cases[i].rc);
    }
}

static void paths_have_a_longest_one(void **state)
{
    char path[BACKEND_PATH_MAX + 1];
    struct error err = {0};

    (void)state;
    memset(path, 'a', sizeof path);
    path[BACKEND_PATH_MAX - 1] = '\0';
    assert_int_equal(backend_path_check(path, &err), 0);
    path[BACKEND_PATH_MAX - 1] = 'a';
    path[BACKEND_PATH_MAX] = '\0';
    assert_int_equal(backend_path_check(path, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_have_no_odd_parts),
        cmocka_unit_test(paths_have_a_longest_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
