/* channel.c: mounts, and reads and writes /dev/fuse for libfuse. */
#include "fs/channel.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/memory.h"
#include "fs/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

struct channel {
    struct fuse_session *session;
    void *owner; /* the owner of the operations; libfuse's user data is the channel */
    bool is_mounted;
    bool has_signals;
    uint32_t accepted_flags2;   /* of what the kernel offers; constant */
    const char *no_passthrough; /* why not, NULL where it works; constant once served */
    uint64_t init_unique;       /* of the INIT request, 0 before it */
    struct kernel_init_in init_in;   /* what the kernel offered */
    struct kernel_init_out init_out; /* what we agreed to */
};

enum {
    LIBFUSE_LINE_MAX = 512,
    /* Page-cache reads that may wait at once. The kernel's default of 12 would let a
     * dozen readers of a dead server stop all others. */
    BACKGROUND_MAX = 1024,
};

/* INIT comes once, before any other request and on one thread. */
static void record_init_request(struct channel *channel, const void *buffer, size_t size)
{
    struct kernel_in_header header;

    if (channel->init_unique != 0 || size < sizeof header)
        return;
    memcpy(&header, buffer, sizeof header);
    if (header.opcode != KERNEL_FUSE_INIT)
        return;
    channel->init_unique = header.unique;
    size -= sizeof header;
    if (size > sizeof channel->init_in)
        size = sizeof channel->init_in;
    memcpy(&channel->init_in, (const char *)buffer + sizeof header, size);
}

static ssize_t channel_read(int fd, void *buffer, size_t size, void *userdata)
{
    ssize_t got = read(fd, buffer, size);

    if (got > 0)
        record_init_request(userdata, buffer, (size_t)got);
    return got;
}

static void amend_init_reply(struct channel *channel, struct kernel_init_out *reply)
{
    uint32_t offered =
        channel->init_in.flags & KERNEL_INIT_EXT ? channel->init_in.flags2 : 0;

    reply->flags2 |= offered & channel->accepted_flags2;
    if (reply->flags2 != 0)
        reply->flags |= KERNEL_INIT_EXT;
    if (reply->flags2 & KERNEL_PASSTHROUGH)
        reply->max_stack_depth = 1; /* 2 would switch passthrough off without a word */
    channel->init_out = *reply;
}

static bool is_init_reply(const struct channel *channel, const struct iovec *iov,
                          int count)
{
    struct kernel_out_header header;

    if (count != 2 || iov[0].iov_len != sizeof header ||
        iov[1].iov_len != sizeof(struct kernel_init_out))
        return false;
    memcpy(&header, iov[0].iov_base, sizeof header);
    return header.unique == channel->init_unique && header.error == 0;
}

static ssize_t channel_writev(int fd, struct iovec *iov, int count, void *userdata)
{
    struct channel *channel = userdata;
    struct kernel_init_out reply;
    struct iovec amended[2];

    if (channel->init_out.major != 0 || !is_init_reply(channel, iov, count))
        return writev(fd, iov, count);
    memcpy(&reply, iov[1].iov_base, sizeof reply);
    amend_init_reply(channel, &reply);
    amended[0] = iov[0];
    amended[1] = (struct iovec){.iov_base = &reply, .iov_len = sizeof reply};
    return writev(fd, amended, 2);
}

/* What the kernel may do for us; called by libfuse while it answers INIT. */
static void negotiate(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want |= conn->capable & (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS |
                                   FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO);
    conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA; /* content never changes */
    conn->max_background = BACKGROUND_MAX;
    conn->congestion_threshold = BACKGROUND_MAX;
}

__attribute__((format(printf, 2, 0))) static void
log_libfuse(enum fuse_log_level level, const char *format, va_list args)
{
    char line[LIBFUSE_LINE_MAX];

    vsnprintf(line, sizeof line, format, args);
    log_line(level <= FUSE_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "%s", line);
}

static int create_session(struct channel *channel, const struct channel_options *options,
                          const struct fuse_lowlevel_ops *operations, struct error *err)
{
    struct fuse_lowlevel_ops with_init = *operations;
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    char mount_options[] =
        "-ofsname=modelfs,subtype=modelfs,nosuid,nodev,default_permissions";

    with_init.init = negotiate;
    fuse_opt_add_arg(&args, "modelfs");
    fuse_opt_add_arg(&args, mount_options);
    if (options->allow_other)
        fuse_opt_add_arg(&args, "-oallow_other");
    if (options->noexec)
        fuse_opt_add_arg(&args, "-onoexec");
    if (options->debug)
        fuse_opt_add_arg(&args, "-odebug");
    channel->session = fuse_session_new(&args, &with_init, sizeof with_init, channel);
    fuse_opt_free_args(&args);
    if (!channel->session)
        return fail(err, EINVAL, "libfuse refuses the mount options");
    return 0;
}

static int explain_mount_failure(const char *mountpoint, struct error *err)
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
    return fail(
        err, EPERM,
        "cannot mount at '%s': the line above says why; other users than root need "
        "fusermount3 (package fuse3) and a folder of their own",
        mountpoint);
}

static int mount_session(struct channel *channel, const char *mountpoint,
                         struct error *err)
{
    static const struct fuse_custom_io io = {.read = channel_read,
                                             .writev = channel_writev};
    int rc;

    if (fuse_session_mount(channel->session, mountpoint) != 0)
        return explain_mount_failure(mountpoint, err);
    channel->is_mounted = true;
    rc = fuse_session_custom_io(channel->session, &io, fuse_session_fd(channel->session));
    if (rc != 0)
        return fail(err, rc < 0 ? -rc : EINVAL, "libfuse refuses our input and output");
    if (fuse_set_signal_handlers(channel->session) != 0)
        return fail(err, EINVAL, "cannot set the handlers of signals");
    channel->has_signals = true;
    return 0;
}

int channel_open(const struct channel_options *options,
                 const struct fuse_lowlevel_ops *operations, void *owner,
                 struct channel **ret_channel, struct error *err)
{
    struct channel *channel = XNEW(struct channel);
    int rc;

    fuse_set_log_func(log_libfuse);
    if (!options->no_direct_mmap)
        channel->accepted_flags2 |= KERNEL_DIRECT_IO_ALLOW_MMAP;
    if (!options->no_passthrough)
        channel->accepted_flags2 |= KERNEL_PASSTHROUGH;
    channel->owner = owner;
    rc = create_session(channel, options, operations, err);
    if (rc == 0)
        rc = mount_session(channel, options->mountpoint, err);
    if (rc < 0) {
        channel_close(channel);
        return rc;
    }
    *ret_channel = channel;
    return 0;
}

void channel_unmount(struct channel *channel)
{
    if (channel && channel->is_mounted)
        fuse_session_unmount(channel->session);
    if (channel)
        channel->is_mounted = false;
}

void channel_close(struct channel *channel)
{
    if (!channel)
        return;
    if (channel->has_signals)
        fuse_remove_signal_handlers(channel->session);
    channel_unmount(channel);
    if (channel->session)
        fuse_session_destroy(channel->session);
    free(channel);
}

int channel_backing_open(struct channel *channel, int fd, uint32_t *ret_backing_id,
                         struct error *err)
{
    struct kernel_backing_map map = {.fd = fd};
    int rc;

    if (channel->no_passthrough)
        return fail(err, ENOTSUP, "%s", channel->no_passthrough);
    rc = ioctl(fuse_session_fd(channel->session), KERNEL_BACKING_OPEN, &map);
    if (rc <= 0)
        return fail_errno(err, "register a file for passthrough");
    *ret_backing_id = (uint32_t)rc;
    return 0;
}

void channel_backing_close(struct channel *channel, uint32_t backing_id)
{
    /* Fails only for an ID that is not ours, or after the mount is gone. */
    (void)ioctl(fuse_session_fd(channel->session), KERNEL_BACKING_CLOSE, &backing_id);
}

/* Whether it works is known only from trying: the kernel offers it to those too who may
 * not use it. Any file does. */
static void probe_passthrough(struct channel *channel)
{
    CLEANUP_CLOSE int fd = memfd_create("modelfs-probe", MFD_CLOEXEC);
    struct error err = {0};
    uint32_t backing_id;

    if (!(channel->init_out.flags2 & KERNEL_PASSTHROUGH))
        channel->no_passthrough =
            "not offered by the kernel (it came with Linux 6.9), or switched off";
    else if (channel_backing_open(channel, fd, &backing_id, &err) < 0)
        channel->no_passthrough = "passthrough needs CAP_SYS_ADMIN";
    else
        channel_backing_close(channel, backing_id);
}

const char *channel_no_passthrough(const struct channel *channel)
{
    return channel->no_passthrough;
}

int channel_reply_open(fuse_req_t req, const struct fuse_file_info *fi,
                       uint32_t backing_id)
{
    struct kernel_open_out out = {
        .fh = fi->fh,
        .open_flags = KERNEL_OPEN_PASSTHROUGH | KERNEL_OPEN_NOFLUSH,
        .backing_id = (int32_t)backing_id,
    };

    return backing_id ? fuse_reply_buf(req, (const char *)&out, sizeof out)
                      : fuse_reply_open(req, fi);
}

/* INIT before the threads start: libfuse answers EIO to what a second thread reads
 * earlier. */
static int answer_init_request(struct channel *channel, struct error *err)
{
    struct fuse_buf buffer = {.mem = NULL};
    int rc = fuse_session_receive_buf(channel->session, &buffer);

    if (rc > 0)
        fuse_session_process_buf(channel->session, &buffer);
    free(buffer.mem);
    if (rc <= 0 || channel->init_out.major == 0)
        return fail(err, rc < 0 ? -rc : EPROTO, "the kernel and libfuse do not agree");
    return 0;
}

int channel_serve(struct channel *channel, void (*ready)(void *arg), void *arg,
                  struct error *err)
{
    struct fuse_loop_config *config;
    int rc = answer_init_request(channel, err);

    if (rc < 0)
        return rc;
    probe_passthrough(channel);
    ready(arg);
    config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(config,
                               0); /* one descriptor that a later worker can take */
    rc = fuse_session_loop_mt(channel->session, config);
    fuse_loop_cfg_destroy(config);
    if (rc < 0)
        return fail(err, -rc, "the FUSE session ended: %s", strerrordesc_np(-rc));
    return 0; /* unmounted, or a signal */
}

struct fuse_session *channel_session(struct channel *channel)
{
    return channel->session;
}

bool channel_maps_direct_io(const struct channel *channel)
{
    return channel->init_out.flags2 & KERNEL_DIRECT_IO_ALLOW_MMAP;
}

void *channel_owner(fuse_req_t req)
{
    struct channel *channel = fuse_req_userdata(req);

    return channel->owner;
}
