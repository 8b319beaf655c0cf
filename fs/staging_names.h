/* staging_names.h: the handlers of requests that change staged folders. For
 * fs/staging*.c alone. */
#ifndef FS_STAGING_NAMES_H
#define FS_STAGING_NAMES_H

#include "fs/staging.h"

call_handler staging_create;
call_handler staging_mknod;
call_handler staging_mkdir;
call_handler staging_unlink;
call_handler staging_rmdir;
call_handler staging_symlink;
call_handler staging_link;
call_handler staging_rename;

#endif
