/* cmd.h: the commands, each in its cmd_*.c. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/command.h"

#include <stdbool.h>

extern const struct command cmd_mount, cmd_unmount;
extern const struct command cmd_load, cmd_ls, cmd_info, cmd_cache;
extern const struct command cmd_versions, cmd_latest, cmd_exists, cmd_aliases,
    cmd_resolve;
extern const struct command cmd_publish, cmd_alias, cmd_meta;
extern const struct command cmd_uid, cmd_doctor;

/* Were we called by mount(8), as mount.fuse.modelfs or by way of mount.fuse3? Then the
 * arguments are SOURCE MOUNTPOINT -o OPTIONS. */
bool cmd_mount_is_helper(int argc, char **argv);
int cmd_mount_helper(int argc, char **argv); /* the exit status */

#endif
