/* supervisor.h: mounts, and keeps a worker serving the mount, whatever happens to it.
 *
 * The supervisor owns /dev/fuse and the memory that workers share, and does nothing that
 * can fail: it parses nothing, starts no thread, and allocates nothing once it runs. When
 * the worker dies it forks the next one, which goes on with the same connection
 * (handover.h); readers notice a pause. A worker that ends by itself ends the mount.
 * After five that died in succession without an answer every request is answered with
 * EIO (refuse.h), until SIGUSR2 or the end.
 *
 * SIGUSR2 puts another program in their place, or the same with another configuration:
 * it is started as the next worker, prepares, and gets the connection; when it serves,
 * the supervisor becomes that program, too. If it fails on the way the old ones go on.
 * SIGTERM, SIGINT and SIGHUP stop the worker and unmount. SIGQUIT leaves the mount to
 * the service manager that keeps its descriptors, for the next supervisor. */
#ifndef FS_SUPERVISOR_H
#define FS_SUPERVISOR_H

#include "common/error.h"
#include "fs/device.h"
#include "fs/inherit.h"
#include "fs/worker.h"

struct supervisor_options {
    struct device_options device;
    struct worker_life life;
    const struct inherited *inherited; /* of inherit_find; not INHERIT_AS_WORKER */
    char *const *command; /* that starts the program anew, by its path, with the same
                             options; ends with NULL */

    /* Runs once, in the supervisor, when a worker serves. */
    void (*ready)(void *arg);
    void *arg;
};

/* Returns when the mount is gone: 0 after a clean unmount, -errno when it could not be
 * mounted or the first worker could not start. Call it before any thread is started. */
int supervisor_run(const struct supervisor_options *options, struct error *err);

#endif
