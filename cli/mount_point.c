/* mount_point.c: may that folder be mounted on, and which mount does a path mean? */
#include "cli/mount_point.h"

#include "cli/mount_table.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static int check_folder(const char *given, struct error *err)
{
    struct statfs system;
    struct stat st;

    if (!*given)
        return fail(err, EINVAL, "the mount point is empty: name a folder");
    /* Of a mount that is dead the kernel may still remember what stat wants. */
    if (stat(given, &st) < 0 || statfs(given, &system) < 0) {
        if (errno == ENOENT)
            return fail(err, ENOENT, "'%s' does not exist: make it first, mkdir -p '%s'",
                        given, given);
        if (errno == ENOTCONN)
            return fail(err, ENOTCONN,
                        "'%s' is a dead mount: run 'modelfs unmount %s' first", given,
                        given);
        return fail_errno(err, "mount point '%s'", given);
    }
    if (!S_ISDIR(st.st_mode))
        return fail(err, ENOTDIR, "'%s' is no folder: only a folder can be mounted on",
                    given);
    return 0;
}

static int check_free(const char *path, struct error *err)
{
    struct mount_entry entry;
    bool is_mounted = false;
    int rc = mount_table_find(path, &is_mounted, &entry, err);

    if (rc < 0)
        return rc;
    if (is_mounted && strncmp(entry.type, "fuse", 4) == 0)
        return fail(err, EBUSY,
                    "'%s' is busy: a mount of type %s is there already; run 'modelfs "
                    "unmount %s' first, or choose another folder",
                    path, entry.type, path);
    if (is_mounted)
        return fail(err, EBUSY,
                    "'%s' is busy: a mount of type %s is there already; choose another "
                    "folder",
                    path, entry.type);
    return 0;
}

int mount_point_check(const char *given, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    int rc = check_folder(given, err);

    if (rc < 0)
        return rc;
    path = realpath(given, NULL);
    if (!path)
        return fail_errno(err, "mount point '%s'", given);
    rc = check_free(path, err);
    if (rc == 0)
        *ret_path = steal_ptr(&path);
    return rc;
}

/* The lock is the process's and its children's; it lies on the folder below the mount. */
int mount_point_lock(const char *path, int *ret_fd, struct error *err)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return fail(err, EBUSY,
                    "'%s' is busy: another modelfs is about to mount there; choose "
                    "another folder",
                    path);
    rc = check_free(path, err);
    if (rc == 0)
        *ret_fd = steal_fd(&fd);
    return rc;
}

void mount_point_unlock(int fd)
{
    if (fd < 0)
        return;
    (void)flock(fd, LOCK_UN); /* for the processes that have it, too */
    close(fd);
}

/* Without links as far as it exists; the rest as it is written. */
static char *resolve_existing(const char *path)
{
    char *head = xstrdup(path);
    char *tail = xstrdup("");

    for (;;) {
        char *real = realpath(head, NULL);
        char *slash = strrchr(head, '/');
        char *longer;

        if (real || !slash || slash == head) {
            char *result = xasprintf("%s%s", real ? real : head, tail);

            free(real);
            free(head);
            free(tail);
            return result;
        }
        longer = xasprintf("%s%s", slash, tail);
        free(tail);
        tail = longer;
        *slash = '\0';
    }
}

static bool is_in(const char *path, const char *folder)
{
    size_t size = strlen(folder);

    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || !path[size]);
}

static int check_apart(const char *mountpoint, const char *what, const char *configured,
                       struct error *err)
{
    CLEANUP_FREE char *path = resolve_existing(configured);

    if (is_in(path, mountpoint))
        return fail(err, EINVAL,
                    "%s lies at '%s', below the mount point '%s', which would hide it: "
                    "choose another mount point",
                    what, path, mountpoint);
    if (is_in(mountpoint, path))
        return fail(err, EINVAL,
                    "the mount point '%s' lies in %s, '%s': choose another mount point",
                    mountpoint, what, path);
    return 0;
}

int mount_point_check_config(const char *path, const struct config *config,
                             struct error *err)
{
    int rc = check_apart(path, "the cache folder", config->cache_root, err);

    for (size_t i = 0; rc == 0 && i < config->repository_count; i++) {
        const struct config_repository *repository = &config->repositories[i];
        CLEANUP_FREE char *what = NULL;
        CLEANUP_FREE char *folder = NULL;

        if (*repository->host != '/')
            continue;
        what = xasprintf("repository '%s'", repository->name);
        folder = xasprintf("%s/%s", repository->host, repository->name);
        rc = check_apart(path, what, folder, err);
    }
    return rc;
}

int mount_point_name(const char *given, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *for_folder = xstrdup(given);
    CLEANUP_FREE char *for_name = xstrdup(given);
    CLEANUP_FREE char *folder = realpath(dirname(for_folder), NULL);
    const char *name = basename(for_name);

    if (!folder)
        return fail_errno(err, "'%s'", given);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "/") == 0) {
        *ret_path = realpath(given, NULL);
        return *ret_path ? 0 : fail_errno(err, "'%s'", given);
    }
    *ret_path = xasprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    return 0;
}
