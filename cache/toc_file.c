/* toc_file.c: tables of contents to disk and back. */
#include "cache/toc_file.h"

#include "cache/toc_block.h"
#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MODE = 0444 }; /* it is mapped: whoever cut it would kill who reads it */

int toc_file_save(int dir_fd, const char *path, const struct toc *toc, struct error *err)
{
    /* A torn table is found out when it is loaded, and read from the archive again. */
    return files_replace_unsynced(dir_fd, path, toc->block, toc->size, MODE, err);
}

int toc_file_load(int dir_fd, const char *path, struct toc **ret_toc, struct error *err)
{
    CLEANUP_CLOSE int fd =
        openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat stat;
    size_t size;
    void *map;
    int rc;

    if (fd < 0)
        return fail_errno(err, "open '%s'", path);
    if (fstat(fd, &stat) < 0)
        return fail_errno(err, "stat '%s'", path);
    if (!S_ISREG(stat.st_mode) || stat.st_size == 0)
        return fail(err, EBADMSG, "table of contents '%s': it is empty or no file", path);
    size = (size_t)stat.st_size;
    map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return fail_errno(err, "map '%s'", path);
    rc = toc_block_open(map, size, ret_toc, err);
    if (rc < 0) {
        munmap(map, size);
        return fail_context(err, rc, "table of contents '%s'", path);
    }
    return 0;
}
