/* tree_member.c: the files of one tree's members: while they arrive, and at their place.
 */
#include "cache/tree_member.h"

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>

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

static int land(struct tree *tree, uint32_t index, char *to, uint64_t size,
                const struct tree_record *record, struct error *err)
{
    struct tree_header header;
    char from[INCOMING_NAME];
    CLEANUP_CLOSE int parent = -1;
    const char *name;
    int rc = tree_read_header(tree, &header, err);

    if (rc == 0 && header.flags & TREE_IS_MOVED)
        return fail(err, ENOENT, "'%s' was moved to its place meanwhile", tree->path);
    if (rc == 0)
        rc = parent = open_parent(tree, to, &name, err);
    if (rc >= 0)
        rc = clear_clean(tree, &header, err);
    if (rc < 0)
        return rc;
    incoming_name(index, from);
    FAULT("cache.member.before-rename");
    if (renameat(tree->folder_fd, from, parent, name) < 0)
        return fail_errno(err, "rename '%s/%s' to '%s'", tree->path, from, to);
    FAULT("cache.member.before-record");
    rc = tree_write_record(tree, index, record, err);
    header.bytes += size;
    return rc < 0 ? rc : tree_write_header(tree, &header, err);
}

int tree_member_land(struct tree *tree, uint32_t index, const char *path, uint64_t size,
                     const struct tree_record *record, struct error *err)
{
    CLEANUP_FREE char *to = xasprintf("files/%s", path);
    int rc = tree_lock_header(tree, err);

    if (rc == 0)
        rc = land(tree, index, to, size, record, err);
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
