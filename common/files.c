/* files.c: whole reads, write-then-rename, folders, paths that cannot leave a folder. */
#include "common/files.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    READ_CHUNK = 64 << 10,
    OPEN_TRIES = 100, /* openat2 answers EAGAIN while something is renamed, and EXDEV when
                         that leaves the folder meanwhile */
    TEMPORARY_SIZE = 40,
    REMOVE_DEPTH_MAX = 512,
};

/* How much the next read may bring; 0 at the limit. */
static size_t next_chunk(int fd, const struct bytes *to)
{
    size_t room = to->limit - to->size;
    size_t chunk = READ_CHUNK;
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < READ_CHUNK)
        chunk = (size_t)st.st_size + 1; /* the end shows in the same call */
    return chunk < room ? chunk : room;
}

static int read_to_end(int fd, struct bytes *to, struct error *err)
{
    for (;;) {
        size_t chunk = next_chunk(fd, to);
        char past_limit;
        ssize_t got;
        int rc = bytes_reserve(to, chunk, err);

        if (rc < 0)
            return rc;
        got = TEMP_FAILURE_RETRY(
            read(fd, chunk ? to->data + to->size : &past_limit, chunk ? chunk : 1));
        if (got < 0)
            return fail_errno(err, "read");
        if (got == 0)
            return 0;
        if (chunk == 0)
            return fail(err, EFBIG, "larger than the limit of %zu bytes", to->limit);
        to->size += (size_t)got;
    }
}

int files_read_fd(int fd, struct bytes *to, struct error *err)
{
    size_t size = to->size;
    int rc = read_to_end(fd, to, err);

    if (rc < 0)
        to->size = size;
    if (to->capacity)
        to->data[to->size] = '\0';
    return rc;
}

int files_read(int dir_fd, const char *path, struct bytes *to, struct error *err)
{
    CLEANUP_CLOSE int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return fail_errno(err, "open '%s'", path);
    rc = files_read_fd(fd, to, err);
    return rc < 0 ? fail_context(err, rc, "'%s'", path) : 0;
}

int files_pread(int fd, void *to, size_t size, uint64_t offset, struct error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = TEMP_FAILURE_RETRY(
            pread(fd, (char *)to + done, size - done, (off_t)(offset + done)));

        if (got < 0)
            return fail_errno(err, "read %zu bytes at %ju", size, (uintmax_t)offset);
        if (got == 0)
            return fail(err, EIO, "the file ends at %ju, wanted were %zu bytes at %ju",
                        (uintmax_t)(offset + done), size, (uintmax_t)offset);
        done += (size_t)got;
    }
    return 0;
}

int files_pwrite(int fd, const void *from, size_t size, uint64_t offset,
                 struct error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = TEMP_FAILURE_RETRY(
            pwrite(fd, (const char *)from + done, size - done, (off_t)(offset + done)));

        if (put < 0)
            return fail_errno(err, "write %zu bytes at %ju", size, (uintmax_t)offset);
        done += (size_t)put;
    }
    return 0;
}

int files_write_fd(int fd, const void *from, size_t size, struct error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t put =
            TEMP_FAILURE_RETRY(write(fd, (const char *)from + done, size - done));

        if (put < 0)
            return fail_errno(err, "write %zu bytes", size);
        done += (size_t)put;
    }
    return 0;
}

int files_open_beneath(int dir_fd, const char *path, int flags, mode_t mode,
                       struct error *err)
{
    bool creates = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    /* A FIFO that somebody put there must not hang us. */
    int more = flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NONBLOCK;
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | more),
                           .mode = creates ? mode : 0, /* else refused */
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);

        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EXDEV && errno != EINTR)
            break;
    }
    if (errno == ELOOP)
        return fail(err, ELOOP,
                    "open '%s': a symbolic link stands there, which is not "
                    "followed; remove it",
                    path);
    return fail_errno(err, "open '%s'", path);
}

int files_open_parent(int dir_fd, const char *path, const char **ret_name,
                      struct error *err)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    char parent[PATH_MAX];
    int fd;

    if (size >= sizeof parent)
        return fail(err, ENAMETOOLONG, "'%.80s...' is too long", path);
    if (!slash)
        snprintf(parent, sizeof parent, ".");
    else if (size == 0)
        snprintf(parent, sizeof parent, "/");
    else
        snprintf(parent, sizeof parent, "%.*s", (int)size, path);
    if (dir_fd != AT_FDCWD)
        fd = files_open_beneath(dir_fd, parent, O_RDONLY | O_DIRECTORY, 0, err);
    else if ((fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        fd = fail_errno(err, "open folder '%s'", parent);
    if (fd < 0)
        return fd;
    *ret_name = slash ? slash + 1 : path;
    return fd;
}

static int temporary_name(char name[TEMPORARY_SIZE], struct error *err)
{
    char random[RANDOM_NAME_SIZE];
    int rc = random_name(random, err);

    snprintf(name, TEMPORARY_SIZE, ".modelfs-%s.tmp", rc == 0 ? random : "");
    return rc;
}

enum durability {
    DURABLE,  /* on disk before the call returns */
    VOLATILE, /* whenever the kernel likes */
};

static int write_new(int folder, const char *name, const void *data, size_t size,
                     mode_t mode, enum durability durability, struct error *err)
{
    CLEANUP_CLOSE int fd =
        openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0)
        return fail_errno(err, "create a temporary file");
    rc = files_write_fd(fd, data, size, err);
    if (rc < 0)
        return rc;
    if (fchmod(fd, mode) < 0)
        return fail_errno(err, "set mode %o", mode);
    if (durability == DURABLE && fsync(fd) < 0)
        return fail_errno(err, "fsync");
    return 0;
}

static int replace(int dir_fd, const char *path, const void *data, size_t size,
                   mode_t mode, enum durability durability, struct error *err)
{
    char temporary[TEMPORARY_SIZE];
    const char *name;
    CLEANUP_CLOSE int folder = files_open_parent(dir_fd, path, &name, err);
    int rc = folder < 0 ? folder : temporary_name(temporary, err);

    if (rc < 0)
        return fail_context(err, rc, "write '%s'", path);
    rc = write_new(folder, temporary, data, size, mode, durability, err);
    if (rc == 0 && renameat(folder, temporary, folder, name) < 0)
        rc = fail_errno(err, "rename");
    if (rc < 0) {
        unlinkat(folder, temporary, 0); /* its failure would hide the first one */
        return fail_context(err, rc, "write '%s'", path);
    }
    if (durability == DURABLE && fsync(folder) < 0 &&
        errno != EINVAL) /* EINVAL: folders cannot be synced here */
        return fail_errno(err, "write '%s': fsync of its folder", path);
    return 0;
}

int files_replace(int dir_fd, const char *path, const void *data, size_t size,
                  mode_t mode, struct error *err)
{
    return replace(dir_fd, path, data, size, mode, DURABLE, err);
}

int files_replace_unsynced(int dir_fd, const char *path, const void *data, size_t size,
                           mode_t mode, struct error *err)
{
    return replace(dir_fd, path, data, size, mode, VOLATILE, err);
}

int files_make_folders(int dir_fd, const char *path, mode_t mode, struct error *err)
{
    size_t size = strlen(path);
    char prefix[PATH_MAX];
    struct stat st;

    if (size >= sizeof prefix)
        return fail(err, ENAMETOOLONG, "'%.80s...' is too long", path);
    memcpy(prefix, path, size + 1);
    for (size_t end = 1; end <= size; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        prefix[end] = '\0';
        if (mkdirat(dir_fd, prefix, mode) < 0 && errno != EEXIST)
            return fail_errno(err, "make folder '%s'", prefix);
        prefix[end] = path[end];
    }
    if (fstatat(dir_fd, path, &st, 0) < 0)
        return fail_errno(err, "make folder '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return fail(err, ENOTDIR, "make folder '%s': a file of that name exists", path);
    return 0;
}

/* Make one folder and open it. */
static int step_down(int dir_fd, const char *name, mode_t mode, struct error *err)
{
    if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
        return fail_errno(err, "make folder '%s'", name);
    return files_open_beneath(dir_fd, name, O_PATH | O_DIRECTORY, 0, err);
}

int files_make_folders_beneath(int dir_fd, const char *path, mode_t mode,
                               struct error *err)
{
    CLEANUP_FREE char *names = xstrdup(path);
    CLEANUP_CLOSE int folder = -1;
    char *next = names;

    while (next) {
        const char *name = strsep(&next, "/");
        int fd = step_down(folder < 0 ? dir_fd : folder, name, mode, err);

        if (fd < 0)
            return fail_context(err, fd, "make folder '%s'", path);
        cleanup_close(&folder);
        folder = fd;
    }
    return 0;
}

int files_make_and_open(const char *root, const char *path, mode_t mode,
                        struct error *err)
{
    CLEANUP_CLOSE int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = root_fd < 0 ? fail_errno(err, "open '%s'", root)
                         : files_make_folders_beneath(root_fd, path, mode, err);

    return rc < 0 ? rc
                  : files_open_beneath(root_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
}

int files_list_fd(int take_fd, const char *path, files_each *each, void *arg,
                  struct error *err)
{
    CLEANUP_CLOSE int fd = take_fd;
    CLEANUP_CLOSEDIR DIR *dir = fdopendir(fd);
    const struct dirent *entry;
    int rc = 0;

    if (!dir)
        return fail_errno(err, "read folder '%s'", path);
    (void)steal_fd(&fd); /* closed with dir */
    while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = each(arg, dirfd(dir), entry->d_name, err);
    }
    return rc == 0 && errno ? fail_errno(err, "read folder '%s'", path) : rc;
}

int files_list(int dir_fd, const char *path, files_each *each, void *arg,
               struct error *err)
{
    int fd = files_open_beneath(dir_fd, path, O_RDONLY | O_DIRECTORY, 0, err);

    return fd < 0 ? fd : files_list_fd(fd, path, each, arg, err);
}

int files_open_unnamed(const char *folder, mode_t mode, struct error *err)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
    CLEANUP_FREE char *path = NULL;
    char name[TEMPORARY_SIZE];
    int rc;

    if (fd >= 0)
        return fd;
    rc = temporary_name(name, err);
    if (rc < 0)
        return rc;
    path = xasprintf("%s/%s", folder, name);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return fail_errno(err, "create a file in '%s'", folder);
    unlink(path);
    return fd;
}

/* One folder on the way down; the stack of them replaces recursion. */
struct level {
    DIR *dir;
    char *name; /* in the folder above */
};

struct descent {
    int dir_fd;
    size_t depth;
    struct level levels[REMOVE_DEPTH_MAX];
};

static void descent_free(struct descent **descent)
{
    for (size_t i = 0; i < (*descent)->depth; i++) {
        closedir((*descent)->levels[i].dir);
        free((*descent)->levels[i].name);
    }
    free(*descent);
}

static int innermost_fd(const struct descent *descent)
{
    return descent->depth ? dirfd(descent->levels[descent->depth - 1].dir)
                          : descent->dir_fd;
}

static int enter(struct descent *descent, const char *name, struct error *err)
{
    struct level *level = &descent->levels[descent->depth];
    int fd;

    if (descent->depth == REMOVE_DEPTH_MAX)
        return fail(err, ENAMETOOLONG, "more than %d folders in each other",
                    REMOVE_DEPTH_MAX);
    fd = openat(innermost_fd(descent), name,
                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) /* somebody removes the same */
        return 0;
    if (fd < 0)
        return fail_errno(err, "open folder '%s'", name);
    level->dir = fdopendir(fd);
    if (!level->dir) {
        close(fd);
        return fail(err, ENOMEM, "no memory to read folder '%s'", name);
    }
    level->name = xstrdup(name);
    descent->depth++;
    return 0;
}

/* The innermost folder is empty now: remove it, go on in the one above. */
static int leave(struct descent *descent, struct error *err)
{
    struct level *level = &descent->levels[--descent->depth];
    CLEANUP_FREE char *name = level->name;

    closedir(level->dir);
    if (unlinkat(innermost_fd(descent), name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return fail_errno(err, "remove folder '%s'", name);
    return 0;
}

/* Remove what is no folder, enter what is one. */
static int remove_or_enter(struct descent *descent, const char *name, struct error *err)
{
    if (unlinkat(innermost_fd(descent), name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return fail_errno(err, "remove '%s'", name);
    return enter(descent, name, err);
}

static int remove_next(struct descent *descent, struct error *err)
{
    const struct dirent *entry;

    errno = 0;
    entry = readdir(descent->levels[descent->depth - 1].dir);
    if (!entry && errno)
        return fail_errno(err, "read folder '%s'",
                          descent->levels[descent->depth - 1].name);
    if (!entry)
        return leave(descent, err);
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return 0;
    return remove_or_enter(descent, entry->d_name, err);
}

int files_remove_tree(int dir_fd, const char *path, struct error *err)
{
    CLEANUP_WITH(descent_free) struct descent *descent = XNEW(struct descent);
    int rc;

    descent->dir_fd = dir_fd;
    rc = remove_or_enter(descent, path, err);
    while (rc == 0 && descent->depth > 0)
        rc = remove_next(descent, err);
    return rc < 0 ? fail_context(err, rc, "remove '%s'", path) : 0;
}
