/* passthrough.h: backing IDs, one per inode, that live as long as it is open.
 *
 *     rc = passthrough_open(passthrough, &wish, &handle, &backing_id, &err);
 *     ...                                    reply to OPEN with both; at RELEASE:
 *     passthrough_release(passthrough, handle);
 *
 * The kernel refuses two backing files for one open inode, and a worker that died leaves
 * inodes open. So every handle stands in the shared block (handover.h), and the next
 * worker gives an open inode its old ID. Handles are recorded, not counted: the kernel
 * repeats requests that a dead worker may have dealt with already. Thread-safe. */
#ifndef FS_PASSTHROUGH_H
#define FS_PASSTHROUGH_H

#include "cache/archive.h"
#include "common/error.h"
#include "fs/channel.h"
#include "fs/handover.h"

#include <stdbool.h>
#include <stdint.h>

struct passthrough;

/* channel and handover are lent. Finds the files that are open already. */
struct passthrough *passthrough_new(struct channel *channel, struct handover *handover);
void passthrough_free(struct passthrough *passthrough); /* accepts NULL */

struct passthrough_wish {
    uint64_t node_id;
    uint64_t unique; /* of the request (channel_unique) */
    int fd;          /* the file of the node, for the first handle; lent */
    /* What it is a member of, or NULL. Used until the last handle is given back: no
     * process evicts it. What a worker before opened is not known to be used. */
    struct archive *archive;
};

/* One more handle on a node. *ret_handle has the bit PASSTHROUGH_HANDLE. -ENOTSUP where
 * there is no passthrough: not here, or (after it failed once) not for more nodes, so
 * that no node has handles of both sorts. */
#define PASSTHROUGH_HANDLE ((uint64_t)1 << 63)
int passthrough_open(struct passthrough *passthrough, const struct passthrough_wish *wish,
                     uint64_t *ret_handle, uint32_t *ret_backing_id, struct error *err);

/* A handle that is not known (any more) is no error. */
void passthrough_release(struct passthrough *passthrough, uint64_t handle);

#endif
