/* target.h: where the target of a link leads, by its text alone. Pure. */
#ifndef FS_TARGET_H
#define FS_TARGET_H

#include "common/error.h"
#include "resolver/uid.h"

#include <limits.h>

/* A name at the top of the mount, a slash, a version, a NUL. */
enum { TARGET_SIZE = NAME_MAX + 1 + VERSION_SIZE };

/* The path below the mount point, of one or two parts, that a link in the folder at its
 * top leads to. Nothing is looked up: no part is taken for a link. -EINVAL for what leads
 * elsewhere. */
int target_parse(const char *mountpoint, const char *folder, const char *target,
                 char ret_path[TARGET_SIZE], struct error *err);

#endif
