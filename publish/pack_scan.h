/* pack_scan.h: the files below a folder that an archive is to hold. For publish/pack*.c
 * alone.
 *
 *     rc = pack_scan(folder_fd, &list, &err);
 *     for (size_t i = 0; i < list.count; i++)
 *         ... pack_scan_path(&list, &list.files[i]) ...
 *     pack_scan_done(&list);
 *
 * One arena of paths and one array: a million files are no trouble. */
#ifndef PUBLISH_PACK_SCAN_H
#define PUBLISH_PACK_SCAN_H

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* As it was when the folder was walked: who reads it compares. */
struct pack_file {
    size_t path; /* offset in paths */
    uint64_t size;
    struct timespec mtime;
    dev_t device;
    ino_t inode;
    mode_t mode;
    bool is_stored; /* false at first; for the caller */
};

struct pack_list {
    struct bytes paths; /* each ended by NUL */
    struct pack_file *files;
    size_t count, capacity;
    uint64_t content_size;   /* bytes of all files */
    uint64_t directory_size; /* at most so many bytes of central directory */
};

/* In the order of the disk. avoided: as in pack.h. Errors as pack_make's; ret_list is to
 * be done even then. */
int pack_scan(int folder_fd, dev_t avoided, struct pack_list *ret_list,
              struct error *err);
void pack_scan_done(struct pack_list *list);
#define CLEANUP_PACK_LIST CLEANUP_WITH(pack_scan_done)

static inline const char *pack_scan_path(const struct pack_list *list,
                                         const struct pack_file *file)
{
    return list->paths.data + file->path;
}

/* A path for messages: printable, of sane length. */
const char *pack_scan_print(const char *path, char buffer[static 128]);

#endif
