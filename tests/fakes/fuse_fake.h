/* fuse_fake.h: a kernel for tests: replies and notifications are recorded, not sent.
 *
 *     struct fuse_req *req = fuse_fake_request(owner);
 *     serve(fs, &(struct call){.kind = CALL_GETATTR, .req = req, .node_id = 1});
 *     assert_true(fuse_fake_wait(req));
 *     assert_int_equal(req->reply.kind, REPLY_ATTR);
 *     fuse_fake_free(req);
 *
 * Takes the place of libfuse's functions that reply, notify and mount; of all others
 * libfuse itself is used. A session talks to a socket, whose other end the test holds.
 * Thread-safe. */
#ifndef TESTS_FAKES_FUSE_FAKE_H
#define TESTS_FAKES_FUSE_FAKE_H

#include "common/sync.h"
#include "fs/channel.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum reply_kind {
    REPLY_NONE, /* none came yet */
    REPLY_ERR,  /* code */
    REPLY_ENTRY,
    REPLY_ATTR,
    REPLY_LINK, /* data */
    REPLY_OPEN, /* fi */
    REPLY_BYTES,
    REPLY_STATFS,
    REPLY_FORGOTTEN, /* fuse_reply_none */
};

struct fuse_reply {
    enum reply_kind kind;
    int code;
    struct fuse_entry_param entry; /* of attributes: attr and attr_timeout */
    struct fuse_file_info fi;
    char *data; /* ended by NUL */
    size_t size;
};

/* libfuse keeps its own struct fuse_req to itself. */
struct fuse_req {
    void *userdata;
    bool is_gone; /* the caller died: fuse_reply_open says -ENOENT; set it before */
    struct fuse_reply reply; /* the first; read it after fuse_fake_wait */
    struct lock lock;
    struct condition replied;
    unsigned replies;                   /* guarded by lock */
    unsigned misuses;                   /* touched after its reply; guarded by lock */
    struct lock interrupting;           /* held while function runs, as in libfuse */
    fuse_interrupt_func_t on_interrupt; /* guarded by interrupting */
    void *interrupt_data;               /* guarded by interrupting */
    bool is_interrupted;                /* guarded by interrupting */
};

struct fuse_req *fuse_fake_request(void *userdata);
void fuse_fake_free(struct fuse_req *req);

/* Until it has a reply; false after 20 s. */
bool fuse_fake_wait(struct fuse_req *req);

/* How many replies there were so far; 100 and more when it was touched after the first.
 */
unsigned fuse_fake_replies(struct fuse_req *req);

/* The caller got a signal. */
void fuse_fake_interrupt(struct fuse_req *req);

struct fuse_notice {
    uint64_t node_id;
    char name[NAME_MAX + 1]; /* "" for the content of the node itself */
};

/* Until count notifications came in all; false after 20 s. fuse_fake_notice gives one. */
bool fuse_fake_wait_notices(size_t count);
struct fuse_notice fuse_fake_notice(size_t position);
void fuse_fake_forget_notices(void);

/* Notifications wait from now on, as under a parked request; false lets them go. */
void fuse_fake_block_notices(bool is_blocked);

/* Until one waits; false after 20 s. */
bool fuse_fake_wait_blocked_notice(void);

/* What the kernel says of itself in its INIT. */
struct fuse_fake_kernel {
    uint32_t flags2;
    bool no_flags2;         /* too old to send them */
    bool lacks_passthrough; /* refuses each file, as without CAP_SYS_ADMIN */
};

/* A channel whose INIT was answered, by the thread that calls. channel_close it. Its
 * handover is the fake's, until the next channel is made. No more requests come. */
struct channel *fuse_fake_channel(const struct fuse_fake_kernel *kernel,
                                  const struct channel_options *options, void *owner);

struct handover *fuse_fake_handover(void);

/* The reply to that INIT, as it was written: its size. */
size_t fuse_fake_init_reply(void *buffer, size_t size);

/* Files that are registered for passthrough now. */
size_t fuse_fake_backings(void);

#endif
