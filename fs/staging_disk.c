/* staging_disk.c: the folders behind @staging, and the descriptors of open files. */
#include "fs/staging_disk.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define STAGING_FOLDER ".modelfs/staging"
#define UNLINKED_FOLDER ".modelfs/unlinked"

struct staged {
    uint32_t number;
    int fd;
    bool is_read_only;
    unsigned handles;
    unsigned writers; /* of the handles */
    UT_hash_handle hh;
};

struct staging_disk {
    struct lock lock;
    struct staging_nodes *nodes;     /* constant */
    struct passthrough *passthrough; /* constant once attached */
    int landing_fd;                  /* constant */
    int unlinked_fd;                 /* constant: all mounts' */
    int trash_fd;                    /* constant: ours, locked as long as we live */
    char trash[32];                  /* constant: its name */
    struct staged *open;             /* guarded by lock */
};

/* The same folder for all workers of a mount: they are children of one process. */
static int make_trash(struct staging_disk *disk, int64_t mount_s, struct error *err)
{
    snprintf(disk->trash, sizeof disk->trash, "%d-%jd", getppid(), (intmax_t)mount_s);
    if (mkdirat(disk->unlinked_fd, disk->trash, 0700) < 0 && errno != EEXIST)
        return fail_errno(err, "make folder '%s/%s'", UNLINKED_FOLDER, disk->trash);
    disk->trash_fd =
        openat(disk->unlinked_fd, disk->trash, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->trash_fd < 0 || flock(disk->trash_fd, LOCK_EX | LOCK_NB) < 0)
        return fail_errno(err, "lock folder '%s/%s'", UNLINKED_FOLDER, disk->trash);
    return 0;
}

/* Its mount may be between two workers. */
static bool may_be_mounted(const char *trash)
{
    int pid = 0;

    return sscanf(trash, "%d-", &pid) != 1 || pid <= 0 || kill(pid, 0) == 0 ||
           errno != ESRCH;
}

/* What mounts left that were killed. */
static void sweep(struct staging_disk *disk)
{
    int fd = openat(disk->unlinked_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        CLEANUP_CLOSE int trash = -1;

        if (entry->d_name[0] == '.' || may_be_mounted(entry->d_name))
            continue;
        trash = openat(disk->unlinked_fd, entry->d_name,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (trash >= 0 && flock(trash, LOCK_EX | LOCK_NB) == 0)
            (void)files_remove_tree(disk->unlinked_fd, entry->d_name,
                                    &(struct error){0}); /* the next mount tries again */
    }
}

static int open_folder(int root_fd, const char *path, int *ret_fd, struct error *err)
{
    int rc = files_make_folders_beneath(root_fd, path, 0700, err);

    if (rc == 0)
        rc = files_open_beneath(root_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
    if (rc < 0)
        return fail_context(err, rc, "@staging");
    *ret_fd = rc;
    return 0;
}

int staging_disk_open(const char *cache_root, int64_t mount_s,
                      struct staging_nodes *nodes, struct staging_disk **ret_disk,
                      struct error *err)
{
    CLEANUP_CLOSE int root_fd = open(cache_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct staging_disk *disk = XNEW(struct staging_disk);
    int rc = root_fd < 0 ? fail_errno(err, "open '%s'", cache_root) : 0;

    lock_init(&disk->lock);
    disk->nodes = nodes;
    disk->landing_fd = disk->unlinked_fd = disk->trash_fd = -1;
    if (rc == 0)
        rc = open_folder(root_fd, STAGING_FOLDER, &disk->landing_fd, err);
    if (rc == 0)
        rc = open_folder(root_fd, UNLINKED_FOLDER, &disk->unlinked_fd, err);
    if (rc == 0)
        rc = make_trash(disk, mount_s, err);
    if (rc < 0) {
        staging_disk_close(disk);
        return rc;
    }
    sweep(disk);
    *ret_disk = disk;
    return 0;
}

static void close_file(struct staged *staged)
{
    close(staged->fd);
    free(staged);
}

void staging_disk_close(struct staging_disk *disk)
{
    struct staged *staged, *next;

    if (!disk)
        return;
    HASH_ITER(hh, disk->open, staged, next)
    {
        HASH_DEL(disk->open, staged);
        close_file(staged);
    }
    if (disk->trash_fd >= 0) {
        (void)files_remove_tree(disk->unlinked_fd, disk->trash, &(struct error){0});
        close(disk->trash_fd);
    }
    if (disk->unlinked_fd >= 0)
        close(disk->unlinked_fd);
    if (disk->landing_fd >= 0)
        close(disk->landing_fd);
    lock_done(&disk->lock);
    free(disk);
}

void staging_disk_attach(struct staging_disk *disk, struct passthrough *passthrough)
{
    disk->passthrough = passthrough;
}

int staging_disk_fd(const struct staging_disk *disk)
{
    return disk->landing_fd;
}

int staging_disk_trash_fd(const struct staging_disk *disk)
{
    return disk->trash_fd;
}

static void print_trash_name(uint32_t number, char name[NAME_MAX + 1])
{
    snprintf(name, NAME_MAX + 1, "%u", number);
}

int staging_disk_locate(struct staging_disk *disk, uint32_t number,
                        struct staging_at *ret_at, struct error *err)
{
    char path[PATH_MAX];
    const char *name;
    int rc;

    if (staging_node_is_dead(disk->nodes, number)) {
        print_trash_name(number, ret_at->name);
        rc = openat(disk->trash_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ret_at->folder_fd = rc;
        return rc < 0 ? fail_errno(err, "open the folder of unlinked files") : 0;
    }
    rc = staging_node_path(disk->nodes, number, path, err);
    if (rc < 0)
        return rc;
    if (number == 0)
        snprintf(path, sizeof path, ".");
    rc = files_open_parent(disk->landing_fd, path, &name, err);
    if (rc < 0)
        return rc;
    ret_at->folder_fd = rc;
    snprintf(ret_at->name, sizeof ret_at->name, "%s", name);
    return 0;
}

int staging_disk_folder(struct staging_disk *disk, uint32_t number, struct error *err)
{
    char path[PATH_MAX];
    int rc = staging_node_path(disk->nodes, number, path, err);

    return rc < 0 ? rc
                  : files_open_beneath(disk->landing_fd, number == 0 ? "." : path,
                                       O_RDONLY | O_DIRECTORY, 0, err);
}

static struct staged *find_locked(struct staging_disk *disk, uint32_t number)
    REQUIRES(disk->lock)
{
    struct staged *staged;

    HASH_FIND(hh, disk->open, &number, sizeof number, staged);
    return staged;
}

/* For both, or for reading where its mode or the disk allows no more. */
static int open_file(struct staging_disk *disk, uint32_t number, bool for_writing,
                     bool *ret_is_read_only, struct error *err)
{
    struct staging_at at;
    int rc = staging_disk_locate(disk, number, &at, err);
    int fd;

    if (rc < 0)
        return rc;
    *ret_is_read_only = false;
    fd = openat(at.folder_fd, at.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && !for_writing && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        *ret_is_read_only = true;
        fd =
            openat(at.folder_fd, at.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    rc = fd < 0 ? fail_errno(err, "open staged file '%s'", at.name) : fd;
    close(at.folder_fd);
    return rc;
}

static int add_locked(struct staging_disk *disk, uint32_t number, int take_fd,
                      bool is_read_only, struct staged **ret_staged, struct error *err)
    REQUIRES(disk->lock)
{
    struct staged *staged = XNEW(struct staged);

    staged->number = number;
    staged->fd = take_fd;
    staged->is_read_only = is_read_only;
    HASH_ADD(hh, disk->open, number, sizeof staged->number, staged);
    if (!staged->hh.tbl) {
        close(take_fd);
        free(staged);
        return fail(err, ENOMEM, "no memory for an open file");
    }
    *ret_staged = staged;
    return 0;
}

/* A file that was opened for reading alone gets a descriptor for both. */
static int allow_writing_locked(struct staging_disk *disk, struct staged *staged,
                                struct error *err) REQUIRES(disk->lock)
{
    bool is_read_only;
    int fd = open_file(disk, staged->number, true, &is_read_only, err);

    if (fd < 0)
        return fd;
    dup3(fd, staged->fd, O_CLOEXEC);
    close(fd);
    staged->is_read_only = false;
    return 0;
}

static int hold_locked(struct staging_disk *disk, uint32_t number, bool for_writing,
                       int take_fd, struct staged **ret_staged, struct error *err)
    REQUIRES(disk->lock)
{
    struct staged *staged = find_locked(disk, number);
    bool is_read_only = false;

    if (staged && take_fd >= 0)
        close(take_fd);
    if (!staged && take_fd < 0)
        take_fd = open_file(disk, number, for_writing, &is_read_only, err);
    if (!staged && take_fd < 0)
        return take_fd;
    *ret_staged = staged;
    if (!staged)
        return add_locked(disk, number, take_fd, is_read_only, ret_staged, err);
    if (staged->is_read_only && for_writing)
        return allow_writing_locked(disk, staged, err);
    return 0;
}

static void drop_locked(struct staging_disk *disk, struct staged *staged)
    REQUIRES(disk->lock)
{
    char name[NAME_MAX + 1];

    if (staged->handles > 0)
        return;
    HASH_DEL(disk->open, staged);
    print_trash_name(staged->number, name);
    if (staging_node_is_dead(disk->nodes, staged->number))
        (void)unlinkat(disk->trash_fd, name, 0); /* else the next mount does it */
    close_file(staged);
}

int staging_disk_hold(struct staging_disk *disk, const struct staging_wish *wish,
                      int take_fd, uint64_t *ret_handle, uint32_t *ret_backing_id,
                      struct error *err)
{
    bool for_writing = (wish->flags & O_ACCMODE) != O_RDONLY;
    struct staged *staged = NULL;
    int rc;

    *ret_handle = 0;
    *ret_backing_id = 0;
    lock_acquire(&disk->lock);
    rc = hold_locked(disk, wish->number, for_writing, take_fd, &staged, err);
    if (rc == 0 && wish->flags & O_TRUNC && ftruncate(staged->fd, 0) < 0)
        rc = fail_errno(err, "truncate a staged file");
    if (rc == 0)
        rc = passthrough_open(disk->passthrough, wish->node_id, wish->unique, staged->fd,
                              ret_handle, ret_backing_id, err);
    if (rc == -ENOTSUP)
        rc = 0; /* the page cache serves as well, only slower */
    if (rc == 0) {
        staged->handles++;
        staged->writers += for_writing;
    } else if (staged) {
        drop_locked(disk, staged);
    }
    lock_release(&disk->lock);
    return rc;
}

bool staging_disk_release(struct staging_disk *disk, uint32_t number, uint64_t handle,
                          int flags)
{
    bool for_writing = (flags & O_ACCMODE) != O_RDONLY;
    struct staged *staged;
    bool is_last = for_writing;

    if (handle & PASSTHROUGH_HANDLE)
        passthrough_release(disk->passthrough, handle);
    lock_acquire(&disk->lock);
    staged = find_locked(disk, number);
    if (staged && for_writing && staged->writers > 0)
        is_last = --staged->writers == 0;
    if (staged && staged->handles > 0)
        staged->handles--;
    if (staged)
        drop_locked(disk, staged);
    lock_release(&disk->lock);
    return is_last;
}

int staging_disk_dup(struct staging_disk *disk, uint32_t number)
{
    const struct staged *staged;
    int fd;

    lock_acquire(&disk->lock);
    staged = find_locked(disk, number);
    fd = staged ? fcntl(staged->fd, F_DUPFD_CLOEXEC, 0) : -1;
    lock_release(&disk->lock);
    return fd < 0 ? -ENOENT : fd;
}

bool staging_disk_is_open(struct staging_disk *disk, uint32_t number)
{
    bool is_open;

    lock_acquire(&disk->lock);
    is_open = find_locked(disk, number) != NULL;
    lock_release(&disk->lock);
    return is_open;
}

bool staging_disk_has_writers(struct staging_disk *disk, uint32_t number)
{
    const struct staged *staged;
    bool has_writers;

    lock_acquire(&disk->lock);
    staged = find_locked(disk, number);
    has_writers = staged && staged->writers > 0;
    lock_release(&disk->lock);
    return has_writers;
}

bool staging_disk_has_writers_below(struct staging_disk *disk, const char *top)
{
    const struct staged *staged;
    bool has_writers = false;
    const char *found;

    lock_acquire(&disk->lock);
    for (staged = disk->open; staged; staged = staged->hh.next) {
        found =
            staged->writers > 0 ? staging_node_top(disk->nodes, staged->number) : NULL;
        has_writers = has_writers || (found && strcmp(found, top) == 0);
    }
    lock_release(&disk->lock);
    return has_writers;
}

int staging_disk_lose(struct staging_disk *disk, int folder_fd, const char *name,
                      struct staging_loss *ret_loss, struct error *err)
{
    char trash_name[NAME_MAX + 1];
    struct stat st;

    *ret_loss = (struct staging_loss){.number = 0};
    if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        (st.st_nlink > 1 && !S_ISDIR(st.st_mode)) ||
        !staging_node_find(disk->nodes, st.st_ino, &ret_loss->number))
        return 0; /* nobody knows it, or it stays under another name */
    if (!S_ISREG(st.st_mode) || !staging_disk_is_open(disk, ret_loss->number))
        return 0;
    print_trash_name(ret_loss->number, trash_name);
    if (linkat(folder_fd, name, disk->trash_fd, trash_name, 0) < 0)
        return fail_errno(err, "keep open file '%s'", name);
    ret_loss->is_kept = true;
    return 0;
}

void staging_disk_lost(struct staging_disk *disk, const struct staging_loss *loss,
                       bool is_lost)
{
    char name[NAME_MAX + 1];

    if (loss->number == 0)
        return;
    if (is_lost)
        staging_node_kill(disk->nodes, loss->number);
    print_trash_name(loss->number, name);
    /* Closed meanwhile: nobody removes it later. */
    if (loss->is_kept && (!is_lost || !staging_disk_is_open(disk, loss->number)))
        (void)unlinkat(disk->trash_fd, name, 0);
}
