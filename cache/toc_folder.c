/* toc_folder.c: walks a folder on disk and lists it as if it were an archive. */
#include "cache/toc_folder.h"

#include "cache/toc_build.h"
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_MAX = 256 << 20 }; /* bytes of all folder paths */

struct walk {
    struct toc_build *build;
    struct bytes folders; /* paths still to be listed, each ended by NUL */
};

static int add_name(struct walk *walk, int fd, const char *folder, const char *name,
                    struct error *err)
{
    struct toc_entry entry = {.kind = TOC_FILE, .method = TOC_STORED};
    char path[TOC_PATH_MAX + 1];
    struct stat stat;
    int size = snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);

    if (size < 0 || (size_t)size >= sizeof path)
        return fail(err, EBADMSG, "'%.80s...' is a path of more than %d bytes", path,
                    TOC_PATH_MAX);
    if (fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "stat '%s'", path);
    if (S_ISDIR(stat.st_mode))
        return bytes_append(&walk->folders, path, (size_t)size + 1, err);
    if (!S_ISREG(stat.st_mode))
        return 0;
    entry.size = entry.packed_size = (uint64_t)stat.st_size;
    entry.mtime_s = stat.st_mtim.tv_sec;
    entry.execute_bits = stat.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH);
    return toc_build_add(walk->build, path, (size_t)size, &entry, err);
}

static int list_folder(struct walk *walk, int dir_fd, const char *folder,
                       struct error *err)
{
    CLEANUP_CLOSE int fd = files_open_beneath(dir_fd, *folder ? folder : ".",
                                              O_RDONLY | O_DIRECTORY, 0, err);
    CLEANUP_CLOSEDIR DIR *dir = NULL;
    int rc = 0;

    if (fd < 0)
        return fd;
    dir = fdopendir(fd);
    if (!dir)
        return fail_errno(err, "list '%s'", folder);
    steal_fd(&fd); /* closed with dir */
    while (rc == 0) {
        struct dirent *found;

        errno = 0;
        found = readdir(dir);
        if (!found)
            return errno ? fail_errno(err, "list '%s'", folder) : 0;
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            rc = add_name(walk, dirfd(dir), folder, found->d_name, err);
    }
    return rc;
}

int toc_folder_read(int dir_fd, struct toc **ret_toc, struct error *err)
{
    CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
    struct walk walk = {.build = build};
    int rc;

    bytes_init(&walk.folders, FOLDERS_MAX);
    rc = bytes_append(&walk.folders, "", 1, err);
    for (size_t at = 0; at < walk.folders.size && rc == 0;) {
        char folder[TOC_PATH_MAX + 1]; /* the list moves when it grows */
        size_t size = strlen(walk.folders.data + at) + 1;

        memcpy(folder, walk.folders.data + at, size);
        at += size;
        rc = list_folder(&walk, dir_fd, folder, err);
    }
    bytes_done(&walk.folders);
    return rc < 0 ? rc : toc_build_finish(build, ret_toc, err);
}
