/* channel.h: all I/O on /dev/fuse: the only seam between us and the kernel.
 *
 *     rc = channel_open(&options, &operations, owner, &channel, &err);
 *     rc = channel_agree(channel, &err);
 *     rc = channel_serve(channel, ready, arg, &err);        until unmounted or stopped
 *     channel_close(channel);
 *
 * libfuse reads requests and writes replies through two functions here, so that the INIT
 * request and its reply can be recorded and amended on the wire: features that this
 * libfuse does not know yet are agreed with the kernel all the same. A later worker
 * (handover.h) is given the recorded request, its reply goes nowhere, and the kernel
 * sends again what was left unanswered. */
#ifndef FS_CHANNEL_H
#define FS_CHANNEL_H

#include "common/error.h"
#include "fs/handover.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

struct channel;

struct channel_options {
    struct handover *handover; /* lent; its device is mounted */
    bool debug;
    bool no_passthrough; /* do not agree on these, though the kernel offers them */
    bool no_direct_mmap;
    bool no_resend; /* as before Linux 6.9, which had no passthrough either */
};

/* Create the session on the mounted device. operations->init is ours. channel_owner tells
 * the operations whose they are. channel_close the result. */
int channel_open(const struct channel_options *options,
                 const struct fuse_lowlevel_ops *operations, void *owner,
                 struct channel **ret_channel, struct error *err);
void channel_close(struct channel *channel); /* accepts NULL */

/* Can a dead worker's requests be sent again? Known once INIT was answered. */
bool channel_can_resend(const struct channel *channel);

/* libfuse's messages go to our log. */
void channel_log_libfuse(void);

/* The kernel's number of the request that this thread is handling; the bit
 * KERNEL_UNIQUE_RESEND in it says that a worker before may have handled it, too. */
uint64_t channel_unique(void);

/* Answer the kernel's INIT. A later worker answers the recorded one, touching nothing:
 * -EPROTO if it would not keep what was agreed. Before handover_take. */
int channel_agree(struct channel *channel, struct error *err);

/* Serve requests on several threads until the mount is gone or a signal (SIGTERM, SIGINT,
 * SIGHUP) says to stop. ready(arg) runs once in this thread, when the mount answers. */
int channel_serve(struct channel *channel, void (*ready)(void *arg), void *arg,
                  struct error *err);

/* The owner of the channel that a request came through. */
void *channel_owner(fuse_req_t req);

struct fuse_session *channel_session(struct channel *channel);

/* Wait until the kernel has taken all notifications that were sent through the session
 * before. False when it has not by then (a time of clock_now_ms). */
bool channel_wait_notices(struct channel *channel, int64_t deadline_ms);

/* Register a cache file: reads of a file opened with its ID go to it without us.
 * -ENOTSUP where passthrough does not work, -ELOOP where it does not for this file's
 * disk. channel_backing_close it after the last handle that was opened with it. */
int channel_backing_open(struct channel *channel, int fd, uint32_t *ret_backing_id,
                         struct error *err);
void channel_backing_close(struct channel *channel, uint32_t backing_id);

/* Why passthrough does not work, NULL where it does. Known once the mount answers. */
const char *channel_no_passthrough(const struct channel *channel);

/* What READ is answered with. */
struct channel_file {
    uint64_t unique; /* of the request */
    int fd;
    uint64_t offset;
    size_t size;
    /* Called right before the answer goes out, if that is an error: -EIO if the file ends
     * before, say. err is lent. */
    void (*refused)(void *arg, int rc, const struct error *err);
    void *arg;
};

/* Bytes of a file, whose pages are lent to the kernel: they are copied once, to the
 * reader. All of them or none: a short answer would cut the file for its reader. */
void channel_reply_file(fuse_req_t req, const struct channel_file *file);

/* May a file be mapped that is open with direct I/O? Known once INIT was answered. */
bool channel_maps_direct_io(const struct channel *channel);

#endif
