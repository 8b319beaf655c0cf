/* staged.h: the landing place of a test, in its folder, with a number for each file.
 *
 *     struct staged_fixture *staged = staged_open(*state);
 *     uint64_t file = staged_put(staged, 0, "a.txt");
 *     staged_close(staged); */
#ifndef TESTS_STAGED_H
#define TESTS_STAGED_H

#include "fs/staging_disk.h"
#include "tests/folders.h"

#include <unistd.h>

struct staged_fixture {
    struct staging_nodes *nodes;
    struct staging_disk *disk;
};

static inline void staged_open_disk(struct staged_fixture *staged,
                                    const struct folder *folder)
{
    struct error err = {0};

    if (staging_disk_open(folder->path, (struct staging_mount){.mounted_s = 1},
                          staged->nodes, &staged->disk, &err) < 0)
        fail_msg("%s", err.message);
}

static inline struct staged_fixture staged_open(const struct folder *folder)
{
    struct staged_fixture staged = {.nodes = NULL};
    struct error err = {0};

    assert_int_equal(staging_nodes_open(-1, &staged.nodes, &err), 0);
    staged_open_disk(&staged, folder);
    return staged;
}

static inline void staged_close(struct staged_fixture *staged)
{
    staging_disk_close(staged->disk);
    staging_nodes_close(staged->nodes);
}

/* The number of what is there as name. */
static inline uint64_t staged_number(const struct staged_fixture *staged, uint64_t parent,
                                     const char *name)
{
    struct error err = {0};
    uint64_t number = 0;
    struct stat st;
    int fd = staging_disk_folder(staged->disk, parent, &err);

    assert_true(fd >= 0);
    assert_int_equal(fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    close(fd);
    assert_int_equal(
        staging_node_intern(staged->nodes, st.st_ino, parent, name, &number, &err), 0);
    return number;
}

/* A file with its own name in it. */
static inline uint64_t staged_put(const struct staged_fixture *staged, uint64_t parent,
                                  const char *name)
{
    struct error err = {0};
    int folder_fd = staging_disk_folder(staged->disk, parent, &err);
    int fd = openat(folder_fd, name, O_CREAT | O_EXCL | O_WRONLY, 0600);

    assert_int_equal(write(fd, name, strlen(name)), strlen(name));
    close(fd);
    close(folder_fd);
    return staged_number(staged, parent, name);
}

static inline uint64_t staged_mkdir(const struct staged_fixture *staged, uint64_t parent,
                                    const char *name)
{
    struct error err = {0};
    int fd = staging_disk_folder(staged->disk, parent, &err);

    assert_int_equal(mkdirat(fd, name, 0700), 0);
    close(fd);
    return staged_number(staged, parent, name);
}

#endif
