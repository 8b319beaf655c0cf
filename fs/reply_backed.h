/* reply_backed.h: replies to OPEN and CREATE that name a file for passthrough, which
 * libfuse cannot say yet. */
#ifndef FS_REPLY_BACKED_H
#define FS_REPLY_BACKED_H

#include <fuse_lowlevel.h>
#include <stdint.h>

/* fuse_reply_open, but through the backing file unless backing_id is 0. */
int reply_backed_open(fuse_req_t req, const struct fuse_file_info *fi,
                      uint32_t backing_id);

/* The same for a file just made. */
int reply_backed_create(fuse_req_t req, const struct fuse_entry_param *entry,
                        const struct fuse_file_info *fi, uint32_t backing_id);

#endif
