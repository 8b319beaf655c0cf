/* fuse_fake.c: libfuse's replies, notifications and mount, played by the test. */
#include "tests/fakes/fuse_fake.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "fs/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WAIT_MS = 60000,
    NOTICES_MAX = 1024,
    MISUSE = 100,
    INIT_UNIQUE = 42,
};

static struct {
    struct lock lock;
    struct condition changed;
    struct fuse_notice notices[NOTICES_MAX]; /* guarded by lock */
    size_t notice_count;                     /* guarded by lock */
    bool blocks_notices;                     /* guarded by lock */
    size_t blocked_notices;                  /* guarded by lock */
    bool lacks_passthrough;                  /* guarded by lock */
    size_t backings;                         /* guarded by lock */
    uint32_t next_backing;                   /* guarded by lock */
    struct handover *handover;               /* of the channel made last */
    int kernel_fd;                           /* the other end of its device */
    char init_reply[256];
    size_t init_reply_size;
} fake;

__attribute__((constructor)) static void start(void)
{
    lock_init(&fake.lock);
    condition_init(&fake.changed);
}

struct fuse_req *fuse_fake_request(void *userdata)
{
    struct fuse_req *req = XNEW(struct fuse_req);

    lock_init(&req->lock);
    lock_init(&req->interrupting);
    condition_init(&req->replied);
    req->userdata = userdata;
    return req;
}

void fuse_fake_free(struct fuse_req *req)
{
    condition_done(&req->replied);
    lock_done(&req->interrupting);
    lock_done(&req->lock);
    free(req->reply.data);
    free(req);
}

bool fuse_fake_wait(struct fuse_req *req)
{
    int64_t deadline_ms = clock_now_ms() + WAIT_MS;
    bool is_replied;
    int rc = 0;

    lock_acquire(&req->lock);
    while (rc == 0 && req->replies == 0)
        rc = condition_wait_until(&req->replied, &req->lock, deadline_ms);
    is_replied = req->replies > 0;
    lock_release(&req->lock);
    return is_replied;
}

unsigned fuse_fake_replies(struct fuse_req *req)
{
    unsigned count;

    lock_acquire(&req->lock);
    count = req->replies + MISUSE * req->misuses;
    lock_release(&req->lock);
    return count;
}

/* Record a reply, whose data is copied. */
static int take_reply(struct fuse_req *req, struct fuse_reply reply, const void *data,
                      size_t size)
{
    if (data) {
        reply.data = xcalloc(size + 1, 1);
        memcpy(reply.data, data, size);
        reply.size = size;
    }
    lock_acquire(&req->lock);
    if (req->replies++ == 0)
        req->reply = reply;
    else
        free(reply.data);
    condition_broadcast(&req->replied);
    lock_release(&req->lock);
    return 0;
}

int fuse_reply_err(fuse_req_t req, int code)
{
    return take_reply(req, (struct fuse_reply){.kind = REPLY_ERR, .code = code}, NULL, 0);
}

void fuse_reply_none(fuse_req_t req)
{
    take_reply(req, (struct fuse_reply){.kind = REPLY_FORGOTTEN}, NULL, 0);
}

int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
    return take_reply(req, (struct fuse_reply){.kind = REPLY_ENTRY, .entry = *entry},
                      NULL, 0);
}

int fuse_reply_attr(fuse_req_t req, const struct stat *attr, double attr_timeout)
{
    struct fuse_reply reply = {
        .kind = REPLY_ATTR, .entry = {.attr = *attr, .attr_timeout = attr_timeout}
    };

    return take_reply(req, reply, NULL, 0);
}

int fuse_reply_readlink(fuse_req_t req, const char *target)
{
    return take_reply(req, (struct fuse_reply){.kind = REPLY_LINK}, target,
                      strlen(target));
}

int fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi)
{
    bool is_gone = req->is_gone; /* the test may free it as soon as it has a reply */

    take_reply(req, (struct fuse_reply){.kind = REPLY_OPEN, .fi = *fi}, NULL, 0);
    return is_gone ? -ENOENT : 0;
}

int fuse_reply_buf(fuse_req_t req, const char *data, size_t size)
{
    return take_reply(req, (struct fuse_reply){.kind = REPLY_BYTES}, data ? data : "",
                      size);
}

int fuse_reply_data(fuse_req_t req, struct fuse_bufvec *from,
                    enum fuse_buf_copy_flags flags)
{
    const struct fuse_buf *part = &from->buf[0];
    CLEANUP_FREE char *data = xcalloc(part->size + 1, 1);
    struct error err = {0};
    int rc = files_pread(part->fd, data, part->size, (uint64_t)part->pos, &err);

    (void)flags;
    return rc < 0 ? fuse_reply_err(req, EIO) : fuse_reply_buf(req, data, part->size);
}

int fuse_reply_statfs(fuse_req_t req, const struct statvfs *statvfs)
{
    (void)statvfs;
    return take_reply(req, (struct fuse_reply){.kind = REPLY_STATFS}, NULL, 0);
}

void *fuse_req_userdata(fuse_req_t req)
{
    return req->userdata;
}

/* As libfuse: a request that was replied to is freed, so nobody may touch it. */
void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t function, void *data)
{
    lock_acquire(&req->lock);
    req->misuses += req->replies > 0;
    lock_release(&req->lock);
    lock_acquire(&req->interrupting);
    req->on_interrupt = function;
    req->interrupt_data = data;
    if (function && req->is_interrupted)
        function(req, data);
    lock_acquire(&req->lock);
    req->misuses += req->replies > 0; /* it has to be unlocked yet */
    lock_release(&req->lock);
    lock_release(&req->interrupting);
}

void fuse_fake_interrupt(struct fuse_req *req)
{
    lock_acquire(&req->interrupting);
    req->is_interrupted = true;
    if (req->on_interrupt)
        req->on_interrupt(req, req->interrupt_data);
    lock_release(&req->interrupting);
}

static int take_notice(uint64_t node_id, const char *name, size_t size)
{
    struct fuse_notice *notice;

    lock_acquire(&fake.lock);
    if (fake.notice_count == NOTICES_MAX)
        abort();
    fake.blocked_notices++;
    condition_broadcast(&fake.changed);
    while (fake.blocks_notices)
        condition_wait(&fake.changed, &fake.lock);
    fake.blocked_notices--;
    notice = &fake.notices[fake.notice_count++];
    notice->node_id = node_id;
    snprintf(notice->name, sizeof notice->name, "%.*s", (int)size, name);
    condition_broadcast(&fake.changed);
    lock_release(&fake.lock);
    return 0;
}

int fuse_lowlevel_notify_inval_entry(struct fuse_session *session, fuse_ino_t parent,
                                     const char *name, size_t size)
{
    (void)session;
    return take_notice(parent, name, size);
}

int fuse_lowlevel_notify_inval_inode(struct fuse_session *session, fuse_ino_t node_id,
                                     off_t offset, off_t size)
{
    (void)session;
    if (offset != 0 || size != 0) /* all of it */
        abort();
    return take_notice(node_id, "", 0);
}

/* Until *number reaches least. */
static bool wait_for(const size_t *number, size_t least)
{
    int64_t deadline_ms = clock_now_ms() + WAIT_MS;
    bool is_reached;
    int rc = 0;

    lock_acquire(&fake.lock);
    while (rc == 0 && *number < least)
        rc = condition_wait_until(&fake.changed, &fake.lock, deadline_ms);
    is_reached = *number >= least;
    lock_release(&fake.lock);
    return is_reached;
}

bool fuse_fake_wait_notices(size_t count)
{
    return wait_for(&fake.notice_count, count);
}

bool fuse_fake_wait_blocked_notice(void)
{
    return wait_for(&fake.blocked_notices, 1);
}

struct fuse_notice fuse_fake_notice(size_t position)
{
    struct fuse_notice notice;

    lock_acquire(&fake.lock);
    if (position >= fake.notice_count)
        abort();
    notice = fake.notices[position];
    lock_release(&fake.lock);
    return notice;
}

void fuse_fake_forget_notices(void)
{
    lock_acquire(&fake.lock);
    fake.notice_count = 0;
    lock_release(&fake.lock);
}

void fuse_fake_block_notices(bool is_blocked)
{
    lock_acquire(&fake.lock);
    fake.blocks_notices = is_blocked;
    condition_broadcast(&fake.changed);
    lock_release(&fake.lock);
}

/* A test that hangs must end with SIGTERM. */
int fuse_set_signal_handlers(struct fuse_session *session)
{
    (void)session;
    return 0;
}

void fuse_remove_signal_handlers(struct fuse_session *session)
{
    (void)session;
}

/* Only INIT is served; the test makes all other requests. */
int fuse_session_loop_mt(struct fuse_session *session, struct fuse_loop_config *config)
{
    (void)session;
    (void)config;
    return 0;
}

int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
    int rc;

    if (request != KERNEL_BACKING_OPEN && request != KERNEL_BACKING_CLOSE)
        return __real_ioctl(fd, request, arg);
    lock_acquire(&fake.lock);
    if (request == KERNEL_BACKING_CLOSE) {
        fake.backings--;
        rc = 0;
    } else if (fake.lacks_passthrough) {
        errno = EPERM;
        rc = -1;
    } else {
        fake.backings++;
        rc = (int)++fake.next_backing;
    }
    lock_release(&fake.lock);
    return rc;
}

size_t fuse_fake_backings(void)
{
    size_t count;

    lock_acquire(&fake.lock);
    count = fake.backings;
    lock_release(&fake.lock);
    return count;
}

static void send_init(const struct fuse_fake_kernel *kernel)
{
    struct {
        struct kernel_in_header header;
        struct kernel_init_in init;
    } request = {0};

    request.header.len = sizeof request;
    request.header.opcode = KERNEL_FUSE_INIT;
    request.header.unique = INIT_UNIQUE;
    request.init.major = 7;
    request.init.minor = 38;
    request.init.max_readahead = 128 * 1024;
    request.init.flags = kernel->no_flags2 ? 0 : KERNEL_INIT_EXT;
    request.init.flags2 = kernel->flags2;
    if (send(fake.kernel_fd, &request, sizeof request, 0) != sizeof request)
        abort();
}

static void ready(void *arg)
{
    *(bool *)arg = true;
}

__attribute__((destructor)) static void drop_device(void)
{
    if (fake.handover)
        close(fake.handover->device_fd);
    handover_free(fake.handover);
    fake.handover = NULL;
}

/* What the supervisor has mounted, but that a socket is the device. */
static void make_device(void)
{
    struct error err = {0};
    int fds[2];

    drop_device();
    if (handover_new(&fake.handover, &err) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        abort();
    fake.kernel_fd = fds[0];
    fake.handover->device_fd = fds[1];
}

struct handover *fuse_fake_handover(void)
{
    return fake.handover;
}

struct channel *fuse_fake_channel(const struct fuse_fake_kernel *kernel,
                                  const struct channel_options *options, void *owner)
{
    static const struct fuse_lowlevel_ops no_operations;
    struct channel_options with_handover = *options;
    struct channel *channel = NULL;
    struct error err = {0};
    bool is_ready = false;
    ssize_t got;

    make_device();
    with_handover.handover = fake.handover;
    fake.lacks_passthrough = kernel->lacks_passthrough;
    if (channel_open(&with_handover, &no_operations, owner, &channel, &err) < 0)
        abort();
    send_init(kernel);
    if (channel_agree(channel, &err) < 0 ||
        channel_serve(channel, ready, &is_ready, &err) < 0 || !is_ready)
        abort();
    got = recv(fake.kernel_fd, fake.init_reply, sizeof fake.init_reply, MSG_DONTWAIT);
    if (got <= 0)
        abort();
    fake.init_reply_size = (size_t)got;
    close(fake.kernel_fd);
    return channel;
}

size_t fuse_fake_init_reply(void *buffer, size_t size)
{
    if (size > fake.init_reply_size)
        size = fake.init_reply_size;
    memcpy(buffer, fake.init_reply, size);
    return fake.init_reply_size;
}
