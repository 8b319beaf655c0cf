/* info.h: the files of @info/<id>/<version>/: one value each.
 *
 * Thread-safe; blocks only with RESOLVE_FETCH. */
#ifndef FS_INFO_H
#define FS_INFO_H

#include "fs/call.h"

enum { INFO_FILES = 15 };

/* The name of a file, index below INFO_FILES. */
const char *info_name(uint32_t index);

/* -ENOENT if there is no such file. */
int info_find(const char *name, uint32_t *ret_index);

/* Can it be written, where that is allowed? */
bool info_is_writable(uint32_t index);

/* Append the content of the file that place names. */
int info_print(struct fs *fs, const struct place *place, enum resolve_how how,
               struct bytes *to, struct error *err);

/* Seconds that the kernel may keep its size. */
double info_timeout_s(const struct fs *fs, uint32_t index);

#endif
