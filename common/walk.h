/* walk.h: all that lies below a folder, one folder after the other.
 *
 *     static int each(void *arg, const struct walk_entry *entry, struct error *err);
 *     rc = walk_folder(dir_fd, each, arg, err);
 *
 * Folders are remembered by their paths, so that depth costs no descriptors; no link is
 * followed on the way. Blocks. Thread-safe. */
#ifndef COMMON_WALK_H
#define COMMON_WALK_H

#include "common/error.h"

#include <stddef.h>
#include <sys/stat.h>

struct walk_entry {
    const char *path; /* from the top, maybe longer than PATH_MAX; lent for the call */
    size_t path_size; /* without its NUL */
    struct stat stat; /* of a link itself */
    int folder_fd;    /* of the folder that it lies in, lent */
    const char *name; /* in that folder */
};

/* Called for every name but "." and "..", for a folder before what is in it, in the order
 * of the disk. What it returns other than 0 ends the walk, and is returned. */
typedef int walk_each(void *arg, const struct walk_entry *entry, struct error *err);

/* -EFBIG: the paths of all folders take more than 256 MiB; what each or the disk said. */
int walk_folder(int dir_fd, walk_each *each, void *arg, struct error *err);

#endif
