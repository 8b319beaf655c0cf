/* copy.c: bytes from file to file, without passing through the program where possible. */
#include "common/copy.h"

#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>
#include <stdbool.h>

enum { PIECE_SIZE = 256 << 10 };

/* Between two kinds of disks, or on one that knows no such copy. */
static bool cannot_copy(int code)
{
    return code == EXDEV || code == EINVAL || code == ENOSYS || code == EOPNOTSUPP ||
           code == EPERM || code == EBADF;
}

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

int copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t size,
               struct error *err)
{
    while (size > 0) {
        off_t in = (off_t)from_offset, out = (off_t)to_offset;
        ssize_t count = TEMP_FAILURE_RETRY(copy_file_range(from, &in, to, &out, size, 0));

        if (count == 0 || (count < 0 && cannot_copy(errno))) /* some disks say 0 */
            return copy_through_memory(from, from_offset, to, to_offset, size, err);
        if (count < 0)
            return fail_errno(err, "copy %ju bytes", (uintmax_t)size);
        from_offset += (uint64_t)count;
        to_offset += (uint64_t)count;
        size -= (uint64_t)count;
    }
    return 0;
}
