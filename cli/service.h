/* service.h: runs a mount: supervisor and workers, in the foreground or as a daemon. */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "cli/config.h"
#include "cli/daemon.h"
#include "cli/mount_options.h"
#include "common/error.h"
#include "fs/inherit.h"

struct service_options {
    const char *path;                  /* the mount point, absolute */
    const struct mount_options *mount; /* paths in it are absolute */
    struct config *config; /* each worker takes its own copy of it, by fork; one that is
                              not forked takes this one */
    const struct inherited *inherited; /* of inherit_find */
    struct daemon *daemon;             /* NULL in the foreground */
    int lock_fd;                       /* of mount_point_lock, or -1 */
};

/* All in this process and its children, until the mount is gone; as a worker when that is
 * what it inherited. */
int service_run(const struct service_options *options, struct error *err);

#endif
