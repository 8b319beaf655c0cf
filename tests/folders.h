/* folders.h: a folder of its own for each test, with files of known times. */
#ifndef TESTS_FOLDERS_H
#define TESTS_FOLDERS_H

#include "common/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct folder {
    char path[64];
    int fd;
};

/* For cmocka_unit_test_setup_teardown; *state is the folder. */
static inline int folder_open(void **state)
{
    static struct folder folder;
    const char *tmpdir = getenv("TMPDIR");

    snprintf(folder.path, sizeof folder.path, "%s/modelfs-test.XXXXXX",
             tmpdir ? tmpdir : "/tmp");
    if (!mkdtemp(folder.path))
        return -1;
    folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = &folder;
    return folder.fd < 0 ? -1 : 0;
}

static inline int folder_close(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};

    close(folder->fd);
    return files_remove_tree(AT_FDCWD, folder->path, &err);
}

/* Write a file and the folders above it. */
static inline void folder_put(int dir_fd, const char *path, const void *data, size_t size,
                              mode_t mode, int64_t mtime_s)
{
    struct timespec times[2] = {{.tv_sec = mtime_s}, {.tv_sec = mtime_s}};
    const char *slash = strrchr(path, '/');
    char parent[4096];
    struct error err = {0};

    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 1,
             slash ? path : ".");
    if (files_make_folders(dir_fd, parent, 0777, &err) < 0 ||
        files_replace(dir_fd, path, data, size, mode, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(utimensat(dir_fd, path, times, 0), 0);
}

#endif
