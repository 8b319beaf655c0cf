/* tree_member.c: the files of one tree's members: while they arrive, and at their place.
 */
#include "cache/tree_member.h"

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { INCOMING_NAME = 32 };

static void incoming_name(uint32_t index, char name[INCOMING_NAME])
{
    snprintf(name, INCOMING_NAME, "incoming/%u", index);
}

int tree_member_create(struct tree *tree, uint32_t index, struct error *err)
{
    static const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char name[INCOMING_NAME];
    int fd;

    incoming_name(index, name);
    fd = openat(tree->folder_fd, name, flags, 0666);
    if (fd < 0 && errno == EEXIST) { /* left over */
        if (unlinkat(tree->folder_fd, name, 0) < 0 && errno != ENOENT)
            return fail_errno(err, "remove '%s/%s'", tree->path, name);
        fd = openat(tree->folder_fd, name, flags, 0666);
    }
    if (fd < 0 && errno == ENOENT && /* somebody removed its folder */
        files_make_folders_beneath(tree->folder_fd, "incoming", 0777, err) == 0)
        fd = openat(tree->folder_fd, name, flags, 0666);
    return fd < 0 ? fail_errno(err, "create '%s/%s'", tree->path, name) : fd;
}

int tree_member_link(struct tree *tree, uint32_t index, int folder_fd, const char *path,
                     struct error *err)
{
    char name[INCOMING_NAME];
    int fd;

    incoming_name(index, name);
    if (unlinkat(tree->folder_fd, name, 0) < 0 && errno != ENOENT)
        return fail_errno(err, "remove '%s/%s'", tree->path, name);
    if (linkat(folder_fd, path, tree->folder_fd, name, 0) < 0)
        return fail_errno(err, "link '%s/%s'", tree->path, name);
    fd = openat(tree->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail_errno(err, "open '%s/%s'", tree->path, name) : fd;
}

int tree_member_arriving(struct tree *tree, uint32_t index, struct error *err)
{
    char name[INCOMING_NAME];

    incoming_name(index, name);
    return files_open_beneath(tree->folder_fd, name, O_RDONLY, 0, err);
}

bool tree_member_is_arriving(struct tree *tree, uint32_t index, int fd)
{
    char name[INCOMING_NAME];
    struct stat there, ours;

    incoming_name(index, name);
    return fstat(fd, &ours) == 0 &&
           fstatat(tree->folder_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

void tree_member_drop(struct tree *tree, uint32_t index)
{
    char name[INCOMING_NAME];

    incoming_name(index, name);
    unlinkat(tree->folder_fd, name, 0); /* left over: removed at the next open */
}

/* The folder that a path below "files" lies in, made where it is missing. The path is cut
 * off there meanwhile. */
static int open_parent(struct tree *tree, char *path, const char **ret_name,
                       struct error *err)
{
    char *slash = strrchr(path, '/');
    int fd = files_open_parent(tree->folder_fd, path, ret_name, err);
    int rc;

    if (fd != -ENOENT)
        return fd;
    *slash = '\0';
    rc = files_make_folders_beneath(tree->folder_fd, path, 0777, err);
    *slash = '/';
    return rc < 0 ? rc : files_open_parent(tree->folder_fd, path, ret_name, err);
}

/* What a member that died before it was noted left there is nobody's. */
static int create_anew(struct tree *tree, char *path, int flags, struct error *err)
{
    const char *name;
    CLEANUP_CLOSE int parent = open_parent(tree, path, &name, err);
    int fd;

    if (parent < 0)
        return parent;
    if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
        return fail_errno(err, "remove '%s/%s'", tree->path, path);
    fd = openat(parent, name, flags | O_CLOEXEC, 0666);
    return fd < 0 ? fail_errno(err, "create '%s/%s'", tree->path, path) : fd;
}

int tree_member_place(struct tree *tree, const char *path, struct error *err)
{
    static const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    CLEANUP_FREE char *to = xasprintf("files/%s", path);
    int fd = files_open_beneath(tree->folder_fd, to, flags, 0666, err);

    if (fd == -EEXIST || fd == -ENOENT)
        fd = create_anew(tree, to, flags, err);
    FAULT("cache.member.placed");
    return fd;
}

void tree_member_unplace(struct tree *tree, const char *path)
{
    CLEANUP_FREE char *from = xasprintf("files/%s", path);
    struct error unused = {0};
    const char *name;
    CLEANUP_CLOSE int parent = files_open_parent(tree->folder_fd, from, &name, &unused);

    if (parent >= 0)
        unlinkat(parent, name, 0); /* left over: removed by the next attempt */
}

/* Before something unflushed is noted as complete, the mark must be off on disk. */
static int clear_clean(struct tree *tree, struct tree_header *header, struct error *err)
{
    int rc;

    if (!(header->flags & TREE_IS_CLEAN))
        return 0;
    header->flags &= ~(uint32_t)TREE_IS_CLEAN;
    rc = tree_write_header(tree, header, err);
    if (rc == 0 && fdatasync(tree->state_fd) < 0)
        rc = fail_errno(err, "fdatasync the state of '%s'", tree->path);
    return rc;
}

/* The header is locked, read, and fit for a member more to be noted. */
static int prepare_locked(struct tree *tree, struct tree_header *ret_header,
                          struct error *err) REQUIRES(tree->lock)
{
    int rc = tree_read_header(tree, ret_header, err);

    if (rc == 0 && ret_header->flags & TREE_IS_MOVED)
        return fail(err, ENOENT, "'%s' was moved to its place meanwhile", tree->path);
    return rc < 0 ? rc : clear_clean(tree, ret_header, err);
}

static int note_locked(struct tree *tree, uint32_t index, uint64_t size,
                       const struct tree_record *record, struct tree_header *header,
                       struct error *err) REQUIRES(tree->lock)
{
    int rc;

    FAULT("cache.member.before-record");
    rc = tree_write_record(tree, index, record, err);
    header->bytes += size;
    return rc < 0 ? rc : tree_write_header(tree, header, err);
}

/* What was verified is what fd has, which need not be what has the name. */
static int move_locked(struct tree *tree, uint32_t index, int fd, char *to,
                       struct error *err) REQUIRES(tree->lock)
{
    char from[INCOMING_NAME];
    const char *name;
    CLEANUP_CLOSE int parent = open_parent(tree, to, &name, err);

    if (parent < 0)
        return parent;
    if (!tree_member_is_arriving(tree, index, fd))
        return fail(err, ENOENT, "'%s': its file was removed meanwhile", to);
    incoming_name(index, from);
    FAULT("cache.member.before-rename");
    if (renameat(tree->folder_fd, from, parent, name) < 0)
        return fail_errno(err, "rename '%s/%s' to '%s'", tree->path, from, to);
    return 0;
}

int tree_member_land(struct tree *tree, uint32_t index, int fd, const char *path,
                     uint64_t size, const struct tree_record *record, struct error *err)
{
    CLEANUP_FREE char *to = xasprintf("files/%s", path);
    struct tree_header header;
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = prepare_locked(tree, &header, err);
    if (rc == 0)
        rc = move_locked(tree, index, fd, to, err);
    if (rc == 0)
        rc = note_locked(tree, index, size, record, &header, err);
    tree_unlock_header(tree);
    return rc;
}

int tree_member_note(struct tree *tree, uint32_t index, uint64_t size,
                     const struct tree_record *record, struct error *err)
{
    struct tree_header header;
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = prepare_locked(tree, &header, err);
    if (rc == 0)
        rc = note_locked(tree, index, size, record, &header, err);
    tree_unlock_header(tree);
    return rc;
}

/* What was not noted as complete was not counted. */
static int forget_locked(struct tree *tree, uint32_t index, uint64_t size,
                         const struct tree_record *record, struct error *err)
    REQUIRES(tree->lock)
{
    struct tree_record before;
    struct tree_header header;
    int rc = tree_read_record(tree, index, &before, err);

    if (rc == 0)
        rc = tree_read_header(tree, &header, err);
    if (rc == 0)
        rc = tree_write_record(tree, index, record, err);
    if (rc < 0 || before.state == TREE_ABSENT)
        return rc;
    header.bytes -= size < header.bytes ? size : header.bytes;
    return tree_write_header(tree, &header, err);
}

int tree_member_forget(struct tree *tree, uint32_t index, uint64_t size,
                       const struct tree_record *record, struct error *err)
{
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = forget_locked(tree, index, size, record, err);
    tree_unlock_header(tree);
    return rc;
}

int tree_member_open(struct tree *tree, const char *path, struct error *err)
{
    CLEANUP_FREE char *ours = xasprintf("files/%s", path);
    CLEANUP_FREE char *final = xasprintf("%s/%s", tree->final_path, path);
    int fd = files_open_beneath(tree->folder_fd, ours, O_RDONLY | O_NOFOLLOW, 0, err);

    if (fd == -ENOENT)
        fd = files_open_beneath(tree->store->root_fd, final, O_RDONLY | O_NOFOLLOW, 0,
                                err);
    return fd;
}
