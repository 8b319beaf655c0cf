/* blocks.h: the bytes of one stored member that comes by block, into its file, checked.
 *
 * From a remote archive by one long request, and by further ones on other threads while
 * they raise the total rate (pace.h); a block that somebody waits for goes first. From a
 * local one by copy_file_range, which shares the blocks of the disk where it can. */
#ifndef CACHE_BLOCKS_H
#define CACHE_BLOCKS_H

#include "cache/archive_state.h"
#include "cache/receive.h"

/* member->fd must be its open file. What is there from an earlier attempt stays. Blocks:
 * on a transfer thread, with the member's lock (tree.h) held and no mutex. -EIO with
 * is_damaged; else what the backend or the disk said. */
int blocks_receive(struct archive *archive, struct member *member, struct object *object,
                   struct received *ret_received, struct error *err);

#endif
