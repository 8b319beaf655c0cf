/* reply.c: one reply for each request. */
#include "fs/reply.h"

#include "common/log.h"
#include "fs/directory.h"
#include "fs/failures.h"
#include "fs/open_files.h"
#include "fs/read.h"
#include "fs/reply_backed.h"
#include "fs/snapshots.h"
#include "fs/staging_files.h"
#include "fs/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The errno that a user sees. What is wrong with a request that changes something is the
 * user's to know. */
static int errno_of(enum call_kind kind, int rc)
{
    static const struct {
        int inside, outside;
    } table[] = {
        {EBADMSG,     EIO   }, /* a damaged archive or document */
        {EINVAL,      EIO   }, /* the same, seen deeper down */
        {EFBIG,       EIO   }, /* a document past our limits */
        {EALREADY,    EIO   }, /* a publish that failed before */
        {EINPROGRESS, EAGAIN}, /* our bug, but nobody must hang */
    };

    if (kind >= CALL_WRITE && (rc == -EINVAL || rc == -EFBIG))
        return -rc;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (-rc == table[i].inside)
            return table[i].outside;
    }
    return -rc;
}

/* Part of the normal course of things, or told before: no log line. */
static bool is_ordinary(int code)
{
    return code == ENOENT || code == ESTALE || code == EINTR || code == EROFS ||
           code == EISDIR || code == ENOTDIR || code == EEXIST || code == ENOTEMPTY ||
           code == EXDEV || code == EALREADY;
}

static void note_failure(struct fs *fs, const struct call *call, int rc,
                         const struct error *err)
{
    if (is_ordinary(-rc))
        log_debug("node %jx '%s': %s", (uintmax_t)call->node_id, call->name,
                  err->message);
    else
        failures_note(fs->failures, err->message);
}

/* Noted first: who is told of the failure may look at once why. */
static void reply_failure(struct fs *fs, const struct call *call, int rc,
                          const struct error *err)
{
    note_failure(fs, call, rc, err);
    fuse_reply_err(call->req, errno_of(call->kind, rc));
}

void reply_undo(struct fs *fs, const struct call *call, const struct answer *answer)
{
    if (call->kind == CALL_READ) /* its handle may be closed: nobody drops the text */
        snapshots_drop(fs->snapshots, call->fi.fh);
    if (answer->kind != ANSWER_OPEN && answer->kind != ANSWER_CREATED)
        return;
    if (call->kind == CALL_OPENDIR)
        directory_release(fs, answer->fi.fh);
    else if (answer->kind == ANSWER_CREATED)
        staging_release(fs, answer->entry.ino, &answer->fi);
    else if (place_is_staging(node_id_unpack(call->node_id).kind))
        staging_release(fs, call->node_id, &answer->fi);
    else if ((answer->fi.flags & O_ACCMODE) != O_RDONLY)
        write_release(fs, &answer->fi);
    else
        read_release(fs, call->node_id, answer->fi.fh);
}

static void reply_open(struct fs *fs, const struct call *call,
                       const struct answer *answer)
{
    int rc = reply_backed_open(call->req, &answer->fi, answer->backing_id);

    if (rc == -ENOENT) /* the caller is gone: no RELEASE comes */
        reply_undo(fs, call, answer);
}

struct reader {
    struct fs *fs;
    const struct call *call;
};

static void file_refused(void *arg, int rc, const struct error *err)
{
    const struct reader *reader = arg;

    note_failure(reader->fs, reader->call, rc, err);
}

static void reply_file(struct fs *fs, const struct call *call,
                       const struct answer *answer)
{
    struct reader reader = {.fs = fs, .call = call};

    channel_reply_file(call->req, &(struct channel_file){.unique = call->unique,
                                                         .fd = open_file_fd(answer->file),
                                                         .offset = answer->file_offset,
                                                         .size = answer->file_size,
                                                         .refused = file_refused,
                                                         .arg = &reader});
}

void reply(struct fs *fs, const struct call *call, int rc, const struct answer *answer,
           const struct error *err)
{
    if (rc < 0)
        return reply_failure(fs, call, rc, err);
    switch (answer->kind) {
    case ANSWER_ENTRY:
        fuse_reply_entry(call->req, &answer->entry);
        break;
    case ANSWER_ATTR:
        fuse_reply_attr(call->req, &answer->entry.attr, answer->entry.attr_timeout);
        break;
    case ANSWER_TEXT:
        fuse_reply_readlink(call->req, answer->bytes.data);
        break;
    case ANSWER_OPEN:
        reply_open(fs, call, answer);
        break;
    case ANSWER_BYTES:
        fuse_reply_buf(call->req, answer->bytes.data, answer->bytes.size);
        break;
    case ANSWER_CREATED:
        if (reply_backed_create(call->req, &answer->entry, &answer->fi,
                                answer->backing_id) == -ENOENT)
            reply_undo(fs, call, answer);
        break;
    case ANSWER_STATFS:
        fuse_reply_statfs(call->req, &answer->statvfs);
        break;
    case ANSWER_WRITTEN:
        fuse_reply_write(call->req, answer->file_size);
        break;
    case ANSWER_FILE:
        reply_file(fs, call, answer);
        break;
    case ANSWER_NONE:
        fuse_reply_err(call->req, 0);
        break;
    }
}
