/* test_pack_reader.c: a file that is no longer the one that was listed. */
#include "tests/test.h"

#include "tests/folders.h"

#include "publish/pack_reader.h"

#include <errno.h>
#include <unistd.h>

enum { THEN = 1000000000 };

static void grow(int fd)
{
    folder_put(fd, "file", "0123456789x", 11, 0644, THEN);
}

static void touch(int fd)
{
    struct timespec times[2] = {
        {.tv_sec = THEN},
        { .tv_sec = THEN,  .tv_nsec = 1}
    };

    assert_int_equal(utimensat(fd, "file", times, 0), 0);
}

static void change_mode(int fd)
{
    assert_int_equal(fchmodat(fd, "file", 0755, 0), 0);
}

static void replace(int fd)
{
    folder_put(fd, "other", "9876543210", 10, 0644, THEN);
    assert_int_equal(renameat(fd, "other", fd, "file"), 0);
}

static void remove_it(int fd)
{
    assert_int_equal(unlinkat(fd, "file", 0), 0);
}

static void put_pipe(int fd)
{
    remove_it(fd);
    assert_int_equal(mkfifoat(fd, "file", 0644), 0);
}

static void put_folder(int fd)
{
    remove_it(fd);
    assert_int_equal(mkdirat(fd, "file", 0755), 0);
}

static void changes_before_the_open_are_noticed(void **state)
{
    static const struct {
        const char *name;
        void (*change)(int fd);
    } cases[] = {
        {"grow",        grow       },
        {"touch",       touch      },
        {"change_mode", change_mode},
        {"replace",     replace    },
        {"remove",      remove_it  },
        {"pipe",        put_pipe   },
        {"folder",      put_folder },
    };
    int fd = ((struct folder *)*state)->fd;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_PACK_LIST struct pack_list list = {0};
        struct pack_reader reader;
        struct error err = {0};

        test_row(i, "%s", cases[i].name);
        assert_int_equal(files_remove_tree(fd, "file", &err), 0);
        folder_put(fd, "file", "0123456789", 10, 0644, THEN);
        assert_int_equal(pack_scan(fd, 0, &list, &err), 0);
        cases[i].change(fd);
        assert_int_equal(pack_reader_open(fd, &list, &list.files[0], &reader, &err),
                         -ESTALE);
        assert_string_equal(err.message, "'file' changed while it was read; try again");
    }
}

static ssize_t read_all(struct pack_reader *reader, struct error *err)
{
    char buffer[4];
    ssize_t got, sum = 0;

    while ((got = pack_reader_read(reader, buffer, sizeof buffer, err)) > 0)
        sum += got;
    return got < 0 ? got : sum;
}

static void changes_after_the_open_are_noticed(void **state)
{
    static const struct {
        off_t size; /* that the file gets, in place */
        int64_t mtime_s;
        ssize_t rc;
    } cases[] = {
        {10, THEN,     10     },
        {9,  THEN,     -ESTALE},
        {11, THEN,     -ESTALE},
        {10, THEN + 1, -ESTALE},
    };
    int fd = ((struct folder *)*state)->fd;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_PACK_LIST struct pack_list list = {0};
        CLEANUP_PACK_READER struct pack_reader reader = {.fd = -1};
        struct timespec times[2] = {{.tv_sec = THEN}, {.tv_sec = cases[i].mtime_s}};
        struct error err = {0};
        int file_fd;

        test_row(i, "%d bytes", (int)cases[i].size);
        folder_put(fd, "file", "0123456789", 10, 0644, THEN);
        assert_int_equal(pack_scan(fd, 0, &list, &err), 0);
        assert_int_equal(pack_reader_open(fd, &list, &list.files[0], &reader, &err), 0);
        file_fd = openat(fd, "file", O_WRONLY | O_CLOEXEC);
        assert_int_equal(ftruncate(file_fd, cases[i].size), 0);
        assert_int_equal(futimens(file_fd, times), 0);
        close(file_fd);
        assert_int_equal(read_all(&reader, &err), cases[i].rc);
    }
}

static void files_that_nobody_may_read_are_named(void **state)
{
    CLEANUP_PACK_LIST struct pack_list list = {0};
    struct folder *folder = *state;
    struct pack_reader reader;
    struct error err = {0};
    bool is_root = geteuid() == 0;
    int rc;

    folder_put(folder->fd, "locked", "x", 1, 0000, THEN);
    assert_int_equal(pack_scan(folder->fd, 0, &list, &err), 0);
    if (is_root)
        assert_int_equal(chmod(folder->path, 0755) | seteuid(65534), 0);
    rc = pack_reader_open(folder->fd, &list, &list.files[0], &reader, &err);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, -EACCES);
    assert_string_equal(err.message, "open 'locked': Permission denied");
}

#define reader_test(function)                                                            \
    cmocka_unit_test_setup_teardown(function, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        reader_test(changes_before_the_open_are_noticed),
        reader_test(changes_after_the_open_are_noticed),
        reader_test(files_that_nobody_may_read_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
