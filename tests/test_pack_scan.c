/* test_pack_scan.c: which files an archive gets, and what no archive can hold. */
#include "tests/test.h"

#include "tests/folders.h"

#include "cache/toc.h"
#include "publish/pack_scan.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIFTY "01234567890123456789012345678901234567890123456789"

static const struct pack_file *find(const struct pack_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(pack_scan_path(list, &list->files[i]), path) == 0)
            return &list->files[i];
    }
    fail_msg("'%s' is not listed", path);
    return NULL;
}

static void files_are_listed_as_they_are(void **state)
{
    static const struct {
        const char *path, *text;
        mode_t mode;
    } cases[] = {
        {".git/HEAD",    "ref",  0444 },
        {"a/b/c/d/deep", "deep", 0600 },
        {"run",          "",     04755},
        {"\xe4\xb8\xad", "x",    0644 },
        {"back\\slash",  "x",    0644 },
        {"tab\there",    "x",    0644 },
    };
    int fd = ((struct folder *)*state)->fd;
    struct pack_list list;
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        folder_put(fd, cases[i].path, cases[i].text, strlen(cases[i].text), cases[i].mode,
                   1000000000 + (int64_t)i);
    assert_int_equal(files_make_folders(fd, "empty/folder", 0777, &err), 0);
    assert_int_equal(pack_scan(fd, 0, &list, &err), 0);
    assert_int_equal(list.count, ARRAY_SIZE(cases));
    assert_int_equal(list.content_size, 3 + 4 + 3);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct pack_file *file;

        test_row(i, "%s", cases[i].path);
        file = find(&list, cases[i].path);
        assert_int_equal(file->size, strlen(cases[i].text));
        assert_int_equal(file->mode, S_IFREG | cases[i].mode);
        assert_int_equal(file->mtime.tv_sec, 1000000000 + i);
    }
    pack_scan_done(&list);
}

static void links_to_files_are_files(void **state)
{
    int fd = ((struct folder *)*state)->fd;
    char path[128];
    struct pack_list list;
    struct error err = {0};

    folder_put(fd, "outside", "content", 7, 0600, 1000000000);
    assert_int_equal(files_make_folders(fd, "model", 0777, &err), 0);
    snprintf(path, sizeof path, "%s/outside", ((struct folder *)*state)->path);
    assert_int_equal(symlinkat(path, fd, "model/absolute"), 0);
    assert_int_equal(symlinkat("../outside", fd, "model/relative"), 0);
    assert_int_equal(symlinkat("relative", fd, "model/chain"), 0);
    fd = openat(fd, "model", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(pack_scan(fd, 0, &list, &err), 0);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.files[i].mode, S_IFREG | 0600);
        assert_int_equal(list.files[i].size, 7);
    }
    pack_scan_done(&list);
    close(fd);
}

static void put_socket(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", fd, path);
    assert_int_equal(bind(unix_fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(unix_fd);
}

static void put_pipe(int fd, const char *path)
{
    assert_int_equal(mkfifoat(fd, path, 0666), 0);
}

static void put_dangling(int fd, const char *path)
{
    assert_int_equal(symlinkat("nowhere", fd, path), 0);
}

static void put_loop(int fd, const char *path)
{
    assert_int_equal(symlinkat(strrchr(path, '/') + 1, fd, path), 0);
}

static void put_folder_link(int fd, const char *path)
{
    assert_int_equal(symlinkat("..", fd, path), 0);
}

static void put_device_link(int fd, const char *path)
{
    assert_int_equal(symlinkat("/dev/null", fd, path), 0);
}

static void put_file(int fd, const char *path)
{
    folder_put(fd, path, "", 0, 0644, 1000000000);
}

static void what_no_archive_can_hold_is_refused_by_its_path(void **state)
{
    static const struct {
        void (*put)(int fd, const char *path);
        const char *path, *reason;
    } cases[] = {
        {put_dangling,    "a/dangling",   "the link 'a/dangling' leads to nothing"},
        {put_loop,        "a/loop",       "the link 'a/loop' leads to nothing"    },
        {put_folder_link, "a/up",         "the link 'a/up' leads to a folder"     },
        {put_device_link, "a/null",       "'a/null' is a character device"        },
        {put_pipe,        "a/pipe",       "'a/pipe' is a named pipe"              },
        {put_socket,      "a/socket",     "'a/socket' is a socket"                },
        {put_file,        "a/latin-\xe9", "the name of 'a/latin-?' is not UTF-8"  },
        {put_file,        "a/..\\escape", "'a/..\\escape' has a path in its name" },
    };
    int fd = ((struct folder *)*state)->fd;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pack_list list;
        struct error err = {0};

        test_row(i, "%s", cases[i].reason);
        assert_int_equal(files_make_folders(fd, "a", 0777, &err), 0);
        cases[i].put(fd, cases[i].path);
        assert_int_equal(pack_scan(fd, 0, &list, &err), -EINVAL);
        if (!strstr(err.message, cases[i].reason))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].reason);
        pack_scan_done(&list);
        assert_int_equal(files_remove_tree(fd, "a", &err), 0);
    }
}

/* Folders deeper than any path can name, one in the other. */
static void deep_folders_are_refused(void **state)
{
    static const struct {
        const char *name;
        unsigned depth;
        const char *reason;
    } cases[] = {
        {"d",               TOC_DEPTH_MAX,     NULL                               },
        {"d",               TOC_DEPTH_MAX + 1, "is more than 256 folders deep"    },
        {FIFTY FIFTY FIFTY, 50,                "is a path of more than 4095 bytes"},
    };
    int top_fd = ((struct folder *)*state)->fd;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int fd = dup(top_fd);
        struct pack_list list;
        struct error err = {0};
        int rc;

        test_row(i, "%.10s %u", cases[i].name, cases[i].depth);
        for (unsigned depth = 0; depth < cases[i].depth; depth++) {
            int below;

            assert_int_equal(mkdirat(fd, cases[i].name, 0777), 0);
            below = openat(fd, cases[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            assert_true(below >= 0);
            close(fd);
            fd = below;
        }
        close(fd);
        rc = pack_scan(top_fd, 0, &list, &err);
        pack_scan_done(&list);
        assert_int_equal(rc, cases[i].reason ? -EINVAL : 0);
        if (rc < 0 && !strstr(err.message, cases[i].reason))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].reason);
        assert_int_equal(files_remove_tree(top_fd, cases[i].name, &err), 0);
    }
}

static void folders_that_nobody_may_read_are_named(void **state)
{
    struct folder *folder = *state;
    struct pack_list list;
    struct error err = {0};
    bool is_root = geteuid() == 0;
    int rc;

    assert_int_equal(files_make_folders(folder->fd, "locked", 0000, &err), 0);
    if (is_root)
        assert_int_equal(chmod(folder->path, 0755) | seteuid(65534), 0);
    rc = pack_scan(folder->fd, 0, &list, &err);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    pack_scan_done(&list);
    assert_int_equal(rc, -EACCES);
    assert_non_null(strstr(err.message, "locked"));
    assert_int_equal(fchmodat(folder->fd, "locked", 0700, 0), 0);
}

#define scan_test(function)                                                              \
    cmocka_unit_test_setup_teardown(function, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scan_test(files_are_listed_as_they_are),
        scan_test(links_to_files_are_files),
        scan_test(what_no_archive_can_hold_is_refused_by_its_path),
        scan_test(deep_folders_are_refused),
        scan_test(folders_that_nobody_may_read_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
