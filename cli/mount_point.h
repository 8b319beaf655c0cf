/* mount_point.h: may that folder be mounted on, and which mount does a path mean? */
#ifndef CLI_MOUNT_POINT_H
#define CLI_MOUNT_POINT_H

#include "cli/config.h"
#include "common/error.h"

/* Its absolute path, freed by the caller. -ENOENT missing, -ENOTDIR no folder, -EBUSY
 * already a mount, -ENOTCONN a dead one: each with what to do. */
int mount_point_check(const char *given, char **ret_path, struct error *err);

/* Keep others from mounting there until mount_point_unlock, which is for when it is
 * mounted, and checks once more that nobody did. -EBUSY. path is absolute. *ret_fd is -1
 * where folders cannot be locked. */
int mount_point_lock(const char *path, int *ret_fd, struct error *err);
void mount_point_unlock(int fd); /* accepts -1 */

/* No configured folder may lie below the mount, where it would be hidden, nor may the
 * mount lie in one of them, where it would be read as a part. path is absolute. */
int mount_point_check_config(const char *path, const struct config *config,
                             struct error *err);

/* The absolute path of something mounted, without touching the mount itself, which may
 * be dead. Freed by the caller. */
int mount_point_name(const char *given, char **ret_path, struct error *err);

#endif
