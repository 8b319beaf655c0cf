/* toc_folder.c: lists a folder on disk as if it were an archive. */
#include "cache/toc_folder.h"

#include "cache/toc_build.h"
#include "common/walk.h"

#include <errno.h>
#include <sys/stat.h>

static int add(void *arg, const struct walk_entry *found, struct error *err)
{
    struct toc_entry entry = {
        .kind = TOC_FILE,
        .method = TOC_STORED,
        .size = (uint64_t)found->stat.st_size,
        .packed_size = (uint64_t)found->stat.st_size,
        .mtime_s = found->stat.st_mtim.tv_sec,
        .execute_bits = found->stat.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH),
    };

    if (found->path_size > TOC_PATH_MAX)
        return fail(err, EBADMSG, "'%.80s...' is a path of more than %d bytes",
                    found->path, TOC_PATH_MAX);
    if (!S_ISREG(found->stat.st_mode))
        return 0;
    return toc_build_add(arg, found->path, found->path_size, &entry, err);
}

int toc_folder_read(int dir_fd, struct toc **ret_toc, struct error *err)
{
    CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
    int rc = walk_folder(dir_fd, add, build, err);

    return rc < 0 ? rc : toc_build_finish(build, ret_toc, err);
}
