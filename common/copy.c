/* copy.c: bytes from file to file: shared by both where the disk can, else through
 * memory.
 *
 * copy_file_range(2) without sharing leaves single pages in the page cache, from which
 * reads take half as long again as from the large folios that large writes make. */
#include "common/copy.h"

#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

enum { PIECE_SIZE = 1 << 20 };

static int copy_through_memory(int from, uint64_t from_offset, int to, uint64_t to_offset,
                               uint64_t size, struct error *err)
{
    CLEANUP_FREE char *buffer = malloc(PIECE_SIZE);
    int rc = 0;

    if (!buffer)
        return fail(err, ENOMEM, "no memory to copy %ju bytes", (uintmax_t)size);
    for (uint64_t at = 0; rc == 0 && at < size; at += PIECE_SIZE) {
        size_t piece = size - at < PIECE_SIZE ? (size_t)(size - at) : PIECE_SIZE;

        rc = files_pread(from, buffer, piece, from_offset + at, err);
        if (rc == 0)
            rc = files_pwrite(to, buffer, piece, to_offset + at, err);
    }
    return rc;
}

bool copy_share(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t size)
{
    struct file_clone_range range = {.src_fd = from,
                                     .src_offset = from_offset,
                                     .src_length = size,
                                     .dest_offset = to_offset};

    return ioctl(to, FICLONERANGE, &range) == 0;
}

int copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t size,
               struct error *err)
{
    if (copy_share(from, from_offset, to, to_offset, size))
        return 0;
    return copy_through_memory(from, from_offset, to, to_offset, size, err);
}
