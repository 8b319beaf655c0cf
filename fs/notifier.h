/* notifier.h: a process of its own that hands notifications to the kernel.
 *
 * A notification about a folder waits in the kernel, past any signal, until the request
 * that has the folder locked is answered. A worker that is killed with a thread there
 * cannot end, so none takes its place, so that request is never answered. Here it is only
 * this process that waits: it ends when it is told to and when its worker has ended. */
#ifndef FS_NOTIFIER_H
#define FS_NOTIFIER_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct notifier;

/* device_fd is the FUSE connection. May be called while there are threads. */
int notifier_start(int device_fd, struct notifier **ret_notifier, struct error *err);

/* Waits until what was sent is done. Accepts NULL. */
void notifier_stop(struct notifier *notifier);

/* Hand on one message, with its header. What the kernel says to it is not told. The size,
 * or -1 with errno: there is no such process any more. Thread-safe. */
ssize_t notifier_send(struct notifier *notifier, const struct iovec *iov, int count);

/* Wait until the kernel has taken all that was handed on before. False when it has not by
 * then (a time of clock_now_ms), and when it never will: that process was killed.
 * Thread-safe. */
bool notifier_wait(struct notifier *notifier, int64_t deadline_ms);

#endif
