/* drafts.h: metadata that somebody is writing: @info/<..>/meta.yaml open for writing.
 *
 *     rc = drafts_open(fs, node_id, &release, flags, &handle, &err);      open
 *     rc = drafts_write(drafts, handle, data, size, offset, &err);        write
 *     rc = drafts_check(drafts, handle, &err);                            close, each
 *     drafts_release(fs, handle);                                         the last one
 *
 * A text is kept in memory until its last close (or fsync) and then goes to the
 * repository: opened with O_APPEND it is merged, else it replaces what is there. Changes
 * are made one after the other, in the order of the closes. What is written is on disk as
 * well (draft_store.h): the next worker goes on with it, and what was closed when a mount
 * was killed, or ended before a silent repository took it, the next mount brings there.
 * Thread-safe. */
#ifndef FS_DRAFTS_H
#define FS_DRAFTS_H

#include "common/bytes.h"
#include "common/error.h"
#include "fs/fs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drafts;

struct drafts *drafts_new(void);

/* From now on texts are kept below the cache folder. Takes over those of a worker before
 * us; owner (of process.h) is the process that started both, or came after the one that
 * started it, predecessor. Once, before all below. */
int drafts_keep(struct fs *fs, const char *owner, pid_t predecessor, struct error *err);

/* Send what a worker or a mount before us was to send. Once the mount answers. */
void drafts_resume(struct fs *fs);

void drafts_free(struct drafts *drafts); /* accepts NULL */

/* A new text. flags: of open(2); without O_TRUNC and O_APPEND it begins as what is there,
 * which blocks. drafts_release the handle. -ENFILE when too many are open. */
int drafts_open(struct fs *fs, uint64_t node_id, const struct release *release, int flags,
                uint64_t *ret_handle, struct error *err);

/* What a write brings. is_again: a worker before us may have done it. */
struct draft_write {
    const void *data;
    size_t size;
    uint64_t offset;
    bool is_again;
};

/* Only wait for the disk. -EIO for a handle that nobody knows; -EFBIG. */
int drafts_write(struct drafts *drafts, uint64_t handle, const struct draft_write *write,
                 struct error *err);
int drafts_truncate(struct drafts *drafts, uint64_t handle, uint64_t size,
                    struct error *err);

/* Is what was written a mapping? -EINVAL with line and column. */
int drafts_check(struct drafts *drafts, uint64_t handle, struct error *err);

/* Bring what was written to the repository. Blocks; on the thread for metadata only. */
int drafts_commit(struct fs *fs, uint64_t handle, struct error *err);

/* Let the thread for metadata do that, and forget the text. Never blocks. */
void drafts_release(struct fs *fs, uint64_t handle);

/* Wait a little for texts of a release that were closed, so that who reads sees them. */
void drafts_settle(struct drafts *drafts, const struct release *release);

/* Append a line if the last change of a release failed that nobody waited for. */
int drafts_print_failure(struct drafts *drafts, const struct release *release,
                         struct bytes *to, struct error *err);

#endif
