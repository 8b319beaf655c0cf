/* write.h: the handlers of requests that write metadata: @info/<..>/meta.yaml. All other
 * files of the tree are read-only. */
#ifndef FS_WRITE_H
#define FS_WRITE_H

#include "fs/call.h"

call_handler write_open; /* of OPEN, where the flags say that it is for writing */
call_handler write_bytes;
call_handler write_attributes; /* SETATTR; there is no more than the size to set */
call_handler write_flush;
call_handler write_refuse; /* -EROFS */
call_handler write_sync;

/* RELEASE of a handle, if it was open for writing. */
void write_release(struct fs *fs, const struct fuse_file_info *fi);

#endif
