/* staging_files.h: the handlers of requests about the content and the attributes of
 * staged files, for fs/staging.c; and what comes without a reply. */
#ifndef FS_STAGING_FILES_H
#define FS_STAGING_FILES_H

#include "fs/staging.h"

call_handler staging_open_file;
call_handler staging_read;
call_handler staging_write;
call_handler staging_setattr;
call_handler staging_flush;
call_handler staging_fsync; /* of folders, too */
call_handler staging_allocate;
call_handler staging_statfs;

/* FORGET. */
void staging_forget(struct fs *fs, uint64_t node_id);

/* RELEASE of a file that was opened there. */
void staging_release(struct fs *fs, uint64_t node_id, const struct fuse_file_info *fi);

#endif
