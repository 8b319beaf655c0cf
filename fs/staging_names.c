/* staging_names.c: names come and go in @staging. */
#include "fs/staging_names.h"

#include "common/cleanup.h"
#include "fs/kernel.h"
#include "fs/staging_attr.h"
#include "fs/staging_job.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The folder in which name may be made or removed, open. */
static int open_folder(struct fs *fs, uint32_t parent, const char *name,
                       struct error *err)
{
    int rc = staging_expect_idle(fs, parent, name, err);

    if (rc == 0 && parent == 0 && staging_job_has_report(fs, name))
        return fail(err, EEXIST, "'%s' tells how a publish goes", name);
    return rc < 0 ? rc : staging_disk_folder(fs->staging->disk, parent, err);
}

/* A worker before this one may have done it already: then that it is done is success. */
static bool is_done(const struct call *call, int failure)
{
    return call->unique & KERNEL_UNIQUE_RESEND && errno == failure;
}

/* What was just made as name: the entry, with the mode that the caller asked for (the
 * umask of this process is not the caller's). */
static int answer_made(struct fs *fs, const struct call *call, uint32_t parent,
                       int folder_fd, struct answer *answer, uint32_t *ret_number,
                       struct error *err)
{
    struct stat st;

    if (fstatat(folder_fd, call->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "look at staged file '%s'", call->name);
    return staging_entry(fs, parent, call->name, &st, answer, ret_number, err);
}

static int open_made(struct fs *fs, const struct call *call, uint32_t number, int take_fd,
                     struct answer *answer, struct error *err)
{
    struct staging_wish wish = {.number = number,
                                .node_id = answer->entry.ino,
                                .unique = call->unique,
                                .flags = call->fi.flags & ~O_TRUNC};
    int rc;

    answer->fi = call->fi;
    rc = staging_disk_hold(fs->staging->disk, &wish, take_fd, &answer->fi.fh,
                           &answer->backing_id, err);

    if (rc < 0)
        return rc;
    answer->kind = ANSWER_CREATED;
    return 0;
}

int staging_create(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    int flags = O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
                (call->fi.flags & (O_EXCL | O_TRUNC));
    CLEANUP_CLOSE int folder_fd = -1;
    CLEANUP_CLOSE int fd = -1;
    uint32_t number;
    int rc;

    (void)how;
    if (!S_ISREG(call->mode))
        return fail(err, EPERM, "@staging has files, folders and links, no devices");
    rc = folder_fd = open_folder(fs, place->index, call->name, err);
    if (rc < 0)
        return rc;
    if (call->kind == CALL_MKNOD)
        flags |= O_EXCL;
    fd = openat(folder_fd, call->name, flags, call->mode & 07777);
    if (fd < 0 && is_done(call, EEXIST))
        fd = openat(folder_fd, call->name, flags & ~O_EXCL, call->mode & 07777);
    if (fd < 0)
        return fail_errno(err, "make staged file '%s'", call->name);
    if (fchmod(fd, call->mode & 07777) < 0)
        return fail_errno(err, "set the mode of staged file '%s'", call->name);
    rc = answer_made(fs, call, place->index, folder_fd, answer, &number, err);
    if (rc == 0 && call->kind == CALL_CREATE)
        rc = open_made(fs, call, number, steal_fd(&fd), answer, err);
    if (rc == 0 && place->index == 0)
        staging_job_appeared(fs, call->name);
    return rc;
}

int staging_mkdir(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int folder_fd = open_folder(fs, place->index, call->name, err);
    uint32_t number;

    (void)how;
    if (folder_fd < 0)
        return folder_fd;
    if ((mkdirat(folder_fd, call->name, 0700) < 0 && !is_done(call, EEXIST)) ||
        fchmodat(folder_fd, call->name, call->mode & 07777, 0) < 0)
        return fail_errno(err, "make staged folder '%s'", call->name);
    return answer_made(fs, call, place->index, folder_fd, answer, &number, err);
}

static int remove_name(struct fs *fs, const struct call *call, uint32_t parent, int flags,
                       struct error *err)
{
    CLEANUP_CLOSE int folder_fd = staging_disk_folder(fs->staging->disk, parent, err);
    const char *name = call->name;
    struct staging_loss loss;
    int rc;

    if (folder_fd < 0)
        return folder_fd;
    rc = staging_disk_lose(fs->staging->disk, folder_fd, name, &loss, err);
    if (rc < 0)
        return rc;
    if (unlinkat(folder_fd, name, flags) < 0 && !is_done(call, ENOENT))
        rc = fail_errno(err, "remove staged '%s'", name);
    staging_disk_lost(fs->staging->disk, &loss, rc == 0);
    return rc;
}

int staging_unlink(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc = staging_expect_idle(fs, place->index, call->name, err);

    (void)how;
    (void)answer;
    if (rc < 0)
        return rc;
    if (place->index == 0 && staging_job_has_report(fs, call->name))
        return staging_job_remove_report(fs, call->name, err);
    rc = remove_name(fs, call, place->index, 0, err);
    if (rc == 0 && place->index == 0)
        staging_job_vanished(fs, call->name);
    return rc;
}

int staging_rmdir(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc = staging_expect_idle(fs, place->index, call->name, err);

    (void)how;
    (void)answer;
    return rc < 0 ? rc : remove_name(fs, call, place->index, AT_REMOVEDIR, err);
}

int staging_symlink(struct fs *fs, const struct call *call, const struct place *place,
                    enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int folder_fd = open_folder(fs, place->index, call->name, err);
    uint32_t number;

    (void)how;
    if (folder_fd < 0)
        return folder_fd;
    if (symlinkat(call->data, folder_fd, call->name) < 0 && !is_done(call, EEXIST))
        return fail_errno(err, "make staged link '%s'", call->name);
    return answer_made(fs, call, place->index, folder_fd, answer, &number, err);
}

/* call->other_id is the file, the call's node the folder. */
int staging_link(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    struct staging_nodes *nodes = fs->staging->nodes;
    CLEANUP_CLOSE int folder_fd = open_folder(fs, place->index, call->name, err);
    const char *here, *there;
    struct staging_at from;
    struct place file;
    uint32_t number;
    int rc = folder_fd < 0 ? folder_fd : place_of(fs->slots, call->other_id, &file, err);

    (void)how;
    if (rc < 0)
        return rc;
    here = place->index == 0 ? call->name : staging_node_top(nodes, place->index);
    there = file.kind == NODE_STAGED ? staging_node_top(nodes, file.index) : NULL;
    if (!here || !there || (here != there && strcmp(here, there) != 0))
        return fail(err, EXDEV, "files of different jobs cannot be linked");
    rc = staging_disk_locate(fs->staging->disk, file.index, &from, err);
    if (rc < 0)
        return rc;
    if (linkat(from.folder_fd, from.name, folder_fd, call->name, 0) < 0 &&
        !is_done(call, EEXIST))
        rc = fail_errno(err, "link staged file '%s'", call->name);
    close(from.folder_fd);
    return rc < 0 ? rc
                  : answer_made(fs, call, place->index, folder_fd, answer, &number, err);
}

static int move(struct fs *fs, const struct call *call, int from_fd, int to_fd,
                struct error *err)
{
    struct staging_loss loss = {.number = 0};
    int rc = 0;

    if (!(call->flags & RENAME_NOREPLACE))
        rc = staging_disk_lose(fs->staging->disk, to_fd, call->other, &loss, err);
    if (rc < 0)
        return rc;
    if (syscall(SYS_renameat2, from_fd, call->name, to_fd, call->other, call->flags) <
            0 &&
        !is_done(call, ENOENT))
        rc = fail_errno(err, "rename staged '%s'", call->name);
    staging_disk_lost(fs->staging->disk, &loss, rc == 0);
    return rc;
}

int staging_rename(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int from_fd = -1;
    CLEANUP_CLOSE int to_fd = -1;
    struct place to;
    uint32_t number;
    struct stat st;
    int rc = place_of(fs->slots, call->other_id, &to, err);

    (void)how;
    if (rc == 0 && to.kind != NODE_STAGING && to.kind != NODE_STAGED)
        rc = fail(err, EXDEV, "'%s' cannot leave @staging", call->name);
    if (rc == 0 && call->flags & ~(unsigned)RENAME_NOREPLACE)
        rc = fail(err, EINVAL, "staged files cannot be exchanged");
    if (rc == 0)
        rc = staging_expect_idle(fs, place->index, call->name, err);
    if (rc < 0)
        return rc;
    rc = from_fd = staging_disk_folder(fs->staging->disk, place->index, err);
    if (rc >= 0)
        rc = to_fd = open_folder(fs, to.index, call->other, err);
    if (rc >= 0)
        rc = move(fs, call, from_fd, to_fd, err);
    if (rc < 0)
        return rc;
    if (fstatat(to_fd, call->other, &st, AT_SYMLINK_NOFOLLOW) == 0)
        (void)staging_entry(fs, to.index, call->other, &st, answer, &number, err);
    answer->kind = ANSWER_NONE;
    if (place->index == 0)
        staging_job_vanished(fs, call->name);
    if (to.index == 0 && staging_job_appeared(fs, call->other))
        staging_job_start(fs, call->other);
    return 0;
}
