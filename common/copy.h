/* copy.h: bytes from file to file: shared where the disk can, else through memory. */
#ifndef COMMON_COPY_H
#define COMMON_COPY_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Have both files share the blocks of the disk. false: nothing was done; it cannot, or
 * not for these offsets. size 0: up to the end. */
bool copy_share(int from, uint64_t from_offset, int to, uint64_t to_offset,
                uint64_t size);

/* Copy size bytes; disks that can share blocks do. -EIO if the source ends before. */
int copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t size,
               struct error *err);

#endif
