/* pack_scan.c: walks a folder and lists the files that an archive is to hold. */
#include "publish/pack_scan.h"

#include "cache/toc_name.h"
#include "cache/toc_parse.h"
#include "common/files.h"
#include "common/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    FOLDERS_SIZE_MAX = 256 << 20, /* bytes of all folder paths */
    PATHS_SIZE_MAX = 512 << 20,
    ENTRY_SIZE = 46 + 28, /* of the central directory: fixed fields and those of zip64 */
};

struct walk {
    struct pack_list *list;
    const char *folder;   /* that is being listed, "" for the top */
    struct bytes folders; /* paths still to be listed, each ended by NUL */
    size_t folder_count;
};

const char *pack_scan_print(const char *path, char buffer[static 128])
{
    return toc_name_print(path, strlen(path), buffer);
}

/* A path that the reader of archives would refuse must not be packed. */
static int check_path(const char *path, size_t size, struct error *err)
{
    char text[128];
    int rc;

    if (!utf8_is_valid(path, size))
        return fail(err, EINVAL, "the name of '%s' is not UTF-8; rename it",
                    pack_scan_print(path, text));
    rc = toc_name_check_path(path, size, err);
    return rc < 0 ? fail_context(err, -EINVAL, "no archive can hold this") : 0;
}

static int check_limits(const struct walk *walk, struct error *err)
{
    const struct pack_list *list = walk->list;

    if (list->count + walk->folder_count >= TOC_ENTRIES_MAX)
        return fail(err, EFBIG, "more than %d files and folders", (int)TOC_ENTRIES_MAX);
    if (list->directory_size > TOC_PARSE_DIRECTORY_MAX)
        return fail(err, EFBIG, "the paths of all files take more than %llu bytes",
                    (unsigned long long)TOC_PARSE_DIRECTORY_MAX);
    return 0;
}

static int add_file(struct walk *walk, const char *path, size_t size,
                    const struct stat *stat, struct error *err)
{
    struct pack_list *list = walk->list;
    struct pack_file *file;
    int rc;

    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct pack_file *files = reallocarray(list->files, capacity, sizeof *files);

        if (!files)
            return fail(err, ENOMEM, "no memory for a list of %zu files", capacity);
        list->files = files;
        list->capacity = capacity;
    }
    file = &list->files[list->count];
    *file = (struct pack_file){
        .path = list->paths.size,
        .size = (uint64_t)stat->st_size,
        .mtime = stat->st_mtim,
        .device = stat->st_dev,
        .inode = stat->st_ino,
        .mode = stat->st_mode,
    };
    rc = bytes_append(&list->paths, path, size + 1, err);
    if (rc < 0)
        return rc;
    list->count++;
    list->directory_size += ENTRY_SIZE + size;
    if (__builtin_add_overflow(list->content_size, file->size, &list->content_size))
        return fail(err, EFBIG, "the files are too large");
    return check_limits(walk, err);
}

static int add_folder(struct walk *walk, const char *path, size_t size, struct error *err)
{
    walk->folder_count++;
    return bytes_append(&walk->folders, path, size + 1, err);
}

static const char *kind_name(mode_t mode)
{
    return S_ISFIFO(mode)   ? "a named pipe"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISCHR(mode)  ? "a character device"
           : S_ISBLK(mode)  ? "a block device"
                            : "no regular file";
}

/* What a link leads to; only files can be packed in its place. */
static int follow_link(int fd, const char *name, const char *path, struct stat *ret_stat,
                       struct error *err)
{
    char text[128];

    if (fstatat(fd, name, ret_stat, 0) < 0) {
        if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)
            return fail(err, EINVAL, "the link '%s' leads to nothing; remove or mend it",
                        pack_scan_print(path, text));
        return fail_errno(err, "follow the link '%s'", pack_scan_print(path, text));
    }
    if (S_ISDIR(ret_stat->st_mode))
        return fail(err, EINVAL,
                    "the link '%s' leads to a folder, which no archive can hold; put the "
                    "folder itself in its place",
                    pack_scan_print(path, text));
    return 0;
}

static int add_name(void *arg, int fd, const char *name, struct error *err)
{
    struct walk *walk = arg;
    const char *folder = walk->folder;
    char path[TOC_PATH_MAX + 1], text[128];
    struct stat stat;
    int size = snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    int rc;

    if (size < 0 || (size_t)size >= sizeof path)
        return fail(err, EINVAL, "'%s' is a path of more than %d bytes",
                    pack_scan_print(path, text), TOC_PATH_MAX);
    rc = check_path(path, (size_t)size, err);
    if (rc < 0)
        return rc;
    if (fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "stat '%s'", pack_scan_print(path, text));
    if (S_ISDIR(stat.st_mode))
        return add_folder(walk, path, (size_t)size, err);
    if (S_ISLNK(stat.st_mode)) {
        rc = follow_link(fd, name, path, &stat, err);
        if (rc < 0)
            return rc;
    }
    if (!S_ISREG(stat.st_mode))
        return fail(err, EINVAL, "'%s' is %s, which no archive can hold; remove it",
                    pack_scan_print(path, text), kind_name(stat.st_mode));
    return add_file(walk, path, (size_t)size, &stat, err);
}

int pack_scan(int folder_fd, struct pack_list *ret_list, struct error *err)
{
    struct walk walk = {.list = ret_list};
    int rc;

    *ret_list = (struct pack_list){0};
    bytes_init(&ret_list->paths, PATHS_SIZE_MAX);
    bytes_init(&walk.folders, FOLDERS_SIZE_MAX);
    rc = add_folder(&walk, "", 0, err);
    for (size_t at = 0; at < walk.folders.size && rc == 0;) {
        char folder[TOC_PATH_MAX + 1]; /* the list moves when it grows */
        size_t size = strlen(walk.folders.data + at) + 1;

        memcpy(folder, walk.folders.data + at, size);
        at += size;
        walk.folder = folder;
        rc = files_list(folder_fd, *folder ? folder : ".", add_name, &walk, err);
    }
    bytes_done(&walk.folders);
    return rc;
}

void pack_scan_done(struct pack_list *list)
{
    bytes_done(&list->paths);
    free(list->files);
    *list = (struct pack_list){0};
}
