/* blocks.h: the bytes of one stored member that comes by block, into its file, checked.
 *
 * From a remote archive by one long request, and by further ones on other threads while
 * they raise the total rate (pace.h); a block that somebody waits for goes first. A local
 * archive shares its blocks with the file where the disk can do that; else it is read by
 * one thread and written by another (relay.h). */
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
