/* toc_folder.c: walks a folder on disk and lists it as if it were an archive. */
#include "cache/toc_folder.h"

#include "cache/toc_build.h"
#include "common/bytes.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_MAX = 256 << 20 }; /* bytes of all folder paths */

struct walk {
    struct toc_build *build;
    const char *folder;   /* that is being listed, "" for the top */
    struct bytes folders; /* paths still to be listed, each ended by NUL */
};

static int add_name(void *arg, int fd, const char *name, struct error *err)
{
    struct walk *walk = arg;
    const char *folder = walk->folder;
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
        walk.folder = folder;
        rc = files_list(dir_fd, *folder ? folder : ".", add_name, &walk, err);
    }
    bytes_done(&walk.folders);
    return rc < 0 ? rc : toc_build_finish(build, ret_toc, err);
}
