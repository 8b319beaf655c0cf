/* staging_files.c: staged files opened, read, written and changed. */
#include "fs/staging_files.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "fs/describe.h"
#include "fs/staging_attr.h"
#include "fs/staging_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { CHANGES_OF_TIMES = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME };

static bool is_writing(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY;
}

static bool is_manifest(struct fs *fs, uint64_t number, char ret_name[NAME_MAX + 1])
{
    char job[NAME_MAX + 1];

    return staging_node_top(fs->staging->nodes, number, ret_name) == 1 &&
           staging_job_of(ret_name, ".yaml", job);
}

/* Who may write to a file must not keep what it may do as its owner: with an OPEN that
 * truncates the kernel leaves that to us. */
static void drop_privileges(struct fs *fs, const struct call *call, uint64_t number)
{
    CLEANUP_CLOSE int fd = staging_handles_dup(fs->staging->handles, number);
    struct stat st;

    if (fuse_req_ctx(call->req)->uid == 0 || fstat(fd, &st) < 0)
        return;
    if (st.st_mode & S_ISUID || (st.st_mode & S_ISGID && st.st_mode & S_IXGRP))
        (void)fchmod(fd, st.st_mode & 01777); /* fails for others' files alone */
}

int staging_open_file(struct fs *fs, const struct call *call, const struct place *place,
                      enum resolve_how how, struct answer *answer, struct error *err)
{
    bool for_writing = is_writing(call->fi.flags);
    uint64_t handle = 0;
    int rc = 0;

    (void)how;
    if (place->kind == NODE_STAGING)
        return fail(err, EISDIR, "@staging is a folder");
    if (place->kind != NODE_STAGED) { /* a report */
        if (for_writing)
            return fail(err, EROFS, "reports are read-only");
    } else {
        if (for_writing)
            rc = staging_expect_idle_file(fs, place->number, err);
        if (rc == 0)
            rc = staging_handles_hold(fs->staging->handles,
                                      &(struct staging_wish){.number = place->number,
                                                             .node_id = call->node_id,
                                                             .unique = call->unique,
                                                             .flags = call->fi.flags},
                                      -1, &handle, &answer->backing_id, err);
    }
    if (rc < 0)
        return rc;
    if (call->fi.flags & O_TRUNC)
        drop_privileges(fs, call, place->number);
    answer->kind = ANSWER_OPEN;
    answer->fi = call->fi;
    answer->fi.fh = handle;
    answer->fi.direct_io = place->kind != NODE_STAGED;
    answer->fi.noflush = !for_writing; /* FLUSH does not tell how it was opened */
    return 0;
}

/* Of an open file, or opened for this call: the handle may be of an earlier process. */
static int descriptor(struct fs *fs, uint64_t number, int flags, struct error *err)
{
    int fd = staging_handles_dup(fs->staging->handles, number);
    struct staging_at at;
    int rc;

    if (fd >= 0)
        return fd;
    rc = staging_disk_locate(fs->staging->disk, number, &at, err);
    if (rc < 0)
        return rc;
    fd = openat(at.folder_fd, at.name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    rc = fd < 0 ? fail_errno(err, "open staged file '%s'", at.name) : fd;
    close(at.folder_fd);
    return rc;
}

int staging_read(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    ssize_t got;
    int rc;

    if (place->kind != NODE_STAGED)
        return staging_job_read(fs, call, place, how, answer, err);
    rc = fd = descriptor(fs, place->number, O_RDONLY, err);
    if (rc >= 0)
        rc = bytes_reserve(&answer->bytes, call->size, err);
    if (rc < 0)
        return rc;
    while (answer->bytes.size < call->size) {
        got = pread(fd, answer->bytes.data + answer->bytes.size,
                    call->size - answer->bytes.size,
                    (off_t)(call->offset + answer->bytes.size));
        if (got < 0)
            return fail_errno(err, "read a staged file");
        if (got == 0)
            break;
        answer->bytes.size += (size_t)got;
    }
    answer->kind = ANSWER_BYTES;
    return 0;
}

int staging_write(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    int rc = place->kind == NODE_STAGED ? staging_expect_idle_file(fs, place->number, err)
                                        : fail(err, EROFS, "reports are read-only");

    (void)how;
    if (rc == 0)
        rc = fd = descriptor(fs, place->number, O_WRONLY, err);
    if (rc >= 0)
        rc = files_pwrite(fd, call->data, call->size, call->offset, err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_WRITTEN;
    answer->file_size = call->size;
    return 0;
}

/* The file itself, not to be read or written: what the number means, whatever names it
 * has. A link itself, not what it leads to. */
static int locate(struct fs *fs, uint64_t number, struct error *err)
{
    CLEANUP_CLOSE int fd = staging_handles_dup(fs->staging->handles, number);
    struct staging_at at;
    int rc;

    if (fd >= 0)
        return steal_fd(&fd);
    rc = staging_disk_locate(fs->staging->disk, number, &at, err);
    if (rc < 0)
        return rc;
    rc = openat(at.folder_fd, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (rc < 0)
        rc = fail_errno(err, "open staged file '%s'", at.name);
    close(at.folder_fd);
    return rc;
}

static int change_owner(int fd, const struct call *call, struct error *err)
{
    uid_t uid = call->to_set & FUSE_SET_ATTR_UID ? call->attr->st_uid : (uid_t)-1;
    gid_t gid = call->to_set & FUSE_SET_ATTR_GID ? call->attr->st_gid : (gid_t)-1;

    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
        return fail_errno(err, "change the owner of a staged file");
    return 0;
}

/* fchmod(2) takes no descriptor of that sort, and chmod(2) follows links. */
static int change_mode(int fd, mode_t mode, struct error *err)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (chmod(path, mode & 07777) < 0)
        return fail_errno(err, "change the mode of a staged file");
    return 0;
}

static struct timespec time_of(const struct call *call, int is_set, int is_now,
                               struct timespec time)
{
    if (call->to_set & is_now)
        time.tv_nsec = UTIME_NOW;
    else if (!(call->to_set & is_set))
        time.tv_nsec = UTIME_OMIT;
    return time;
}

static int change_times(int fd, const struct call *call, struct error *err)
{
    struct timespec times[2] = {
        time_of(call, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, call->attr->st_atim),
        time_of(call, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, call->attr->st_mtim),
    };

    if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
        return fail_errno(err, "change the times of a staged file");
    return 0;
}

static int change_size(struct fs *fs, uint64_t number, off_t size, struct error *err)
{
    CLEANUP_CLOSE int fd = descriptor(fs, number, O_WRONLY, err);

    if (fd < 0)
        return fd;
    return ftruncate(fd, size) < 0 ? fail_errno(err, "truncate a staged file") : 0;
}

static int change(struct fs *fs, const struct call *call, uint64_t number,
                  struct error *err)
{
    CLEANUP_CLOSE int fd = locate(fs, number, err);
    int rc = fd < 0 ? fd : 0;

    if (rc == 0 && call->to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        rc = change_owner(fd, call, err);
    if (rc == 0 && call->to_set & FUSE_SET_ATTR_MODE)
        rc = change_mode(fd, call->attr->st_mode, err);
    if (rc == 0 && call->to_set & FUSE_SET_ATTR_SIZE)
        rc = change_size(fs, number, call->attr->st_size, err);
    if (rc == 0 && call->to_set & CHANGES_OF_TIMES)
        rc = change_times(fd, call, err);
    return rc;
}

/* A manifest that is touched is published again; if it is open, when it is closed. */
static void start_if_touched(struct fs *fs, const struct call *call, uint64_t number)
{
    char name[NAME_MAX + 1];

    if (call->to_set & FUSE_SET_ATTR_MTIME && is_manifest(fs, number, name) &&
        !staging_handles_has_writers(fs->staging->handles, number))
        staging_job_start(fs, name);
}

int staging_setattr(struct fs *fs, const struct call *call, const struct place *place,
                    enum resolve_how how, struct answer *answer, struct error *err)
{
    char name[NAME_MAX + 1];
    int rc = 0;

    if (place->kind != NODE_STAGED)
        return fail(err, EROFS, "the attributes of @staging itself are fixed");
    if (!is_manifest(fs, place->number, name) || call->to_set & FUSE_SET_ATTR_SIZE)
        rc = staging_expect_idle_file(fs, place->number, err);
    if (rc == 0)
        rc = change(fs, call, place->number, err);
    if (rc == 0)
        rc = describe(fs, place, how, &answer->entry, err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_ATTR;
    start_if_touched(fs, call, place->number);
    return 0;
}

int staging_flush(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    char name[NAME_MAX + 1];

    (void)call;
    (void)how;
    (void)answer;
    if (place->kind != NODE_STAGED || !is_manifest(fs, place->number, name))
        return 0;
    /* RELEASE, which publishes, comes after close(2) has returned. */
    staging_job_closing(fs, name);
    fd = descriptor(fs, place->number, O_RDONLY, err);
    return fd < 0 ? fd : staging_job_check(fd, err);
}

int staging_allocate(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    int rc = staging_expect_idle_file(fs, place->number, err);

    (void)how;
    (void)answer;
    if (rc == 0)
        rc = fd = descriptor(fs, place->number, O_WRONLY, err);
    if (rc < 0)
        return rc;
    return fallocate(fd, (int)call->mode, (off_t)call->offset, (off_t)call->size) < 0
               ? fail_errno(err, "make room for a staged file")
               : 0;
}

/* The disk may take its time. */
int staging_fsync(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    int rc;

    (void)call;
    (void)answer;
    if (place->kind != NODE_STAGED && place->kind != NODE_STAGING)
        return 0;
    if (how != RESOLVE_FETCH)
        return fail(err, EINPROGRESS, "the disk is to be asked");
    rc = fd = descriptor(fs, place->number, O_RDONLY, err);
    if (rc < 0)
        return rc;
    return fsync(fd) < 0 ? fail_errno(err, "flush a staged file to disk") : 0;
}

int staging_statfs(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    (void)call;
    (void)place;
    (void)how;
    if (fstatvfs(staging_disk_fd(fs->staging->disk), &answer->statvfs) < 0)
        return fail_errno(err, "ask for the room of @staging");
    answer->kind = ANSWER_STATFS;
    return 0;
}

void staging_forget(struct fs *fs, uint64_t node_id)
{
    struct place place;

    if (fs->staging && place_of(fs->slots, node_id, &place, &(struct error){0}) == 0)
        staging_handles_forget(fs->staging->handles, place.number);
}

void staging_release(struct fs *fs, uint64_t node_id, const struct fuse_file_info *fi)
{
    char name[NAME_MAX + 1];
    struct place place;

    if (place_of(fs->slots, node_id, &place, &(struct error){0}) < 0 ||
        place.kind != NODE_STAGED)
        return;
    if (!fs->staging) { /* it was opened by a worker that had it */
        passthrough_release(fs->passthrough, fi->fh);
        return;
    }
    if (staging_handles_release(fs->staging->handles, place.number, fi->fh, fi->flags) &&
        is_manifest(fs, place.number, name))
        staging_job_start(fs, name);
}
