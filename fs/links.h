/* links.h: the handlers of requests that change aliases: MKDIR and RMDIR at the top,
 * SYMLINK, UNLINK and RENAME in alias folders.
 *
 * What changes a repository waits for it, on the threads for changes, and only below an
 * alias folder. Removing an alias takes place later (pending.h). */
#ifndef FS_LINKS_H
#define FS_LINKS_H

#include "fs/call.h"
#include "fs/pending.h"

/* call->other: of SYMLINK the path in the mount (target.h), of RENAME the new name. */
call_handler links_mkdir;
call_handler links_rmdir;
call_handler links_symlink;
call_handler links_unlink;
call_handler links_rename;

/* Tell the kernel which names in the folders of an alias changed: it named a model before
 * and another, or another version of it, after. "" for no model. */
void links_tell_alias(struct fs *fs, const char *alias, const char *before,
                      const char *after);

/* Tell the kernel what an answer changed. After the reply. */
void links_tell(struct fs *fs, const struct answer *answer);

/* For pending_open: removes an alias from its repository; arg is the fs. */
void links_remove_alias(void *arg, const char *alias, struct pending_view before);

#endif
