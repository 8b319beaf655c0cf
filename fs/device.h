/* device.h: mounts and unmounts; who has it owns /dev/fuse.
 *
 *     rc = device_mount(&options, &device, &err);
 *     fd = device_fd(device);                      workers speak on it (channel.h)
 *     device_unmount(device);
 *
 * The supervisor's part of the work with libfuse: it reads and writes nothing. */
#ifndef FS_DEVICE_H
#define FS_DEVICE_H

#include "common/error.h"

#include <stdbool.h>

struct device;

struct device_options {
    const char *mountpoint;
    bool allow_other;
    bool noexec;
};

/* By mount(2), or by fusermount3 for others than root. */
int device_mount(const struct device_options *options, struct device **ret_device,
                 struct error *err);

/* Lent. */
int device_fd(const struct device *device);

/* Unmount, if nobody did, and close. Accepts NULL. */
void device_unmount(struct device *device);

#endif
