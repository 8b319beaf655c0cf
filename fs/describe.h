/* describe.h: the attributes of a place: what stat shows of it.
 *
 * Thread-safe; blocks only with RESOLVE_FETCH. */
#ifndef FS_DESCRIBE_H
#define FS_DESCRIBE_H

#include "fs/call.h"

/* Longest target of a link in the tree, with its NUL. */
enum { DESCRIBE_LINK_MAX = 4096 };

/* Fill ino, attr and attr_timeout (not entry_timeout). -EINPROGRESS and errors as call.h.
 */
int describe(struct fs *fs, const struct place *place, enum resolve_how how,
             struct fuse_entry_param *ret_entry, struct error *err);

/* The target of a link; buffer holds DESCRIBE_LINK_MAX bytes. */
void describe_link(const struct place *place, char *buffer);

bool describe_is_link(enum node_kind kind);

/* st_ino and type alone, as readdir shows them. */
void describe_briefly(const struct place *place, struct stat *ret_attr);

#endif
