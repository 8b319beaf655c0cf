/* staging_disk.c: the folders behind @staging. */
#include "fs/staging_disk.h"

#include "cache/layout.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    STEP_MAX = PATH_MAX - NAME_MAX - 2,
    TRASH_SIZE = 40,
};

struct staging_disk {
    struct staging_nodes *nodes;
    int landing_fd;
    int unlinked_fd;        /* all mounts' */
    int trash_fd;           /* ours, locked as long as we live */
    char trash[TRASH_SIZE]; /* its name */
};

static void name_trash(char name[TRASH_SIZE], pid_t owner, int64_t mounted_s)
{
    snprintf(name, TRASH_SIZE, "%d-%jd", owner, (intmax_t)mounted_s);
}

/* The same folder for all workers of a mount: they are children of one process, or of one
 * that came after it. */
static int make_trash(struct staging_disk *disk, struct staging_mount mount,
                      struct error *err)
{
    char before[TRASH_SIZE];

    name_trash(disk->trash, getppid(), mount.mounted_s);
    name_trash(before, mount.predecessor, mount.mounted_s);
    if (mount.predecessor > 0 &&
        renameat(disk->unlinked_fd, before, disk->unlinked_fd, disk->trash) < 0 &&
        errno != ENOENT)
        return fail_errno(err, "take over folder '%s/%s'", LAYOUT_UNLINKED, before);
    if (mkdirat(disk->unlinked_fd, disk->trash, 0700) < 0 && errno != EEXIST)
        return fail_errno(err, "make folder '%s/%s'", LAYOUT_UNLINKED, disk->trash);
    disk->trash_fd =
        openat(disk->unlinked_fd, disk->trash, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->trash_fd < 0 || flock(disk->trash_fd, LOCK_EX | LOCK_NB) < 0)
        return fail_errno(err, "lock folder '%s/%s'", LAYOUT_UNLINKED, disk->trash);
    return 0;
}

/* Its mount may be between two workers. */
static bool may_be_mounted(const char *trash)
{
    int pid = 0;

    return sscanf(trash, "%d-", &pid) != 1 || pid <= 0 || kill(pid, 0) == 0 ||
           errno != ESRCH;
}

/* What a mount left that was killed. Failing that the next mount tries again. */
static int sweep(void *arg, int unlinked_fd, const char *name, struct error *err)
{
    CLEANUP_CLOSE int trash = -1;

    (void)arg;
    if (name[0] == '.' || may_be_mounted(name))
        return 0;
    trash = openat(unlinked_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (trash >= 0 && flock(trash, LOCK_EX | LOCK_NB) == 0)
        (void)files_remove_tree(unlinked_fd, name, err);
    return 0;
}

int staging_disk_open(const char *cache_root, struct staging_mount mount,
                      struct staging_nodes *nodes, struct staging_disk **ret_disk,
                      struct error *err)
{
    struct staging_disk *disk = XNEW(struct staging_disk);
    int rc;

    disk->nodes = nodes;
    disk->unlinked_fd = disk->trash_fd = -1;
    rc = disk->landing_fd = files_make_and_open(cache_root, LAYOUT_STAGING, 0700, err);
    if (rc >= 0)
        rc = disk->unlinked_fd =
            files_make_and_open(cache_root, LAYOUT_UNLINKED, 0700, err);
    if (rc >= 0)
        rc = make_trash(disk, mount, err);
    if (rc < 0) {
        staging_disk_close(disk);
        return fail_context(err, rc, "@staging");
    }
    (void)files_list(disk->unlinked_fd, ".", sweep, NULL, &(struct error){0});
    *ret_disk = disk;
    return 0;
}

void staging_disk_close(struct staging_disk *disk)
{
    if (!disk)
        return;
    if (disk->trash_fd >= 0) {
        (void)files_remove_tree(disk->unlinked_fd, disk->trash, &(struct error){0});
        close(disk->trash_fd);
    }
    if (disk->unlinked_fd >= 0)
        close(disk->unlinked_fd);
    if (disk->landing_fd >= 0)
        close(disk->landing_fd);
    free(disk);
}

int staging_disk_fd(const struct staging_disk *disk)
{
    return disk->landing_fd;
}

int staging_disk_trash_fd(const struct staging_disk *disk)
{
    return disk->trash_fd;
}

/* Paths are longer than the kernel takes at once: folder by folder, in large steps.
 * ret_rest is the last step. The caller closes the descriptor. */
static int walk(const struct staging_disk *disk, char *path, char **ret_rest,
                struct error *err)
{
    int fd = fcntl(disk->landing_fd, F_DUPFD_CLOEXEC, 0);
    int rc = fd < 0 ? fail_errno(err, "open the folder of @staging") : fd;

    while (rc >= 0 && strlen(path) > STEP_MAX) {
        char *end = memrchr(path, '/', STEP_MAX);

        *end = '\0';
        rc = files_open_beneath(fd, path, O_PATH | O_DIRECTORY, 0, err);
        close(fd);
        fd = rc;
        path = end + 1;
    }
    *ret_rest = path;
    return rc;
}

/* Is it the file that the number means? Others may have changed the folder, or we may
 * have lost track of one of its names. */
static bool is_it(const struct staging_disk *disk, uint64_t number,
                  const struct staging_at *at)
{
    struct stat st;

    return fstatat(at->folder_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_ino == staging_node_inode(disk->nodes, number);
}

static int locate_living(const struct staging_disk *disk, uint64_t number,
                         struct staging_at *ret_at, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    CLEANUP_BYTES struct bytes path;
    const char *name;
    char *rest;
    int rc;

    bytes_init(&path, STAGING_PATH_MAX);
    rc = staging_node_path(disk->nodes, number, &path, err);
    if (rc == 0)
        rc = fd = walk(disk, path.data, &rest, err);
    if (rc >= 0)
        rc = files_open_parent(fd, *rest ? rest : ".", &name, err);
    if (rc < 0)
        return rc;
    ret_at->folder_fd = rc;
    snprintf(ret_at->name, sizeof ret_at->name, "%s", name);
    if (number == 0 || is_it(disk, number, ret_at))
        return 0;
    close(ret_at->folder_fd);
    return fail(err, ESTALE, "staged file '%s' is gone", ret_at->name);
}

void staging_disk_trash_name(uint64_t number, char name[NAME_MAX + 1])
{
    snprintf(name, NAME_MAX + 1, "%ju", (uintmax_t)number);
}

bool staging_disk_is_kept(const struct staging_disk *disk, uint64_t number,
                          uint64_t inode)
{
    char name[NAME_MAX + 1];
    struct stat st;

    staging_disk_trash_name(number, name);
    return fstatat(disk->trash_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_ino == inode;
}

/* Among the unlinked lies what is open without a name that we know. */
static int locate_unlinked(const struct staging_disk *disk, uint64_t number,
                           struct staging_at *ret_at, struct error *err)
{
    int fd = openat(disk->trash_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, "open the folder of unlinked files");
    ret_at->folder_fd = fd;
    staging_disk_trash_name(number, ret_at->name);
    if (is_it(disk, number, ret_at))
        return 0;
    close(fd);
    return fail(err, ESTALE, "the staged file is gone");
}

int staging_disk_locate(const struct staging_disk *disk, uint64_t number,
                        struct staging_at *ret_at, struct error *err)
{
    struct error failure = {0};
    int rc = locate_living(disk, number, ret_at, &failure);

    if (rc < 0 && rc != -ENAMETOOLONG && number != 0)
        rc = locate_unlinked(disk, number, ret_at, &(struct error){0});
    if (rc < 0)
        return fail(err, failure.code == ENOENT ? ESTALE : failure.code, "%s",
                    failure.message);
    return 0;
}

int staging_disk_folder(const struct staging_disk *disk, uint64_t number,
                        struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    CLEANUP_BYTES struct bytes path;
    struct stat st;
    char *rest;
    int rc;

    bytes_init(&path, STAGING_PATH_MAX);
    rc = staging_node_path(disk->nodes, number, &path, err);
    if (rc == 0)
        rc = fd = walk(disk, path.data, &rest, err);
    if (rc >= 0)
        rc = files_open_beneath(fd, *rest ? rest : ".", O_RDONLY | O_DIRECTORY, 0, err);
    if (rc < 0)
        return rc;
    if (number != 0 &&
        (fstat(rc, &st) < 0 || st.st_ino != staging_node_inode(disk->nodes, number))) {
        close(rc);
        return fail(err, ESTALE, "the staged folder is gone");
    }
    return rc;
}
