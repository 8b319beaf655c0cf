/* channel.c: reads and writes /dev/fuse for libfuse. */
#include "fs/channel.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/memory.h"
#include "fs/agreement.h"
#include "fs/kernel.h"
#include "fs/lead.h"
#include "fs/ledger.h"
#include "fs/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

struct channel {
    struct fuse_session *session;
    void *owner; /* the owner of the operations; libfuse's user data is the channel */
    struct handover *handover; /* lent; constant */
    struct notifier *notifier; /* constant */
    struct lead *lead;         /* constant */
    bool is_replay;            /* a worker before answered INIT; constant */
    bool is_init_replayed;     /* INIT was read; on one thread, before the others */
    bool is_init_answered;     /* the same */
    bool is_bound;             /* by the reply that the kernel knows */
    bool has_signals;
    bool no_resend;             /* constant */
    uint32_t accepted_flags2;   /* of what the kernel offers; constant */
    const char *no_passthrough; /* why not, NULL where it works; constant once served */
};

enum {
    LIBFUSE_LINE_MAX = 512,
    /* Page-cache reads that may wait at once. The kernel's default of 12 would let a
     * dozen readers of a dead server stop all others. */
    BACKGROUND_MAX = 1024,
    /* Bytes of a write, and with it the size of each thread's buffer. */
    WRITE_MAX = 128 << 10,
    /* Many times what a look-up or an open takes, and nothing that a person feels. */
    LEAD_PATIENCE_MS = 2,
};

static __thread uint64_t unique; /* of the request that this thread reads or handles */
static __thread const void *touched;

/* The answer that this thread makes of bytes of a file. */
static __thread struct whole {
    const struct channel_file *file;
    size_t size; /* of the message; 0: none is made */
} whole;

/* The request is recorded whole: the next worker is given it again. Its size comes last.
 */
static void record_init_request(struct handover_block *block, const void *buffer,
                                size_t size)
{
    if (size > sizeof block->init)
        abort(); /* the kernel's has 104 bytes */
    memcpy(block->init, buffer, size);
    __atomic_store_n(&block->init_size, (uint32_t)size, __ATOMIC_RELEASE);
}

/* A request that is copied into a page which is not there yet fails for its caller,
 * instead of being kept for the next worker, if this one is killed at that. */
static void touch_once(void *buffer, size_t size)
{
    if (touched == buffer)
        return;
    memset(buffer, 0, size);
    touched = buffer;
}

/* The header goes to where the next worker finds it, whenever this one dies. Of a thread
 * that waits for the lead nothing stands there: it is not to be blamed. */
static ssize_t receive(struct channel *channel, int fd, void *buffer, size_t size)
{
    struct kernel_in_header *header = ledger_receive(channel->handover->block);
    struct iovec parts[2];
    ssize_t got;

    touch_once(buffer, size);
    lead_take(channel->lead);
    if (!header)
        return read(fd, buffer, size);
    parts[0] = (struct iovec){.iov_base = header, .iov_len = sizeof *header};
    parts[1] = (struct iovec){.iov_base = (char *)buffer + sizeof *header,
                              .iov_len = size - sizeof *header};
    got = readv(fd, parts, 2);
    if (got >= (ssize_t)sizeof *header)
        memcpy(buffer, header, sizeof *header);
    return got;
}

/* Two workers died of it: there is no third try. */
static bool refuse_deadly(struct channel *channel, int fd,
                          const struct kernel_in_header *header)
{
    if (!(header->unique & KERNEL_UNIQUE_RESEND) ||
        !ledger_is_deadly(channel->handover->block, header->unique))
        return false;
    ledger_refuse(fd, header->unique);
    log_error("two workers died of one request (kind %u, node %jx): it fails",
              header->opcode, (uintmax_t)header->nodeid);
    return true;
}

static ssize_t channel_read(int fd, void *buffer, size_t size, void *userdata)
{
    struct channel *channel = userdata;
    struct handover_block *block = channel->handover->block;
    struct {
        struct kernel_in_header header;
        struct kernel_io_in io; /* of READ and WRITE */
    } request;
    ssize_t got;

    if (channel->is_replay && !channel->is_init_replayed) {
        channel->is_init_replayed = true;
        memcpy(buffer, block->init, block->init_size);
        return block->init_size;
    }
    do {
        got = receive(channel, fd, buffer, size);
        /* The kernel orders a request after the replies that led to it; with
         * channel_writev this tells the thread sanitizer, who does not see that. */
        (void)__atomic_load_n(&block->answered, __ATOMIC_ACQUIRE);
        if (got < (ssize_t)sizeof request.header) {
            lead_pass(channel->lead);
            return got;
        }
        memcpy(&request, buffer, sizeof request);
    } while (refuse_deadly(channel, fd, &request.header));
    lead_handle(channel->lead, fd, request.header.opcode, request.io.size);
    unique = request.header.unique;
    if (request.header.opcode == KERNEL_FUSE_INIT && block->init_size == 0)
        record_init_request(block, buffer, (size_t)got);
    else if (ledger_has_reply(request.header.opcode))
        ledger_note(block, unique);
    return got;
}

uint64_t channel_unique(void)
{
    return unique;
}

static bool is_init_reply(const struct channel *channel, const struct iovec *iov,
                          int count)
{
    struct kernel_in_header request;
    struct kernel_out_header header;

    if (count != 2 || iov[0].iov_len != sizeof header ||
        iov[1].iov_len != sizeof(struct kernel_init_out))
        return false;
    memcpy(&header, iov[0].iov_base, sizeof header);
    memcpy(&request, channel->handover->block->init, sizeof request);
    return header.unique == request.unique && header.error == 0;
}

/* The first reply binds all workers: a later one's is compared and goes nowhere. */
static ssize_t answer_init(struct channel *channel, int fd, struct iovec *iov)
{
    struct handover_block *block = channel->handover->block;
    struct kernel_init_in offer = agreement_offer(block->init);
    struct kernel_init_out reply;
    struct iovec amended[2];

    memcpy(&reply, iov[1].iov_base, sizeof reply);
    agreement_amend(&reply, &offer, channel->accepted_flags2);
    channel->is_init_answered = true;
    if (channel->is_replay) {
        channel->is_bound = agreement_is_kept(&reply, &block->init_out);
        return (ssize_t)(iov[0].iov_len + iov[1].iov_len);
    }
    block->init_out = reply;
    block->can_resend = !channel->no_resend && agreement_can_resend(&offer);
    channel->is_bound = true;
    amended[0] = iov[0];
    amended[1] = (struct iovec){.iov_base = &reply, .iov_len = sizeof reply};
    return writev(fd, amended, 2);
}

/* It may have to wait in the kernel for a request to be answered (notifier.h). */
static bool is_notice(const struct iovec *iov)
{
    struct kernel_out_header header;

    memcpy(&header, iov[0].iov_base, sizeof header);
    return header.unique == 0;
}

static size_t total_size(const struct iovec *iov, int count)
{
    size_t total = 0;

    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    return total;
}

/* What has to go out instead of less than the whole: the asker is told first. */
static struct kernel_out_header refuse_part(int error)
{
    const struct channel_file *file = whole.file;
    struct error err = {0};
    int rc =
        fail(&err, error < 0 ? -error : EIO, "cannot read bytes %ju-%ju of a cache file",
             (uintmax_t)file->offset, (uintmax_t)(file->offset + file->size - 1));

    file->refused(file->arg, rc, &err);
    return (struct kernel_out_header){
        .len = sizeof(struct kernel_out_header), .error = rc, .unique = file->unique};
}

static ssize_t channel_writev(int fd, struct iovec *iov, int count, void *userdata)
{
    struct channel *channel = userdata;
    struct kernel_out_header header;
    ssize_t written;

    if (!channel->is_init_answered && is_init_reply(channel, iov, count))
        return answer_init(channel, fd, iov);
    if (is_notice(iov) && notifier_send(channel->notifier, iov, count) >= 0)
        return (ssize_t)total_size(iov, count);
    __atomic_fetch_add(&channel->handover->block->answered, 1, __ATOMIC_RELEASE);
    memcpy(&header, iov[0].iov_base, sizeof header);
    if (whole.size > 0 && header.len != whole.size) {
        header = refuse_part(header.error);
        written = write(fd, &header, sizeof header);
    } else {
        written = writev(fd, iov, count);
    }
    ledger_answered(channel->handover->block, header.unique);
    return written;
}

/* The same of a message that stands in a pipe, with pages of the file lent to it. */
static ssize_t channel_splice(int pipe_fd, off_t *no_offset, int fd, off_t *no_offset2,
                              size_t size, unsigned flags, void *userdata)
{
    struct channel *channel = userdata;
    struct kernel_out_header header;
    ssize_t written;

    __atomic_fetch_add(&channel->handover->block->answered, 1, __ATOMIC_RELEASE);
    if (size == whole.size) {
        written = splice(pipe_fd, no_offset, fd, no_offset2, size, flags);
    } else {
        header = refuse_part(0);
        (void)write(fd, &header, sizeof header); /* fails when the caller is gone */
        errno = EIO;
        written = -1; /* what is in the pipe must not go out */
    }
    ledger_answered(channel->handover->block, whole.file->unique);
    return written;
}

/* What the kernel may do for us; called by libfuse while it answers INIT. */
static void negotiate(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want |= conn->capable &
                  (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS |
                   FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_SPLICE_WRITE);
    conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA; /* content never changes */
    /* What is listed is mostly opened: else each name but the first few is looked up. */
    conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
    conn->max_write = WRITE_MAX;
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

void channel_log_libfuse(void)
{
    fuse_set_log_func(log_libfuse);
}

static int create_session(struct channel *channel, const struct channel_options *options,
                          const struct fuse_lowlevel_ops *operations, struct error *err)
{
    struct fuse_lowlevel_ops with_init = *operations;
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);

    with_init.init = negotiate;
    fuse_opt_add_arg(&args, "modelfs");
    if (options->debug)
        fuse_opt_add_arg(&args, "-odebug");
    channel->session = fuse_session_new(&args, &with_init, sizeof with_init, channel);
    fuse_opt_free_args(&args);
    if (!channel->session)
        return fail(err, EINVAL, "libfuse refuses the mount options");
    return 0;
}

static int attach_session(struct channel *channel, struct error *err)
{
    static const struct fuse_custom_io io = {
        .read = channel_read, .writev = channel_writev, .splice_send = channel_splice};
    CLEANUP_CLOSE int fd = fcntl(channel->handover->device_fd, F_DUPFD_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return fail_errno(err, "take over the device");
    rc = fuse_session_custom_io(channel->session, &io, fd);
    if (rc != 0)
        return fail(err, rc < 0 ? -rc : EINVAL, "libfuse refuses our input and output");
    (void)steal_fd(&fd); /* the session's now */
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

    channel_log_libfuse();
    channel->handover = options->handover;
    channel->is_replay = options->handover->block->init_size > 0;
    if (!options->no_direct_mmap)
        channel->accepted_flags2 |= KERNEL_DIRECT_IO_ALLOW_MMAP;
    if (!options->no_passthrough && !options->no_resend)
        channel->accepted_flags2 |= KERNEL_PASSTHROUGH;
    channel->no_resend = options->no_resend;
    channel->owner = owner;
    channel->lead = lead_new(LEAD_PATIENCE_MS);
    rc = create_session(channel, options, operations, err);
    if (rc == 0)
        rc = attach_session(channel, err);
    if (rc == 0)
        rc = notifier_start(fuse_session_fd(channel->session), &channel->notifier, err);
    if (rc < 0) {
        channel_close(channel);
        return rc;
    }
    *ret_channel = channel;
    return 0;
}

void channel_close(struct channel *channel)
{
    if (!channel)
        return;
    if (channel->has_signals)
        fuse_remove_signal_handlers(channel->session);
    notifier_stop(channel->notifier);
    if (channel->session)
        fuse_session_destroy(channel->session);
    lead_free(channel->lead);
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

    if (!(channel->handover->block->init_out.flags2 & KERNEL_PASSTHROUGH))
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

void channel_reply_file(fuse_req_t req, const struct channel_file *file)
{
    struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(file->size);

    bytes.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    bytes.buf[0].fd = file->fd;
    bytes.buf[0].pos = (off_t)file->offset;
    whole = (struct whole){.file = file,
                           .size = sizeof(struct kernel_out_header) + file->size};
    (void)fuse_reply_data(req, &bytes, 0); /* fails when the caller is gone */
    whole = (struct whole){.file = NULL};
}

/* INIT before the threads start: libfuse answers EIO to what a second thread reads
 * earlier. */
int channel_agree(struct channel *channel, struct error *err)
{
    struct fuse_buf buffer = {.mem = NULL};
    int rc = fuse_session_receive_buf(channel->session, &buffer);

    if (rc > 0)
        fuse_session_process_buf(channel->session, &buffer);
    free(buffer.mem);
    if (rc <= 0 || !channel->is_init_answered)
        return fail(err, rc < 0 ? -rc : EPROTO, "the kernel and libfuse do not agree");
    if (!channel->is_bound)
        return fail(err, EPROTO,
                    "this program would not keep what was agreed with the kernel when "
                    "the folder was mounted: unmount, then mount with this program");
    return 0;
}

int channel_serve(struct channel *channel, void (*ready)(void *arg), void *arg,
                  struct error *err)
{
    struct handover_block *block = channel->handover->block;
    struct fuse_loop_config *config;
    int rc = 0;

    probe_passthrough(channel);
    ledger_watch_faults(block);
    if (channel->is_replay)
        rc = ledger_inherit(block, fuse_session_fd(channel->session), err);
    if (rc < 0)
        return rc;
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

bool channel_wait_notices(struct channel *channel, int64_t deadline_ms)
{
    return notifier_wait(channel->notifier, deadline_ms);
}

bool channel_can_resend(const struct channel *channel)
{
    return channel->handover->block->can_resend;
}

bool channel_maps_direct_io(const struct channel *channel)
{
    return channel->handover->block->init_out.flags2 & KERNEL_DIRECT_IO_ALLOW_MMAP;
}

void *channel_owner(fuse_req_t req)
{
    struct channel *channel = fuse_req_userdata(req);

    return channel->owner;
}
