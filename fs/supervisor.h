/* supervisor.h: mounts, and keeps a worker serving the mount, whatever happens to it.
 *
 * The supervisor owns /dev/fuse and the memory that workers share, and does nothing that
 * can fail: it parses nothing, starts no thread, and allocates nothing once it runs. When
 * the worker dies it forks the next one, which goes on with the same connection
 * (handover.h); readers notice a pause. A worker that ends by itself ends the mount.
 *
 * SIGTERM, SIGINT and SIGHUP stop the worker and unmount. Where the kernel cannot send
 * its requests again (before Linux 6.9) a dead worker ends the mount, too. */
#ifndef FS_SUPERVISOR_H
#define FS_SUPERVISOR_H

#include "common/error.h"
#include "fs/device.h"
#include "fs/handover.h"

struct supervisor_options {
    struct device_options device;

    /* The worker's life, in a process of its own: fs_run and what it needs. */
    int (*work)(void *arg, struct handover *handover, struct error *err);

    /* Runs once, in the supervisor, when the first worker serves. */
    void (*ready)(void *arg);
    void *arg;
};

/* Returns when the mount is gone: 0 after a clean unmount, -errno when it could not be
 * mounted, the first worker could not start, or workers keep dying. Call it before any
 * thread is started. */
int supervisor_run(const struct supervisor_options *options, struct error *err);

/* For the worker: it serves now; it serves no more, and the mount may go. */
void supervisor_tell_ready(struct handover *handover);
void supervisor_tell_ended(struct handover *handover);

#endif
