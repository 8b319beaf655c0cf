/* file.c: a folder as repository. */
#include "backends/file.h"

#include "backends/digest.h"
#include "backends/file_facts.h"
#include "backends/file_put.h"
#include "backends/plain.h"
#include "common/cleanup.h"
#include "common/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 << 10 };

struct file {
    struct backend base;
    char *root; /* constant after open */
};

struct file_object {
    struct object base;
    char *path; /* absolute */
    int fd;
    struct stat opened; /* what it was then */
};

static char *join(const struct file *file, const char *path)
{
    return xasprintf("%s%s%s", file->root, path[0] ? "/" : "", path);
}

static bool means_missing(int code)
{
    return code == ENOENT || code == ENOTDIR || code == ENAMETOOLONG || code == EISDIR;
}

static int file_open(const struct backend_options *options, struct backend **ret_backend,
                     struct error *err)
{
    CLEANUP_FREE char *here = NULL;
    struct file *file;

    if (!options->host || !options->host[0])
        return fail(err, EINVAL, "backend 'file-system': 'host' names no folder");
    if (!options->repository || !options->repository[0] || options->repository[0] == '/')
        return fail(err, EINVAL, "backend 'file-system': 'name' is no folder below '%s'",
                    options->host);
    /* The daemon leaves the folder it was started in. */
    if (options->host[0] != '/' && !(here = getcwd(NULL, 0)))
        return fail_errno(err, "find the current folder");
    file = XNEW(struct file);
    file->base.ops = &file_ops;
    file->root = xasprintf("%s%s%s/%s", here ? here : "", here ? "/" : "", options->host,
                           options->repository);
    file->base.location = file->root;
    *ret_backend = &file->base;
    return 0;
}

static void file_close(struct backend *backend)
{
    struct file *file = (struct file *)backend;

    free(file->root);
    free(file);
}

static int file_stat(struct backend *backend, const char *path,
                     struct backend_stat *ret_stat, struct error *err)
{
    const struct file *file = (struct file *)backend;
    CLEANUP_FREE char *full = join(file, path);
    struct stat found;

    if (stat(full, &found) < 0)
        return means_missing(errno) ? file_facts_missing(file->root, path, err)
                                    : fail_errno(err, "stat '%s'", full);
    if (!S_ISREG(found.st_mode))
        return fail(err, ENOENT, "'%s' is not a file", full);
    file_facts_describe(&found, ret_stat);
    return 0;
}

static int open_regular(const struct file *file, const char *path, const char *full,
                        struct stat *ret_stat, struct error *err)
{
    /* O_NONBLOCK: a FIFO among the files must not hang us. */
    CLEANUP_CLOSE int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return means_missing(errno) ? file_facts_missing(file->root, path, err)
                                    : fail_errno(err, "open '%s'", full);
    if (fstat(fd, ret_stat) < 0)
        return fail_errno(err, "stat '%s'", full);
    if (!S_ISREG(ret_stat->st_mode))
        return fail(err, ENOENT, "'%s' is not a file", full);
    return steal_fd(&fd);
}

static int file_object_open(struct backend *backend, const char *path,
                            struct object **ret_object, struct error *err)
{
    const struct file *file = (struct file *)backend;
    CLEANUP_FREE char *full = join(file, path);
    struct file_object *object;
    struct stat found;
    int fd = open_regular(file, path, full, &found, err);

    if (fd < 0)
        return fd;
    object = XNEW(struct file_object);
    object->base.backend = backend;
    file_facts_describe(&found, &object->base.stat);
    object->path = steal_ptr(&full);
    object->fd = fd;
    object->opened = found;
    *ret_object = &object->base;
    return 0;
}

static void file_object_close(struct object *base)
{
    struct file_object *object = (struct file_object *)base;

    close(object->fd);
    free(object->path);
    free(object);
}

static int file_object_fd(struct object *base)
{
    return ((struct file_object *)base)->fd;
}

static bool is_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static bool is_unchanged(const struct stat *now, const struct stat *opened)
{
    return is_file(now, opened) && now->st_size == opened->st_size &&
           now->st_mtim.tv_sec == opened->st_mtim.tv_sec &&
           now->st_mtim.tv_nsec == opened->st_mtim.tv_nsec &&
           now->st_ctim.tv_sec == opened->st_ctim.tv_sec &&
           now->st_ctim.tv_nsec == opened->st_ctim.tv_nsec;
}

/* What the name says of the file suffices while it is the one we opened. */
static int file_object_check(struct object *base, struct error *err)
{
    const struct file_object *object = (struct file_object *)base;
    const char *root = ((struct file *)base->backend)->root;
    struct stat kept, named;
    int rc;

    if (stat(object->path, &named) == 0) {
        if (is_unchanged(&named, &object->opened))
            return 0;
        return fail(err, ESTALE,
                    is_file(&named, &object->opened) ? "'%s' changed since it was opened"
                                                     : "'%s' was replaced",
                    object->path);
    }
    rc = means_missing(errno)
             ? file_facts_missing(root, object->path + strlen(root) + 1, err)
             : fail_errno(err, "stat '%s'", object->path);
    if (fstat(object->fd, &kept) < 0)
        return fail_errno(err, "stat '%s'", object->path);
    if (!is_unchanged(&kept, &object->opened))
        return fail(err, ESTALE, "'%s' changed since it was opened", object->path);
    /* Without the repository nobody knows whether it was. */
    return rc == -ENOENT ? fail(err, ESTALE, "'%s' was removed", object->path) : rc;
}

/* At most size bytes, read while the file was still what was opened; the count, at least
 * 1. */
static ssize_t read_piece(struct file_object *object, void *buffer, size_t size,
                          uint64_t at, struct error *err)
{
    ssize_t count;
    int rc;

    do
        count = pread(object->fd, buffer, size, (off_t)at);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return fail_errno(err, "read '%s'", object->path);
    rc = file_object_check(&object->base, err);
    if (rc < 0)
        return rc;
    return count > 0
               ? count
               : fail(err, EIO, "'%s' ends at byte %llu of %llu", object->path,
                      (unsigned long long)at, (unsigned long long)object->base.stat.size);
}

static int file_object_read(struct object *base, struct range range, struct sink *to,
                            struct error *err)
{
    struct file_object *object = (struct file_object *)base;
    CLEANUP_FREE char *buffer = NULL;
    uint64_t left = range.last - range.first + 1;
    size_t size;

    if (range.last >= base->stat.size)
        return fail(err, EIO, "'%s' has %llu bytes, asked for byte %llu", object->path,
                    (unsigned long long)base->stat.size, (unsigned long long)range.last);
    size = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    buffer = malloc(size); /* not cleared: a small file would pay for that */
    if (!buffer)
        return fail(err, ENOMEM, "no memory to read '%s'", object->path);
    while (left > 0) {
        ssize_t count = read_piece(object, buffer, left < size ? (size_t)left : size,
                                   range.last + 1 - left, err);
        int rc = count < 0 ? (int)count : to->write(to, buffer, (size_t)count, err);

        if (rc < 0)
            return rc;
        left -= (uint64_t)count;
    }
    return 0;
}

struct digest_sink {
    struct sink base;
    struct digest_md5 digest;
};

static int write_digest(struct sink *sink, const void *data, size_t size,
                        struct error *err)
{
    (void)err; /* digest_md5_final tells */
    digest_md5_update(&((struct digest_sink *)sink)->digest, data, size);
    return 0;
}

static int file_checksum(struct backend *backend, const char *path,
                         char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    CLEANUP_OWN_OBJECT struct object *object = NULL;
    struct digest_sink sink = {.base.write = write_digest};
    int rc = file_object_open(backend, path, &object, err);

    if (rc == 0)
        rc = digest_md5_init(&sink.digest, err);
    if (rc < 0)
        return rc;
    if (object->stat.size > 0)
        rc = file_object_read(object, (struct range){0, object->stat.size - 1},
                              &sink.base, err);
    if (rc == 0)
        rc = digest_md5_final(&sink.digest, ret_md5, err);
    digest_md5_done(&sink.digest);
    return rc;
}

/* Is the entry a folder, or a file? Links count as what they lead to; -ENOENT for those
 * that lead nowhere, and for what is neither. */
static int entry_is_folder(int folder_fd, const struct dirent *entry)
{
    struct stat found;

    if (entry->d_type == DT_DIR)
        return 1;
    if (entry->d_type == DT_REG)
        return 0;
    if ((entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) ||
        fstatat(folder_fd, entry->d_name, &found, 0) < 0)
        return -ENOENT;
    return S_ISDIR(found.st_mode) ? 1 : S_ISREG(found.st_mode) ? 0 : -ENOENT;
}

static bool is_hidden(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           file_put_is_temporary(name);
}

static int file_list(struct backend *backend, const char *folder, backend_each *each,
                     void *arg, struct error *err)
{
    const struct file *file = (struct file *)backend;
    CLEANUP_FREE char *full = join(file, folder);
    CLEANUP_CLOSEDIR DIR *dir = opendir(full);

    if (!dir)
        return means_missing(errno) ? file_facts_missing(file->root, folder, err)
                                    : fail_errno(err, "list '%s'", full);
    for (;;) {
        struct dirent *entry;
        int is_folder, rc;

        errno = 0;
        entry = readdir(dir);
        if (!entry)
            return errno ? fail_errno(err, "list '%s'", full) : 0;
        if (is_hidden(entry->d_name))
            continue;
        is_folder = entry_is_folder(dirfd(dir), entry);
        if (is_folder < 0)
            continue;
        rc = each(
            arg,
            &(struct backend_entry){.name = entry->d_name, .is_folder = is_folder > 0},
            err);
        if (rc < 0)
            return rc;
    }
}

static int file_put(struct backend *backend, const char *path,
                    const struct backend_content *content, enum backend_put_flags flags,
                    struct error *err)
{
    return file_put_object(((struct file *)backend)->root, path, content, flags, err);
}

static int file_replace(struct backend *backend, const char *path,
                        const struct backend_content *content, const char *expected_tag,
                        struct error *err)
{
    return file_put_replace(((struct file *)backend)->root, path, content, expected_tag,
                            err);
}

static int file_remove(struct backend *backend, const char *path, struct error *err)
{
    return file_put_remove(((struct file *)backend)->root, path, err);
}

static int file_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    return file_put_spool(((struct file *)backend)->root, ret_fd, err);
}

static int file_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    return file_put_now(((struct file *)backend)->root, ret_now_s, err);
}

/* Models can be read without it. */
static void file_diagnose(struct backend *backend, backend_finding *each, void *arg)
{
    const char *root = ((struct file *)backend)->root;
    CLEANUP_FREE char *sentence = NULL;

    if (faccessat(AT_FDCWD, root, W_OK | X_OK, AT_EACCESS) == 0 ||
        (errno != EACCES && errno != EROFS))
        return; /* what else is wrong backend_check has said */
    sentence =
        xasprintf("readable, but not writable for you (%s): to publish or to change "
                  "aliases you need the right to write to '%s'",
                  strerrordesc_np(errno), root);
    each(arg, BACKEND_WARNING, "writing", sentence);
}

const struct backend_ops file_ops = {
    .kind = "file-system",
    .host_is_path = true,
    .open = file_open,
    .close = file_close,
    .diagnose = file_diagnose,
    .stat = file_stat,
    .checksum = file_checksum,
    .get = plain_get,
    .list = file_list,
    .list_deep = plain_list_deep,
    .put = file_put,
    .replace = file_replace,
    .remove = file_remove,
    .prune = plain_prune,
    .spool = file_spool,
    .now = file_now,
    .object_open = file_object_open,
    .object_open_tail = plain_object_open_tail,
    .object_read = file_object_read,
    .object_check = file_object_check,
    .object_fd = file_object_fd,
    .object_close = file_object_close,
};
