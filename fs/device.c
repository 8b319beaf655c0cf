/* device.c: mounts by libfuse, which knows both mount(2) and fusermount3. */
#include "fs/device.h"

#include "common/memory.h"
#include "fs/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

struct device {
    struct fuse_session *session; /* for mounting alone; NULL: another process mounted */
    const char *mountpoint;       /* NULL until it is mounted */
    dev_t number;                 /* of what is mounted there; 0: unknown */
    int fd;
};

static int create_session(struct device *device, const struct device_options *options,
                          struct error *err)
{
    static const struct fuse_lowlevel_ops none = {0};
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    char mount_options[] =
        "-ofsname=modelfs,subtype=modelfs,nosuid,nodev,default_permissions";

    fuse_opt_add_arg(&args, "modelfs");
    fuse_opt_add_arg(&args, mount_options);
    if (options->allow_other)
        fuse_opt_add_arg(&args, "-oallow_other");
    if (options->noexec)
        fuse_opt_add_arg(&args, "-onoexec");
    device->session = fuse_session_new(&args, &none, sizeof none, NULL);
    fuse_opt_free_args(&args);
    if (!device->session)
        return fail(err, EINVAL, "libfuse refuses the mount options");
    return 0;
}

/* Asked before libfuse is, which logs a line of its own. */
static int check_access(const char *mountpoint, struct error *err)
{
    if (access("/dev/fuse", F_OK) < 0)
        return fail_errno(err,
                          "cannot mount at '%s': no access to /dev/fuse (load the module "
                          "with `modprobe fuse`, or pass the device into the container)",
                          mountpoint);
    if (access("/dev/fuse", R_OK | W_OK) < 0)
        return fail_errno(err,
                          "cannot mount at '%s': you may not open /dev/fuse (mount as "
                          "root, or let your user open it; its mode is 0666 on most "
                          "systems)",
                          mountpoint);
    return 0;
}

static int mount_device(struct device *device, const char *mountpoint, struct error *err)
{
    int rc = check_access(mountpoint, err);

    if (rc == 0 && fuse_session_mount(device->session, mountpoint) != 0)
        rc = fail(err, EPERM,
                  "cannot mount at '%s': the line above says why; other users than root "
                  "need fusermount3 (package fuse3) and a folder of their own",
                  mountpoint);
    return rc;
}

int device_mount(const struct device_options *options, struct device **ret_device,
                 struct error *err)
{
    struct device *device = XNEW(struct device);
    int rc;

    channel_log_libfuse();
    device->fd = -1;
    rc = create_session(device, options, err);
    if (rc == 0)
        rc = mount_device(device, options->mountpoint, err);
    if (rc < 0) {
        device_unmount(device);
        return rc;
    }
    device->mountpoint = options->mountpoint;
    device->number = device_number(device->mountpoint);
    device->fd = fuse_session_fd(device->session);
    *ret_device = device;
    return 0;
}

struct device *device_adopt(int take_fd, const char *mountpoint)
{
    struct device *device = XNEW(struct device);

    channel_log_libfuse();
    device->fd = take_fd;
    device->mountpoint = mountpoint;
    device->number = device_number(mountpoint);
    return device;
}

bool device_is_connected(int fd)
{
    struct pollfd device = {.fd = fd};

    return poll(&device, 1, 0) == 0 || !(device.revents & (POLLERR | POLLNVAL));
}

/* What the kernel knows by itself: who asks may be the one that has to answer. */
static dev_t number_at(const char *path)
{
    struct statx st;

    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) < 0)
        return 0;
    return makedev(st.stx_dev_major, st.stx_dev_minor);
}

dev_t device_number(const char *mountpoint)
{
    dev_t number = number_at(mountpoint);
    char above[PATH_MAX];

    snprintf(above, sizeof above, "%s", mountpoint);
    return number == number_at(dirname(above)) ? 0 : number;
}

int device_fd(const struct device *device)
{
    return device->fd;
}

void device_detach(const char *mountpoint)
{
    const char *const argv[] = {"fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL};
    pid_t helper;

    if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno != EPERM)
        return;
    if (posix_spawnp(&helper, argv[0], NULL, NULL, (char *const *)argv, environ) == 0)
        (void)waitpid(helper, NULL, 0);
}

/* Somebody may have taken our mount away and put another there, while it is in use. */
static bool is_there(const struct device *device)
{
    return device_is_connected(device->fd) &&
           (device->number == 0 || device_number(device->mountpoint) == device->number);
}

/* By its path libfuse would unmount what lies there now. With a descriptor that has lost
 * its other end it takes the mount for gone, and only frees what it has. */
static void end_session(struct fuse_session *session)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    close(ends[0]);
    (void)dup3(ends[1], fuse_session_fd(session), O_CLOEXEC);
    close(ends[1]);
    fuse_session_unmount(session);
}

void device_unmount(struct device *device)
{
    if (!device)
        return;
    if (device->mountpoint && is_there(device))
        device_detach(device->mountpoint);
    if (device->session) {
        if (device->mountpoint)
            end_session(device->session);
        fuse_session_destroy(device->session);
    } else {
        close(device->fd);
    }
    free(device);
}
