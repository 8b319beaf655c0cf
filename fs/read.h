/* read.h: the handlers of OPEN and READ.
 *
 * A member that is small is opened when it is complete: reads pass through to its file in
 * the cache, or go to the page cache. A large one that is arriving is read with direct
 * I/O as its bytes come. Texts of @info, @status and @metrics are made when
 * they are read from the start (snapshots.h). */
#ifndef FS_READ_H
#define FS_READ_H

#include "fs/call.h"

call_handler read_open;
call_handler read_bytes;

/* RELEASE of a handle. */
void read_release(struct fs *fs, uint64_t node_id, uint64_t handle);

#endif
