#include "common/paths.h"

#include "common/cleanup.h"
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void paths_are_expanded(void **state)
{
    static const struct {
        const char *text, *base;
        int rc;
        const char *path;
    } cases[] = {
        {"/a/b",   "/base", 0,       "/a/b"        },
        {"a/../b", "/base", 0,       "/base/a/../b"},
        {"~",      "/base", 0,       "/home/me"    },
        {"~/x",    "/base", 0,       "/home/me/x"  },
        {"x",      NULL,    0,       "/tmp/x"      },
        {"~x",     "/base", -EINVAL, NULL          },
        {"",       "/base", -EINVAL, NULL          },
    };

    (void)state;
    setenv("HOME", "/home/me", 1);
    assert_int_equal(chdir("/tmp"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *path = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        assert_int_equal(paths_expand(cases[i].text, cases[i].base, &path, &err),
                         cases[i].rc);
        if (cases[i].rc < 0)
            assert_null(path);
        else
            assert_string_equal(path, cases[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_expanded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
