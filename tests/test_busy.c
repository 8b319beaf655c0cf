/* test_busy.c: finds who has something open below a folder. */
#include "tests/test.h"

#include "cli/busy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void open_files_are_found(void **state)
{
    char folder[] = "/tmp/test_busy.XXXXXX";
    char sibling[64];
    char file[64];
    char mine[64];
    char users[256];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(sibling, sizeof sibling, "%.*s", (int)strlen(folder) - 1, folder);
    snprintf(mine, sizeof mine, "(%d)", getpid());
    busy_users(folder, users, sizeof users);
    assert_string_equal(users, "");
    fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    busy_users(folder, users, sizeof users);
    assert_non_null(strstr(users, mine));
    assert_memory_equal(users, "test_busy ", strlen("test_busy "));
    busy_users(sibling, users, sizeof users); /* a name that only begins alike */
    assert_string_equal(users, "");
    busy_users(folder, users, 4); /* cut, not overrun */
    assert_string_equal(users, "tes");
    close(fd);
    unlink(file);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_files_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
