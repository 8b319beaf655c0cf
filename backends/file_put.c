/* file_put.c: writes, replaces and removes files of a repository that is a folder. */
#include "backends/file_put.h"

#include "backends/file_facts.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/random.h"
#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY_PREFIX ".modelfs-put-"

enum {
    CHUNK_BYTES = 256 << 10,
    STALE_S = 24 * 3600,
    PUT_TRIES = 5,
    LOCK_TRIES = 500,
    LOCK_PAUSE_MS = 10,
    PROC_PATH_SIZE = 40,
};

/* Where a path leads. */
struct place {
    int root_fd;
    int folder_fd;
    const char *name; /* of the object in its folder; lent */
};

static void place_done(struct place *place)
{
    cleanup_close(&place->root_fd);
    cleanup_close(&place->folder_fd);
}

/* A file that is being written. */
struct temporary {
    int fd;
    int folder_fd; /* where its name stands; lent */
    char name[64]; /* "" while it has none */
};

static void temporary_done(struct temporary *temporary)
{
    if (temporary->name[0])
        unlinkat(temporary->folder_fd, temporary->name, 0);
    cleanup_close(&temporary->fd);
}

bool file_put_is_temporary(const char *name)
{
    return strncmp(name, TEMPORARY_PREFIX, sizeof TEMPORARY_PREFIX - 1) == 0;
}

static int open_root(const char *root, const char *path, struct error *err)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    return errno == ENOENT ? file_facts_missing(root, path, err)
                           : fail_errno(err, "open '%s'", root);
}

enum place_how {
    PLACE_THERE, /* -ENOENT without the folder of path */
    PLACE_MAKE,  /* it is made if missing; the repository itself must be there */
};

static int place_open(const char *root, const char *path, enum place_how how,
                      struct place *place, struct error *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;
    int rc = 0;

    place->name = slash ? slash + 1 : path;
    place->root_fd = open_root(root, path, err);
    if (place->root_fd < 0)
        return place->root_fd;
    if (folder && how == PLACE_MAKE)
        rc = files_make_folders(place->root_fd, folder, 0777, err);
    if (rc < 0)
        return rc;
    place->folder_fd =
        openat(place->root_fd, folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place->folder_fd < 0 ? fail_errno(err, "open '%s'", folder ? folder : root)
                                : 0;
}

static void print_proc_path(int fd, char path[PROC_PATH_SIZE])
{
    snprintf(path, PROC_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* A file without a name, which /proc can give one. -1 where the disk has none. */
static int open_unnamed(int folder_fd)
{
    CLEANUP_CLOSE int fd = openat(folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    char path[PROC_PATH_SIZE];

    if (fd < 0)
        return -1;
    print_proc_path(fd, path);
    return access(path, F_OK) == 0 ? steal_fd(&fd) : -1;
}

static int temporary_name(char *name, size_t size, struct error *err)
{
    char random[RANDOM_NAME_SIZE];
    int rc = random_name(random, err);

    snprintf(name, size, TEMPORARY_PREFIX "%s", rc == 0 ? random : "");
    return rc;
}

static bool is_same_disk(int left_fd, int right_fd)
{
    struct stat left, right;

    return fstat(left_fd, &left) == 0 && fstat(right_fd, &right) == 0 &&
           left.st_dev == right.st_dev;
}

/* Names stand in the repository's own folder, where the next put finds what a crash left;
 * in the object's folder if we may not write there or it lies on another disk. */
static int open_named(const struct place *place, struct temporary *temporary,
                      struct error *err)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    char name[sizeof temporary->name];
    int rc = temporary_name(name, sizeof name, err);

    if (rc < 0)
        return rc;
    temporary->folder_fd = place->root_fd;
    if (is_same_disk(place->root_fd, place->folder_fd))
        temporary->fd = openat(place->root_fd, name, flags, 0666);
    if (temporary->fd < 0) {
        temporary->folder_fd = place->folder_fd;
        temporary->fd = openat(place->folder_fd, name, flags, 0666);
    }
    if (temporary->fd < 0)
        return fail_errno(err, "create a file");
    memcpy(temporary->name, name, sizeof name);
    return 0;
}

static int copy_content(int fd, const struct backend_content *content, struct error *err)
{
    CLEANUP_FREE char *buffer = NULL;

    if (content->data)
        return files_write_fd(fd, content->data, (size_t)content->size, err);
    buffer = xcalloc(1, CHUNK_BYTES);
    for (uint64_t done = 0; done < content->size;) {
        uint64_t left = content->size - done;
        size_t size = left > CHUNK_BYTES ? CHUNK_BYTES : (size_t)left;
        int rc = files_pread(content->fd, buffer, size, done, err);

        if (rc == 0)
            rc = files_write_fd(fd, buffer, size, err);
        done += size;
        if (rc == 0 && content->progress)
            rc = content->progress(content->arg, done, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A new file with all of the content on disk. */
static int temporary_write(const struct place *place,
                           const struct backend_content *content,
                           struct temporary *temporary, struct error *err)
{
    int rc = 0;

    temporary->fd = open_unnamed(place->folder_fd);
    if (temporary->fd < 0)
        rc = open_named(place, temporary, err);
    if (rc == 0)
        rc = copy_content(temporary->fd, content, err);
    if (rc == 0 && fsync(temporary->fd) < 0)
        rc = fail_errno(err, "write to disk");
    return rc;
}

/* Is the file one of backend_spool on the disk that it shall lie on? */
static bool may_link(const struct place *place, const struct backend_content *content)
{
    struct stat found;

    return !content->data && content->is_given && fstat(content->fd, &found) == 0 &&
           S_ISREG(found.st_mode) && found.st_nlink == 0 &&
           (uint64_t)found.st_size == content->size &&
           is_same_disk(content->fd, place->folder_fd);
}

/* As linkat(2). */
static int give_name(int fd, int folder_fd, const char *name)
{
    char path[PROC_PATH_SIZE];

    print_proc_path(fd, path);
    return linkat(AT_FDCWD, path, folder_fd, name, AT_SYMLINK_FOLLOW);
}

/* Under its final name at last, which nothing may have yet. */
static int move_to_new(struct temporary *temporary, const struct place *place,
                       struct error *err)
{
    if (!temporary->name[0])
        return give_name(temporary->fd, place->folder_fd, place->name) < 0
                   ? fail_errno(err, "create '%s'", place->name)
                   : 0;
    if (linkat(temporary->folder_fd, temporary->name, place->folder_fd, place->name, 0) ==
        0)
        return 0;
    /* File systems without hard links say EPERM or EOPNOTSUPP. */
    if ((errno != EPERM && errno != EOPNOTSUPP) ||
        renameat2(temporary->folder_fd, temporary->name, place->folder_fd, place->name,
                  RENAME_NOREPLACE) < 0)
        return fail_errno(err, "create '%s'", place->name);
    temporary->name[0] = '\0';
    return 0;
}

/* Under its final name, in place of what has that now. */
static int move_over(struct temporary *temporary, const struct place *place,
                     struct error *err)
{
    if (!temporary->name[0]) {
        char name[sizeof temporary->name];
        int rc = temporary_name(name, sizeof name, err);

        if (rc < 0)
            return rc;
        if (give_name(temporary->fd, place->folder_fd, name) < 0)
            return fail_errno(err, "create '%s'", place->name);
        temporary->folder_fd = place->folder_fd;
        memcpy(temporary->name, name, sizeof name);
    }
    if (renameat(temporary->folder_fd, temporary->name, place->folder_fd, place->name) <
        0)
        return fail_errno(err, "rename to '%s'", place->name);
    temporary->name[0] = '\0';
    return 0;
}

static int sync_folder(const struct place *place, struct error *err)
{
    return fsync(place->folder_fd) < 0 ? fail_errno(err, "write the folder to disk") : 0;
}

/* -EEXIST, or 0 when it could be linked; else it has to be copied. */
static int link_given(const struct place *place, const struct backend_content *content,
                      enum backend_put_flags flags, struct error *err)
{
    CLEANUP_WITH(temporary_done)
    struct temporary temporary = {.fd = dup(content->fd)};
    int rc;

    if (temporary.fd < 0 || fsync(temporary.fd) < 0)
        return fail_errno(err, "write to disk");
    rc = flags & BACKEND_PUT_IF_ABSENT ? move_to_new(&temporary, place, err)
                                       : move_over(&temporary, place, err);
    return rc == 0 ? sync_folder(place, err) : rc;
}

/* Remove the folders above path that are empty now, up to the repository's own. */
static void prune(int root_fd, const char *path)
{
    CLEANUP_FREE char *folder = xstrdup(path);
    char *slash;

    while ((slash = strrchr(folder, '/'))) {
        *slash = '\0';
        if (unlinkat(root_fd, folder, AT_REMOVEDIR) < 0)
            return;
    }
}

static int put_once(const char *root, const char *path,
                    const struct backend_content *content, enum backend_put_flags flags,
                    struct error *err)
{
    CLEANUP_WITH(place_done) struct place place = {.root_fd = -1, .folder_fd = -1};
    CLEANUP_WITH(temporary_done) struct temporary temporary = {.fd = -1};
    int rc = place_open(root, path, PLACE_MAKE, &place, err);

    if (rc < 0)
        return rc;
    if (may_link(&place, content)) {
        struct error cannot; /* then it is copied */

        rc = link_given(&place, content, flags, &cannot);
        if (rc == 0 || rc == -EEXIST) {
            if (rc < 0)
                *err = cannot;
            return rc;
        }
    }
    rc = temporary_write(&place, content, &temporary, err);
    FAULT("file.put.before-name");
    if (rc == 0)
        rc = flags & BACKEND_PUT_IF_ABSENT ? move_to_new(&temporary, &place, err)
                                           : move_over(&temporary, &place, err);
    if (rc < 0)
        prune(place.root_fd, path); /* what was made for it alone */
    return rc == 0 ? sync_folder(&place, err) : rc;
}

static int sweep_one(void *arg, int folder_fd, const char *name, struct error *err)
{
    struct stat found;

    (void)arg;
    (void)err; /* what cannot be removed stays */
    if (file_put_is_temporary(name) &&
        fstatat(folder_fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(found.st_mode) && found.st_mtim.tv_sec < time(NULL) - STALE_S)
        unlinkat(folder_fd, name, 0);
    return 0;
}

/* Remove what crashes left in the repository's folder. Failing that it stays. */
static void sweep(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error ignored;

    if (fd >= 0)
        (void)files_list_fd(fd, root, sweep_one, NULL, &ignored);
}

int file_put_object(const char *root, const char *path,
                    const struct backend_content *content, enum backend_put_flags flags,
                    struct error *err)
{
    struct error reason;
    int rc = -ENOENT;

    if (!content->data)
        sweep(root);
    /* -ENOENT: who removed the last file of the folder took the folder along. */
    for (int try = 0; try < PUT_TRIES && rc == -ENOENT; try++)
        rc = put_once(root, path, content, flags, &reason);
    if (rc < 0)
        *err = reason;
    return rc < 0 ? fail_context(err, rc, "put '%s/%s'", root, path) : 0;
}

/* The lock of the object that has the name now. */
static int lock_object(int fd, const char *name, struct error *err)
{
    for (int try = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; try++) {
        if (errno == EBADF || errno == EOPNOTSUPP || errno == ENOLCK || errno == ENOSYS)
            return fail(err, ENOTSUP, "'%s' cannot be locked on this file system", name);
        if ((errno != EWOULDBLOCK && errno != EINTR) || try == LOCK_TRIES)
            return fail_errno(err, "lock '%s'", name);
        clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return 0;
}

/* The object, locked, if it is the version expected. It stays locked until closed. */
static int open_expected(const struct place *place, const char *expected_tag,
                         struct error *err)
{
    CLEANUP_CLOSE int fd = -1;
    const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct stat opened, named;
    struct backend_stat now;
    int rc;

    /* Over NFS only a descriptor that may write can be locked. */
    fd = openat(place->folder_fd, place->name, O_RDWR | flags);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        fd = openat(place->folder_fd, place->name, O_RDONLY | flags);
    if (fd < 0)
        return errno == ENOENT ? fail(err, ESTALE, "'%s' was removed", place->name)
                               : fail_errno(err, "open '%s'", place->name);
    rc = lock_object(fd, place->name, err);
    if (rc < 0)
        return rc;
    if (fstat(fd, &opened) < 0 || fstatat(place->folder_fd, place->name, &named, 0) < 0)
        return errno == ENOENT ? fail(err, ESTALE, "'%s' was removed", place->name)
                               : fail_errno(err, "stat '%s'", place->name);
    file_facts_describe(&opened, &now);
    if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino ||
        strcmp(now.tag, expected_tag) != 0)
        return fail(err, ESTALE, "'%s' was replaced", place->name);
    return steal_fd(&fd);
}

static int replace(const char *root, const char *path,
                   const struct backend_content *content, const char *expected_tag,
                   struct error *err)
{
    CLEANUP_WITH(place_done) struct place place = {.root_fd = -1, .folder_fd = -1};
    CLEANUP_WITH(temporary_done) struct temporary temporary = {.fd = -1};
    CLEANUP_CLOSE int object_fd = -1;
    int rc = place_open(root, path, PLACE_THERE, &place, err);

    if (rc == 0 && content)
        rc = temporary_write(&place, content, &temporary, err);
    if (rc < 0)
        return rc;
    object_fd = open_expected(&place, expected_tag, err);
    if (object_fd < 0)
        return object_fd;
    FAULT("file.replace.locked");
    if (content)
        rc = move_over(&temporary, &place, err);
    else if (unlinkat(place.folder_fd, place.name, 0) < 0)
        rc = fail_errno(err, "remove '%s'", place.name);
    if (rc == 0)
        rc = sync_folder(&place, err);
    if (rc == 0 && !content)
        prune(place.root_fd, path);
    return rc;
}

int file_put_replace(const char *root, const char *path,
                     const struct backend_content *content, const char *expected_tag,
                     struct error *err)
{
    int rc = replace(root, path, content, expected_tag, err);

    if (rc == -ENOENT) /* the folder is gone, so the object is */
        rc = fail(err, ESTALE, "it was removed");
    return rc < 0 ? fail_context(err, rc, "replace '%s/%s'", root, path) : 0;
}

int file_put_remove(const char *root, const char *path, struct error *err)
{
    CLEANUP_CLOSE int root_fd = open_root(root, path, err);

    if (root_fd < 0)
        return root_fd;
    if (unlinkat(root_fd, path, 0) == 0) {
        prune(root_fd, path);
        return 0;
    }
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == EISDIR)
        return file_facts_missing(root, path, err);
    return fail_errno(err, "remove '%s/%s'", root, path);
}

int file_put_spool(const char *root, int *ret_fd, struct error *err)
{
    CLEANUP_CLOSE int root_fd = open_root(root, "", err);
    int fd;

    if (root_fd < 0)
        return root_fd;
    fd = open_unnamed(root_fd);
    if (fd < 0)
        return fail(err, ENOTSUP, "'%s' holds no unnamed files", root);
    *ret_fd = fd;
    return 0;
}

int file_put_now(const char *root, int64_t *ret_now_s, struct error *err)
{
    CLEANUP_WITH(place_done) struct place place = {.root_fd = -1, .folder_fd = -1};
    CLEANUP_WITH(temporary_done) struct temporary temporary = {.fd = -1};
    struct stat found;
    int rc = place_open(root, "x", PLACE_THERE, &place, err);

    if (rc == 0)
        rc = temporary_write(&place, &(struct backend_content){.data = "\n", .size = 1},
                             &temporary, err);
    if (rc < 0)
        return fail_context(err, rc, "the time at '%s'", root);
    if (fstat(temporary.fd, &found) < 0)
        return fail_errno(err, "the time at '%s'", root);
    *ret_now_s = found.st_mtim.tv_sec;
    return 0;
}
