/* staging_disk.h: the landing place on disk, and the staged files that are open.
 *
 *     <cache>/.modelfs/staging/              what @staging shows
 *     <cache>/.modelfs/unlinked/<mount>/     of one mount: files that are open, but have
 *                                            no name any more
 *
 * One descriptor stands for all handles of a file, so that all read it the same way (the
 * kernel refuses a mix of passthrough and page cache). Local I/O only. Thread-safe. */
#ifndef FS_STAGING_DISK_H
#define FS_STAGING_DISK_H

#include "common/error.h"
#include "fs/passthrough.h"
#include "fs/staging_node.h"

#include <sys/stat.h>

struct staging_disk;

/* cache_root is the cache folder; nodes are lent. mount_s and the process that started us
 * tell one mount from another. */
int staging_disk_open(const char *cache_root, int64_t mount_s,
                      struct staging_nodes *nodes, struct staging_disk **ret_disk,
                      struct error *err);
void staging_disk_close(struct staging_disk *disk); /* accepts NULL */

/* Files are opened for passthrough from now on, where it works. */
void staging_disk_attach(struct staging_disk *disk, struct passthrough *passthrough);

int staging_disk_fd(const struct staging_disk *disk);       /* the landing place; lent */
int staging_disk_trash_fd(const struct staging_disk *disk); /* of this mount; lent */

/* The folder that a number's file lies in, open, and its name there; for the landing
 * place itself ".". A dead file lies among the unlinked ones. */
struct staging_at {
    int folder_fd;
    char name[NAME_MAX + 1];
};
int staging_disk_locate(struct staging_disk *disk, uint32_t number,
                        struct staging_at *ret_at, struct error *err);

/* The folder of a number, open. -ENOTDIR. */
int staging_disk_folder(struct staging_disk *disk, uint32_t number, struct error *err);

/* Which handle is wanted: node_id and unique as passthrough.h, flags of open(2). */
struct staging_wish {
    uint32_t number;
    uint64_t node_id;
    uint64_t unique;
    int flags;
};

/* One more handle. take_fd is the file as just created, or -1: then it is opened. Both
 * results are 0 without passthrough. */
int staging_disk_hold(struct staging_disk *disk, const struct staging_wish *wish,
                      int take_fd, uint64_t *ret_handle, uint32_t *ret_backing_id,
                      struct error *err);

/* One handle less. true when it was the last one that could write, as far as this process
 * knows. */
bool staging_disk_release(struct staging_disk *disk, uint32_t number, uint64_t handle,
                          int flags);

/* A descriptor of an open file; -ENOENT when it is not open. The caller closes it. */
int staging_disk_dup(struct staging_disk *disk, uint32_t number);

/* Is it open, or open for writing? */
bool staging_disk_is_open(struct staging_disk *disk, uint32_t number);
bool staging_disk_has_writers(struct staging_disk *disk, uint32_t number);

/* Is any file open for writing that lies below the name at the top? */
bool staging_disk_has_writers_below(struct staging_disk *disk, const char *top);

/* The file `name` in folder_fd loses that name, by unlink or because another takes its
 * place: if it is open and has no other, it gets one among the unlinked. Call it before,
 * and staging_disk_lost after success (is_lost) or failure. */
struct staging_loss {
    uint32_t number; /* 0: nothing to do */
    bool is_kept;
};
int staging_disk_lose(struct staging_disk *disk, int folder_fd, const char *name,
                      struct staging_loss *ret_loss, struct error *err);
void staging_disk_lost(struct staging_disk *disk, const struct staging_loss *loss,
                       bool is_lost);

#endif
