/* test_busy.c: finds who has something open below a folder. */
#include "tests/test.h"

#include "cli/busy.h"
#include "common/cleanup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long long mount_of(int fd)
{
    CLEANUP_FCLOSE FILE *file = NULL;
    char name[64];
    long long id = -1;

    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    file = fopen(name, "re");
    while (file && fgets(name, sizeof name, file)) {
        if (sscanf(name, "mnt_id: %lld", &id) == 1)
            break;
    }
    assert_true(id >= 0);
    return id;
}

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
    busy_users(folder, -1, users, sizeof users);
    assert_string_equal(users, "");
    fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    busy_users(folder, -1, users, sizeof users);
    assert_non_null(strstr(users, mine));
    assert_memory_equal(users, "test_busy ", strlen("test_busy "));
    busy_users(sibling, -1, users, sizeof users); /* a name that only begins alike */
    assert_string_equal(users, "");
    busy_users(folder, -1, users, 4); /* cut, not overrun */
    assert_string_equal(users, "tes");
    busy_users(folder, mount_of(fd), users, sizeof users);
    assert_non_null(strstr(users, mine));
    busy_users(folder, mount_of(fd) + 1, users, sizeof users);
    assert_string_equal(users, "");
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
