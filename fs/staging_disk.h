/* staging_disk.h: the landing place on disk, and where in it a number's file lies.
 *
 *     <cache>/.modelfs/staging/              what @staging shows
 *     <cache>/.modelfs/unlinked/<mount>/     of one mount: files that are open, but have
 *                                            no name any more
 *
 * Local I/O only. Constant once it is open, so thread-safe. */
#ifndef FS_STAGING_DISK_H
#define FS_STAGING_DISK_H

#include "common/error.h"
#include "fs/staging_node.h"

#include <stdbool.h>
#include <sys/stat.h>

struct staging_disk;

/* What tells one mount from another: when it was mounted, and the process that started
 * us, which may have come after another one (predecessor; 0: it did not). */
struct staging_mount {
    int64_t mounted_s;
    pid_t predecessor;
};

/* cache_root is the cache folder; nodes are lent. */
int staging_disk_open(const char *cache_root, struct staging_mount mount,
                      struct staging_nodes *nodes, struct staging_disk **ret_disk,
                      struct error *err);
void staging_disk_close(struct staging_disk *disk); /* accepts NULL */

int staging_disk_fd(const struct staging_disk *disk);       /* the landing place; lent */
int staging_disk_trash_fd(const struct staging_disk *disk); /* of this mount; lent */

/* The name of an open file there. */
void staging_disk_trash_name(uint64_t number, char name[NAME_MAX + 1]);

/* Has the file a name there? */
bool staging_disk_is_kept(const struct staging_disk *disk, uint64_t number,
                          uint64_t inode);

/* The folder that a number's file lies in, open, and its name there; for the landing
 * place itself ".". What is open without a name lies among the unlinked. -ESTALE when
 * that name means another file or none: then the kernel looks the name up anew. */
struct staging_at {
    int folder_fd;
    char name[NAME_MAX + 1];
};
int staging_disk_locate(const struct staging_disk *disk, uint64_t number,
                        struct staging_at *ret_at, struct error *err);

/* The folder of a number, open. -ENOTDIR, -ESTALE as above. */
int staging_disk_folder(const struct staging_disk *disk, uint64_t number,
                        struct error *err);

#endif
