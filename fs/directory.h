/* directory.h: the handlers of OPENDIR and READDIR, and the folders that are open.
 *
 * A folder is listed as it was when it was opened, one in @staging as it is when it is
 * read from the start. A handle from before this process started is served from a fresh
 * listing, at the same place. Thread-safe. */
#ifndef FS_DIRECTORY_H
#define FS_DIRECTORY_H

#include "fs/call.h"

struct directories;

struct directories *directories_new(void);
void directories_free(struct directories *directories); /* accepts NULL */

call_handler directory_open;
call_handler directory_read;

/* RELEASEDIR of a handle. */
void directory_release(struct fs *fs, uint64_t handle);

#endif
