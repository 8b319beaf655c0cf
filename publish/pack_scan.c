/* pack_scan.c: lists the files of a folder that an archive is to hold. */
#include "publish/pack_scan.h"

#include "cache/toc_name.h"
#include "cache/toc_parse.h"
#include "common/utf8.h"
#include "common/walk.h"
#include "publish/pack_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATHS_SIZE_MAX = 512 << 20,
    ENTRY_SIZE = 46 + 28, /* of the central directory: fixed fields and those of zip64 */
};

struct scan {
    struct pack_list *list;
    size_t folder_count;
    dev_t avoided;
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

    if (size > TOC_PATH_MAX)
        return fail(err, EINVAL, "'%s' is a path of more than %d bytes",
                    pack_scan_print(path, text), TOC_PATH_MAX);
    if (!utf8_is_valid(path, size))
        return fail(err, EINVAL, "the name of '%s' is not UTF-8; rename it",
                    pack_scan_print(path, text));
    rc = toc_name_check_path(path, size, err);
    return rc < 0 ? fail_context(err, -EINVAL, "no archive can hold this") : 0;
}

static int check_limits(const struct scan *scan, struct error *err)
{
    const struct pack_list *list = scan->list;

    if (list->count + scan->folder_count >= TOC_ENTRIES_MAX)
        return fail(err, EFBIG, "more than %d files and folders", (int)TOC_ENTRIES_MAX);
    if (list->directory_size > TOC_PARSE_DIRECTORY_MAX)
        return fail(err, EFBIG, "the paths of all files take more than %llu bytes",
                    (unsigned long long)TOC_PARSE_DIRECTORY_MAX);
    return 0;
}

static int add_file(struct scan *scan, const char *path, size_t size,
                    const struct stat *stat, struct error *err)
{
    struct pack_list *list = scan->list;
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
    return check_limits(scan, err);
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
static int follow_link(const struct scan *scan, const struct walk_entry *entry,
                       struct stat *ret_stat, struct error *err)
{
    const char *path = entry->path;
    char text[128];
    int rc = pack_link_stat(entry->folder_fd, entry->name, scan->avoided, ret_stat, err);

    if (rc == -EXDEV)
        return fail(err, EINVAL,
                    "the link '%s' leads into the mount that publishes it, which would "
                    "wait for itself; copy the file",
                    pack_scan_print(path, text));
    if (rc == -ENOENT || rc == -ELOOP || rc == -ENOTDIR)
        return fail(err, EINVAL, "the link '%s' leads to nothing; remove or mend it",
                    pack_scan_print(path, text));
    if (rc < 0)
        return fail_context(err, rc, "follow the link '%s'", pack_scan_print(path, text));
    if (S_ISDIR(ret_stat->st_mode))
        return fail(err, EINVAL,
                    "the link '%s' leads to a folder, which no archive can hold; put the "
                    "folder itself in its place",
                    pack_scan_print(path, text));
    return 0;
}

static int add(void *arg, const struct walk_entry *entry, struct error *err)
{
    struct scan *scan = arg;
    struct stat stat = entry->stat;
    const char *path = entry->path;
    char text[128];
    int rc = check_path(path, entry->path_size, err);

    if (rc == 0 && S_ISLNK(stat.st_mode))
        rc = follow_link(scan, entry, &stat, err);
    if (rc < 0)
        return rc;
    if (S_ISDIR(stat.st_mode)) {
        scan->folder_count++;
        return 0;
    }
    if (!S_ISREG(stat.st_mode))
        return fail(err, EINVAL, "'%s' is %s, which no archive can hold; remove it",
                    pack_scan_print(path, text), kind_name(stat.st_mode));
    return add_file(scan, path, entry->path_size, &stat, err);
}

int pack_scan(int folder_fd, dev_t avoided, struct pack_list *ret_list, struct error *err)
{
    struct scan scan = {.list = ret_list, .folder_count = 1, .avoided = avoided};

    *ret_list = (struct pack_list){0};
    bytes_init(&ret_list->paths, PATHS_SIZE_MAX);
    return walk_folder(folder_fd, add, &scan, err);
}

void pack_scan_done(struct pack_list *list)
{
    bytes_done(&list->paths);
    free(list->files);
    *list = (struct pack_list){0};
}
