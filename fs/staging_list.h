/* staging_list.h: the names in a staged folder at one moment, with their types, in the
 * disk's order. */
#ifndef FS_STAGING_LIST_H
#define FS_STAGING_LIST_H

#include "common/bytes.h"
#include "common/error.h"
#include "fs/fs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct staged_name;

struct staged_names {
    struct bytes text;
    struct staged_name *all;
    size_t count, capacity;
};

/* May the folder be read? -ESTALE when it is not where it was; one that was removed while
 * it is open, or is a working folder, stays, without a name in it. Local I/O. */
int staged_names_check(struct fs *fs, uint64_t number, struct error *err);

/* All names, "." and ".." too, or those after the place that staged_names_next gave a
 * reader, maybe in an earlier process: what came and went since shifts nothing. Local
 * I/O. staged_names_done the result, also after a failure and of a zeroed one. */
int staged_names_read(struct fs *fs, uint64_t number, uint64_t after,
                      struct staged_names *ret_names, struct error *err);
void staged_names_done(struct staged_names *names);

/* Lent. position is below count. */
const char *staged_names_get(const struct staged_names *names, size_t position);

/* The place behind a name, as the disk calls it. */
uint64_t staged_names_next(const struct staged_names *names, size_t position);

/* Type and inode number alone. */
bool staged_names_attr(const struct staged_names *names, size_t position,
                       struct stat *ret_attr);

#endif
