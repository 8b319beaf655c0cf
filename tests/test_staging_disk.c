/* Tests of staging_disk.c. */
#include "tests/test.h"

#include "fs/staging_disk.h"
#include "tests/staged.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/wait.h>

/* Where a number's file lies: its name, "" where it is gone. */
static void assert_at(const struct staged_fixture *staged, uint64_t number,
                      const char *expected)
{
    struct staging_at at = {.folder_fd = -1};
    struct error err = {0};
    int rc = staging_disk_locate(staged->disk, number, &at, &err);

    assert_int_equal(rc, *expected ? 0 : -ESTALE);
    assert_string_equal(*expected ? at.name : "", expected);
    if (rc == 0)
        close(at.folder_fd);
}

static void test_locate(void **state)
{
    struct staged_fixture staged = staged_open(*state);
    uint64_t job = staged_mkdir(&staged, 0, "job");
    uint64_t file = staged_put(&staged, job, "a");

    assert_at(&staged, 0, ".");
    assert_at(&staged, job, "job");
    assert_at(&staged, file, "a");
    assert_at(&staged, 12345, "");
    staged_close(&staged);
}

/* Somebody works in the folder without us. */
static void test_another_file_of_that_name(void **state)
{
    struct staged_fixture staged = staged_open(*state);
    int landing = staging_disk_fd(staged.disk);
    uint64_t file = staged_put(&staged, 0, "a");
    uint64_t job = staged_mkdir(&staged, 0, "job"), other;
    struct error err = {0};

    staged_put(&staged, 0, "b");
    assert_int_equal(renameat(landing, "a", landing, "c"), 0);
    assert_at(&staged, file, "");
    assert_int_equal(renameat(landing, "b", landing, "a"), 0);
    assert_at(&staged, file, "");
    assert_true(staged_number(&staged, 0, "c") == file); /* looked up anew */
    assert_at(&staged, file, "c");
    assert_int_equal(renameat(landing, "job", landing, "moved"), 0);
    assert_int_equal(mkdirat(landing, "job", 0700), 0);
    assert_int_equal(staging_disk_folder(staged.disk, job, &err), -ESTALE);
    assert_int_equal(symlinkat("/", landing, "link"), 0);
    other = staged_number(&staged, 0, "link");
    assert_int_equal(staging_disk_folder(staged.disk, other, &err), -ELOOP);
    assert_int_equal(staging_disk_folder(staged.disk, file, &err), -ENOTDIR);
    staged_close(&staged);
}

static void test_unlinked(void **state)
{
    struct staged_fixture staged = staged_open(*state);
    uint64_t file = staged_put(&staged, 0, "a");
    int trash = staging_disk_trash_fd(staged.disk);
    char name[NAME_MAX + 1];

    staging_disk_trash_name(file, name);
    assert_int_equal(linkat(staging_disk_fd(staged.disk), "a", trash, name, 0), 0);
    assert_int_equal(unlinkat(staging_disk_fd(staged.disk), "a", 0), 0);
    assert_at(&staged, file, name); /* a worker died before it was told */
    staging_node_kill(staged.nodes, file);
    assert_at(&staged, file, name);
    assert_int_equal(unlinkat(trash, name, 0), 0);
    assert_at(&staged, file, "");
    staged_close(&staged);
}

/* 400 names of 200 bytes: twenty times what the kernel takes as one path. */
static void test_deep(void **state)
{
    struct staged_fixture staged = staged_open(*state);
    uint64_t number = 0;
    char name[201];

    memset(name, 'd', 200);
    name[200] = '\0';
    for (int i = 0; i < 400; i++)
        number = staged_mkdir(&staged, number, name);
    assert_at(&staged, number, name);
    assert_at(&staged, staged_put(&staged, number, "a"), "a");
    staged_close(&staged);
}

/* Unlinked files of mounts that are gone; those of others are left alone. */
static void test_sweep(void **state)
{
    const struct folder *folder = *state;
    struct staged_fixture staged = staged_open(folder);
    char dead[128], alive[64], name[64];
    pid_t pid = fork();
    struct stat st;

    if (pid == 0)
        _exit(0);
    assert_true(waitpid(pid, NULL, 0) == pid);
    snprintf(dead, sizeof dead, ".modelfs/unlinked/%d-1", pid);
    snprintf(alive, sizeof alive, ".modelfs/unlinked/%d-1", getpid());
    snprintf(name, sizeof name, ".modelfs/unlinked/%d-1/7", pid);
    assert_int_equal(mkdirat(folder->fd, dead, 0700), 0);
    assert_int_equal(mkdirat(folder->fd, alive, 0700), 0);
    folder_put(folder->fd, name, "x", 1, 0600, 0);
    staging_disk_close(staged.disk);
    staged_open_disk(&staged, folder);
    assert_int_equal(fstatat(folder->fd, dead, &st, 0), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fstatat(folder->fd, alive, &st, 0), 0);
    staged_close(&staged);
}

static void test_one_mount_has_it(void **state)
{
    struct staged_fixture staged = staged_open(*state);
    struct staging_disk *second = NULL;
    struct error err = {0};

    assert_int_equal(staging_disk_open(((struct folder *)*state)->path,
                                       (struct staging_mount){.mounted_s = 1},
                                       staged.nodes, &second, &err),
                     -EAGAIN);
    assert_null(second);
    staged_close(&staged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_locate, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_another_file_of_that_name, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_unlinked, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_deep, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_sweep, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_one_mount_has_it, folder_open, folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
