/* folder.h: the names in a folder of the tree at one moment, in a fixed order.
 *
 * Constant once made; thread-safe. */
#ifndef FS_FOLDER_H
#define FS_FOLDER_H

#include "fs/call.h"

struct folder;

/* List a folder, a staged one from the place that folder_next gave on. -ENOTDIR when it
 * is none. folder_free the result. */
int folder_make(struct fs *fs, const struct place *place, uint64_t after,
                enum resolve_how how, struct folder **ret_folder, struct error *err);
void folder_free(struct folder *folder); /* accepts NULL */

/* The type and the inode number of the name at a position, where the folder knows them;
 * its place is none then. */
bool folder_attr(const struct folder *folder, size_t position, struct stat *ret_attr);

/* Of a staged folder: the place behind a position. */
uint64_t folder_next(const struct folder *folder, size_t position);

/* How many positions there are; not each holds a name. */
size_t folder_size(const struct folder *folder);

/* The name at a position, and its place where *ret_place is to be described; the place's
 * kind alone is sure else. NULL for a position without a name. Both are lent. */
const char *folder_get(const struct folder *folder, size_t position,
                       struct place *ret_place);

#endif
