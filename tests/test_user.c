/* test_user.c: the password file, against what getent says of it. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/user.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    ROOT = 0,
    NOBODY_HAS = 4000000001, /* no user */
};

static void root_is_there(void **state)
{
    CLEANUP_FREE char *name = NULL, *home = NULL;
    char line[1024], expected[1024];
    struct error err = {0};
    FILE *file = popen("getent passwd 0", "re");

    (void)state;
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_int_equal(pclose(file), 0);
    assert_int_equal(user_name(ROOT, &name, &err), 0);
    assert_int_equal(user_home(ROOT, &home, &err), 0);
    snprintf(expected, sizeof expected, "%s:", name);
    assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
    snprintf(expected, sizeof expected, ":%s:", home);
    assert_non_null(strstr(line, expected));
}

static void a_stranger_is_not(void **state)
{
    char *text = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(user_name((uid_t)NOBODY_HAS, &text, &err), -ENOENT);
    assert_non_null(strstr(err.message, "4000000001"));
    assert_int_equal(user_home((uid_t)NOBODY_HAS, &text, &err), -ENOENT);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_there),
        cmocka_unit_test(a_stranger_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
