/* Tests of target.c. */
#include "fs/target.h"
#include "tests/test.h"

#include <errno.h>

static void test_parse(void **state)
{
    static const struct {
        const char *target;
        int rc;
        const char *path;
    } rows[] = {
        {"../3e120e8d/1.0.0",            0,       "3e120e8d/1.0.0" },
        {"../3e120e8d/1.0.0/",           0,       "3e120e8d/1.0.0" },
        {"..///3e120e8d/./1.0.0",        0,       "3e120e8d/1.0.0" },
        {"../no/such/../../3e120e8d",    0,       "3e120e8d"       },
        {"/m/models/3e120e8d/latest",    0,       "3e120e8d/latest"},
        {"../../models/3e120e8d/latest", 0,       "3e120e8d/latest"},
        {"../../../../m/models/x",       0,       "x"              },
        {"sibling",                      0,       "prod/sibling"   },
        {"",                             0,       "prod"           },
        {"..",                           -EINVAL, NULL             },
        {"/",                            -EINVAL, NULL             },
        {"/m/models",                    -EINVAL, NULL             },
        {"/m/models2/3e120e8d",          -EINVAL, NULL             },
        {"../../elsewhere/3e120e8d",     -EINVAL, NULL             },
        {"../3e120e8d/1.0.0/a.txt",      -EINVAL, NULL             },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error err = {0};
        char path[TARGET_SIZE];

        test_row(i, "%s", rows[i].target);
        assert_int_equal(target_parse("/m/models", "prod", rows[i].target, path, &err),
                         rows[i].rc);
        if (rows[i].path)
            assert_string_equal(path, rows[i].path);
    }
}

static void test_too_long(void **state)
{
    struct error err = {0};
    char path[TARGET_SIZE];
    char target[4096];

    (void)state;
    memset(target, 'x', sizeof target);
    memcpy(target, "../", 3);
    target[sizeof target - 1] = '\0';
    assert_int_equal(target_parse("/m", "prod", target, path, &err), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
