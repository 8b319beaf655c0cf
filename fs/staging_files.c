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

static bool is_manifest(struct fs *fs, uint32_t number)
{
    const char *top = staging_node_top(fs->staging->nodes, number);
    char job[NAME_MAX + 1], path[PATH_MAX];

    return top && staging_job_of(top, ".yaml", job) &&
           staging_node_path(fs->staging->nodes, number, path, &(struct error){0}) == 0 &&
           !strchr(path, '/');
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
            rc = staging_expect_idle_file(fs, place->index, err);
        if (rc == 0)
            rc = staging_disk_hold(fs->staging->disk,
                                   &(struct staging_wish){.number = place->index,
                                                          .node_id = call->node_id,
                                                          .unique = call->unique,
                                                          .flags = call->fi.flags},
                                   -1, &handle, &answer->backing_id, err);
    }
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_OPEN;
    answer->fi = call->fi;
    answer->fi.fh = handle;
    answer->fi.direct_io = place->kind != NODE_STAGED;
    answer->fi.noflush = !for_writing; /* FLUSH does not tell how it was opened */
    return 0;
}

/* Of an open file, or opened for this call: the handle may be of an earlier process. */
static int descriptor(struct fs *fs, uint32_t number, int flags, struct error *err)
{
    int fd = staging_disk_dup(fs->staging->disk, number);
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
    rc = fd = descriptor(fs, place->index, O_RDONLY, err);
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
    int rc = place->kind == NODE_STAGED ? staging_expect_idle_file(fs, place->index, err)
                                        : fail(err, EROFS, "reports are read-only");

    (void)how;
    if (rc == 0)
        rc = fd = descriptor(fs, place->index, O_WRONLY, err);
    if (rc >= 0)
        rc = files_pwrite(fd, call->data, call->size, call->offset, err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_WRITTEN;
    answer->file_size = call->size;
    return 0;
}

/* chmod(2) has no way to spare links but through a descriptor of the thing itself. */
static int change_mode(const struct staging_at *at, mode_t mode, struct error *err)
{
    CLEANUP_CLOSE int fd =
        openat(at->folder_fd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || chmod(path, mode & 07777) < 0)
        return fail_errno(err, "change the mode of staged '%s'", at->name);
    return 0;
}

static int change_owner(const struct staging_at *at, const struct call *call,
                        struct error *err)
{
    uid_t uid = call->to_set & FUSE_SET_ATTR_UID ? call->attr->st_uid : (uid_t)-1;
    gid_t gid = call->to_set & FUSE_SET_ATTR_GID ? call->attr->st_gid : (gid_t)-1;

    if (fchownat(at->folder_fd, at->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "change the owner of staged '%s'", at->name);
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

static int change_times(const struct staging_at *at, const struct call *call,
                        struct error *err)
{
    struct timespec times[2] = {
        time_of(call, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, call->attr->st_atim),
        time_of(call, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, call->attr->st_mtim),
    };

    if (utimensat(at->folder_fd, at->name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "change the times of staged '%s'", at->name);
    return 0;
}

static int change_size(struct fs *fs, uint32_t number, off_t size, struct error *err)
{
    CLEANUP_CLOSE int fd = descriptor(fs, number, O_WRONLY, err);

    if (fd < 0)
        return fd;
    return ftruncate(fd, size) < 0 ? fail_errno(err, "truncate a staged file") : 0;
}

static int change(struct fs *fs, const struct call *call, uint32_t number,
                  struct error *err)
{
    struct staging_at at;
    int rc = staging_disk_locate(fs->staging->disk, number, &at, err);

    if (rc < 0)
        return rc;
    if (call->to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        rc = change_owner(&at, call, err);
    if (rc == 0 && call->to_set & FUSE_SET_ATTR_MODE)
        rc = change_mode(&at, call->attr->st_mode, err);
    if (rc == 0 && call->to_set & FUSE_SET_ATTR_SIZE)
        rc = change_size(fs, number, call->attr->st_size, err);
    if (rc == 0 && call->to_set & CHANGES_OF_TIMES)
        rc = change_times(&at, call, err);
    close(at.folder_fd);
    return rc;
}

/* A manifest that is touched is published again; if it is open, when it is closed. */
static void start_if_touched(struct fs *fs, const struct call *call, uint32_t number)
{
    if (call->to_set & FUSE_SET_ATTR_MTIME && is_manifest(fs, number) &&
        !staging_disk_has_writers(fs->staging->disk, number))
        staging_job_start(fs, staging_node_top(fs->staging->nodes, number));
}

int staging_setattr(struct fs *fs, const struct call *call, const struct place *place,
                    enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc = 0;

    if (place->kind != NODE_STAGED)
        return fail(err, EROFS, "the attributes of @staging itself are fixed");
    if (!is_manifest(fs, place->index) || call->to_set & FUSE_SET_ATTR_SIZE)
        rc = staging_expect_idle_file(fs, place->index, err);
    if (rc == 0)
        rc = change(fs, call, place->index, err);
    if (rc == 0)
        rc = describe(fs, place, how, &answer->entry, err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_ATTR;
    start_if_touched(fs, call, place->index);
    return 0;
}

int staging_flush(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;

    (void)call;
    (void)how;
    (void)answer;
    if (place->kind != NODE_STAGED || !is_manifest(fs, place->index))
        return 0;
    /* RELEASE, which publishes, comes after close(2) has returned. */
    staging_job_closing(fs, staging_node_top(fs->staging->nodes, place->index));
    fd = descriptor(fs, place->index, O_RDONLY, err);
    return fd < 0 ? fd : staging_job_check(fd, err);
}

/* The disk may take its time. */
int staging_fsync(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    int rc;

    (void)call;
    (void)answer;
    if (place->kind != NODE_STAGED)
        return 0;
    if (how != RESOLVE_FETCH)
        return fail(err, EINPROGRESS, "the disk is to be asked");
    rc = fd = descriptor(fs, place->index, O_RDONLY, err);
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

void staging_release(struct fs *fs, uint64_t node_id, const struct fuse_file_info *fi)
{
    struct place place;

    if (place_of(fs->slots, node_id, &place, &(struct error){0}) < 0 ||
        place.kind != NODE_STAGED)
        return;
    if (staging_disk_release(fs->staging->disk, place.index, fi->fh, fi->flags) &&
        is_manifest(fs, place.index))
        staging_job_start(fs, staging_node_top(fs->staging->nodes, place.index));
}
