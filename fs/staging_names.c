/* staging_names.c: names come and go in @staging. */
#include "fs/staging_names.h"

#include "common/cleanup.h"
#include "fs/staging_attr.h"
#include "fs/staging_job.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What tells of a manifest has a longer name than that. */
static int check_manifest_name(const char *name, struct error *err)
{
    char job[NAME_MAX + 1];

    for (enum job_report i = 0; i < JOB_REPORTS; i++)
        if (staging_job_of(name, ".yaml", job) &&
            strlen(job) + strlen(staging_job_suffixes[i]) > NAME_MAX)
            return fail(err, ENAMETOOLONG,
                        "manifest '%.40s...': its '%s' would have more than %d bytes",
                        name, staging_job_suffixes[i], NAME_MAX);
    return 0;
}

/* The folder in which name may be made or removed, open. */
static int open_folder(struct fs *fs, uint64_t parent, const char *name,
                       struct error *err)
{
    int rc = staging_expect_idle(fs, parent, name, err);
    enum job_report report;
    char job[NAME_MAX + 1];

    if (rc == 0 && parent == 0)
        rc = check_manifest_name(name, err);
    if (rc == 0 && parent == 0 && staging_job_has_report(fs, name, job, &report))
        return fail(err, EEXIST, "'%s' tells how a publish goes", name);
    return rc < 0 ? rc : staging_disk_folder(fs->staging->disk, parent, err);
}

/* A worker before this one did it. */
static bool is_done(const struct call *call, int failure)
{
    return call_is_repeated(call) && errno == failure;
}

/* The same before it is done again: the name that should go is gone. */
static bool was_removed(const struct call *call, int folder_fd)
{
    struct stat st;

    return call_is_repeated(call) &&
           fstatat(folder_fd, call->name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
           errno == ENOENT;
}

/* The disk knows this process as the maker, which may work for others: what is made
 * belongs to who asked for it, where we may give it away, and has the mode that was asked
 * for (the umask of this process is not the caller's). Only then it is known by name. */
static int give_away(struct fs *fs, const struct call *call, int folder_fd,
                     struct stat *made, struct error *err)
{
    const struct fuse_ctx *maker = fuse_req_ctx(call->req);
    struct stat folder;
    bool is_inherited; /* the group, and of folders that it is */
    mode_t mode = call->mode & 07777;

    if (fstat(folder_fd, &folder) < 0)
        return fail_errno(err, "look at the folder of '%s'", call->name);
    is_inherited = folder.st_mode & S_ISGID;
    if (fs->uid == 0 && (made->st_uid != maker->uid || made->st_gid != maker->gid) &&
        fchownat(folder_fd, call->name, maker->uid, is_inherited ? (gid_t)-1 : maker->gid,
                 AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "give staged '%s' to who made it", call->name);
    if (S_ISLNK(made->st_mode))
        return 0;
    if (S_ISDIR(made->st_mode) && is_inherited)
        mode |= S_ISGID;
    if (fchmodat(folder_fd, call->name, mode, 0) < 0)
        return fail_errno(err, "set the mode of staged '%s'", call->name);
    return 0;
}

/* The entry of what has that name now. */
static int answer_there(struct fs *fs, const struct call *call, uint64_t parent,
                        int folder_fd, struct answer *answer, uint64_t *ret_number,
                        struct error *err)
{
    struct stat st;

    if (fstatat(folder_fd, call->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "look at staged file '%s'", call->name);
    return staging_entry(fs, parent, call->name, &st, answer, ret_number, err);
}

/* The same of what was just made. */
static int answer_made(struct fs *fs, const struct call *call, uint64_t parent,
                       int folder_fd, struct answer *answer, uint64_t *ret_number,
                       struct error *err)
{
    struct stat st;
    int rc;

    if (fstatat(folder_fd, call->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "look at staged file '%s'", call->name);
    rc = give_away(fs, call, folder_fd, &st, err);
    return rc < 0 ? rc
                  : answer_there(fs, call, parent, folder_fd, answer, ret_number, err);
}

static int open_made(struct fs *fs, const struct call *call, uint64_t number, int take_fd,
                     struct answer *answer, struct error *err)
{
    struct staging_wish wish = {.number = number,
                                .node_id = answer->entry.ino,
                                .unique = call->unique,
                                .flags = call->fi.flags & ~O_TRUNC};
    int rc;

    answer->fi = call->fi;
    rc = staging_handles_hold(fs->staging->handles, &wish, take_fd, &answer->fi.fh,
                              &answer->backing_id, err);

    if (rc < 0)
        return rc;
    answer->kind = ANSWER_CREATED;
    return 0;
}

/* A file that is there is opened, unless a new one was asked for. ret_is_made: it is
 * new, or was made by a worker that did not come to answer. */
static int create(const struct call *call, int folder_fd, bool *ret_is_made,
                  struct error *err)
{
    int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(folder_fd, call->name, flags | O_CREAT | O_EXCL, 0600);
    bool was_made = fd < 0 && is_done(call, EEXIST);

    *ret_is_made = fd >= 0 || was_made;
    if (fd < 0 && errno == EEXIST && (was_made || !(call->fi.flags & O_EXCL)))
        fd = openat(folder_fd, call->name, flags | (call->fi.flags & O_TRUNC));
    return fd < 0 ? fail_errno(err, "make staged file '%s'", call->name) : fd;
}

int staging_create(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int folder_fd = -1;
    CLEANUP_CLOSE int fd = -1;
    uint64_t number;
    bool is_made;
    int rc;

    (void)how;
    rc = folder_fd = open_folder(fs, place->number, call->name, err);
    if (rc >= 0)
        rc = fd = create(call, folder_fd, &is_made, err);
    if (rc < 0)
        return rc;
    rc = (is_made ? answer_made : answer_there)(fs, call, place->number, folder_fd,
                                                answer, &number, err);
    if (rc == 0)
        rc = open_made(fs, call, number, steal_fd(&fd), answer, err);
    if (rc == 0 && place->number == 0)
        staging_job_appeared(fs, call->name);
    return rc;
}

/* Files, pipes and sockets; nothing is opened. */
int staging_mknod(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int folder_fd = -1;
    uint64_t number;
    int rc;

    (void)how;
    if (S_ISCHR(call->mode) || S_ISBLK(call->mode))
        return fail(err, EPERM, "there are no devices in @staging");
    rc = folder_fd = open_folder(fs, place->number, call->name, err);
    if (rc < 0)
        return rc;
    if (mknodat(folder_fd, call->name, (call->mode & S_IFMT) | 0600, 0) < 0 &&
        !is_done(call, EEXIST))
        return fail_errno(err, "make staged '%s'", call->name);
    rc = answer_made(fs, call, place->number, folder_fd, answer, &number, err);
    if (rc == 0 && place->number == 0)
        staging_job_appeared(fs, call->name);
    return rc;
}

int staging_mkdir(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int folder_fd = open_folder(fs, place->number, call->name, err);
    uint64_t number;

    (void)how;
    if (folder_fd < 0)
        return folder_fd;
    if (mkdirat(folder_fd, call->name, 0700) < 0 && !is_done(call, EEXIST))
        return fail_errno(err, "make staged folder '%s'", call->name);
    return answer_made(fs, call, place->number, folder_fd, answer, &number, err);
}

static int remove_name(struct fs *fs, const struct call *call, uint64_t parent, int flags,
                       struct error *err)
{
    CLEANUP_CLOSE int folder_fd = staging_disk_folder(fs->staging->disk, parent, err);
    struct staging_handles *handles = fs->staging->handles;
    const char *name = call->name;
    struct staging_loss loss;
    int rc = 0;

    if (folder_fd < 0)
        return folder_fd;
    if (was_removed(call, folder_fd))
        staging_handles_lose_again(handles, folder_fd, parent, name, &loss);
    else
        rc = staging_handles_lose(handles, folder_fd, name, &loss, err);
    if (rc < 0)
        return rc;
    if (unlinkat(folder_fd, name, flags) < 0 && !is_done(call, ENOENT))
        rc = fail_errno(err, "remove staged '%s'", name);
    staging_handles_lost(handles, &loss, rc);
    return rc;
}

int staging_unlink(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc = staging_expect_idle(fs, place->number, call->name, err);
    enum job_report report;
    char job[NAME_MAX + 1];

    (void)how;
    (void)answer;
    if (rc < 0)
        return rc;
    if (place->number == 0 && staging_job_has_report(fs, call->name, job, &report))
        return job_remove_report(fs->staging->board, job, report, err);
    rc = remove_name(fs, call, place->number, 0, err);
    if (rc == 0 && place->number == 0)
        staging_job_vanished(fs, call->name);
    return rc;
}

int staging_rmdir(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc = staging_expect_idle(fs, place->number, call->name, err);

    (void)how;
    (void)answer;
    return rc < 0 ? rc : remove_name(fs, call, place->number, AT_REMOVEDIR, err);
}

int staging_symlink(struct fs *fs, const struct call *call, const struct place *place,
                    enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int folder_fd = open_folder(fs, place->number, call->name, err);
    uint64_t number;

    (void)how;
    if (folder_fd < 0)
        return folder_fd;
    if (symlinkat(call->data, folder_fd, call->name) < 0 && !is_done(call, EEXIST))
        return fail_errno(err, "make staged link '%s'", call->name);
    return answer_made(fs, call, place->number, folder_fd, answer, &number, err);
}

/* call->other_id is the file, the call's node the folder. */
int staging_link(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    struct staging_nodes *nodes = fs->staging->nodes;
    CLEANUP_CLOSE int folder_fd = open_folder(fs, place->number, call->name, err);
    char here[NAME_MAX + 1], there[NAME_MAX + 1];
    struct staging_at from;
    struct place file;
    uint64_t number;
    int rc = folder_fd < 0 ? folder_fd : place_of(fs->slots, call->other_id, &file, err);

    (void)how;
    if (rc < 0)
        return rc;
    if (place->number == 0)
        snprintf(here, sizeof here, "%s", call->name);
    else
        staging_node_top(nodes, place->number, here);
    if (file.kind != NODE_STAGED || staging_node_top(nodes, file.number, there) == 0 ||
        strcmp(here, there) != 0)
        return fail(err, EXDEV, "files of different jobs cannot be linked");
    rc = staging_disk_locate(fs->staging->disk, file.number, &from, err);
    if (rc < 0)
        return rc;
    if (linkat(from.folder_fd, from.name, folder_fd, call->name, 0) < 0 &&
        !is_done(call, EEXIST))
        rc = fail_errno(err, "link staged file '%s'", call->name);
    close(from.folder_fd);
    return rc < 0
               ? rc
               : answer_there(fs, call, place->number, folder_fd, answer, &number, err);
}

static int move(struct fs *fs, const struct call *call, int from_fd, uint64_t to,
                int to_fd, struct error *err)
{
    struct staging_handles *handles = fs->staging->handles;
    struct staging_loss loss = {.number = 0};
    int rc = 0;

    if (was_removed(call, from_fd) && !(call->flags & RENAME_NOREPLACE))
        staging_handles_lose_again(handles, to_fd, to, call->other, &loss);
    else if (!(call->flags & RENAME_NOREPLACE))
        rc = staging_handles_lose(handles, to_fd, call->other, &loss, err);
    if (rc < 0)
        return rc;
    if (syscall(SYS_renameat2, from_fd, call->name, to_fd, call->other, call->flags) <
            0 &&
        !is_done(call, ENOENT))
        rc = fail_errno(err, "rename staged '%s'", call->name);
    staging_handles_lost(handles, &loss, rc);
    return rc;
}

int staging_rename(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int from_fd = -1;
    CLEANUP_CLOSE int to_fd = -1;
    struct place to;
    uint64_t number;
    struct stat st;
    int rc = place_of(fs->slots, call->other_id, &to, err);

    (void)how;
    if (rc == 0 && to.kind != NODE_STAGING && to.kind != NODE_STAGED)
        rc = fail(err, EXDEV, "'%s' cannot leave @staging", call->name);
    if (rc == 0 && call->flags & ~(unsigned)RENAME_NOREPLACE)
        rc = fail(err, EINVAL, "staged files cannot be exchanged");
    if (rc == 0)
        rc = staging_expect_idle(fs, place->number, call->name, err);
    if (rc < 0)
        return rc;
    rc = from_fd = staging_disk_folder(fs->staging->disk, place->number, err);
    if (rc >= 0)
        rc = to_fd = open_folder(fs, to.number, call->other, err);
    if (rc >= 0)
        rc = move(fs, call, from_fd, to.number, to_fd, err);
    if (rc < 0)
        return rc;
    if (fstatat(to_fd, call->other, &st, AT_SYMLINK_NOFOLLOW) == 0)
        (void)staging_entry(fs, to.number, call->other, &st, answer, &number, err);
    answer->kind = ANSWER_NONE;
    if (place->number == 0)
        staging_job_vanished(fs, call->name);
    if (to.number == 0 && staging_job_appeared(fs, call->other))
        staging_job_start(fs, call->other);
    return 0;
}
