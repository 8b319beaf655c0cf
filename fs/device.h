/* device.h: mounts and unmounts; who has it owns /dev/fuse.
 *
 *     rc = device_mount(&options, &device, &err);
 *     fd = device_fd(device);                      workers speak on it (channel.h)
 *     device_unmount(device);
 *
 * The supervisor's part of the work with libfuse: it reads and writes nothing. The mount
 * lives as long as any process has the descriptor open; device_adopt takes it over. */
#ifndef FS_DEVICE_H
#define FS_DEVICE_H

#include "common/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct device;

struct device_options {
    const char *mountpoint; /* an absolute path, lent until the device is gone */
    bool allow_other;
    bool noexec;
};

/* By mount(2), or by fusermount3 for others than root. */
int device_mount(const struct device_options *options, struct device **ret_device,
                 struct error *err);

/* A device that another process mounted there; fd becomes ours. */
struct device *device_adopt(int take_fd, const char *mountpoint);

/* Is it mounted still? Never waits. */
bool device_is_connected(int fd);

/* The number by which the kernel tells what is mounted there from all else; 0: nothing
 * is. Sends the mount no request. */
dev_t device_number(const char *mountpoint);

/* Lent. */
int device_fd(const struct device *device);

/* Unmount, if nobody did, in use or not, and close. What others mounted there stays.
 * Accepts NULL. */
void device_unmount(struct device *device);

/* Take the mount at that path away, in use or not, whoever made it. */
void device_detach(const char *mountpoint);

#endif
