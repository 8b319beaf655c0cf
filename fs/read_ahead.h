/* read_ahead.h: how far the kernel reads ahead of a reader on this mount.
 *
 *     read_ahead_raise("/models");
 *
 * A FUSE mount cannot ask for more than the system's default, 128 KiB. That costs a file
 * without passthrough three quarters of its speed at the first read: a request, and two
 * switches between processes, for each 128 KiB. */
#ifndef FS_READ_AHEAD_H
#define FS_READ_AHEAD_H

/* Sets it to 4 MiB if it is less. Sends the mount no request. Only root may; others, and
 * kernels without sysfs, keep what they have. */
void read_ahead_raise(const char *mountpoint);

#endif
