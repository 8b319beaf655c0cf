/* snapshots.h: what a reader of a special file was shown, until it has read it to the
 * end.
 *
 * The files of @info, @status and @metrics change all the time. A read from the start
 * makes the text anew; reads further on go on in that text, or a reader would see the
 * beginning of one and the end of another. Thread-safe. */
#ifndef FS_SNAPSHOTS_H
#define FS_SNAPSHOTS_H

#include "common/bytes.h"

#include <stdint.h>

struct snapshots;

struct snapshots *snapshots_new(void);
void snapshots_free(struct snapshots *snapshots); /* accepts NULL */

/* A handle without a text, with the bit SNAPSHOT_HANDLE. Never that of a process before
 * this one. */
#define SNAPSHOT_HANDLE ((uint64_t)1 << 62)
uint64_t snapshots_handle(struct snapshots *snapshots);

/* Remember text for a handle, in place of what it had. The content is copied. */
int snapshots_keep(struct snapshots *snapshots, uint64_t handle, const struct bytes *text,
                   struct error *err);

/* Append the text of a handle. 0; -ENOENT if it has none. */
int snapshots_find(struct snapshots *snapshots, uint64_t handle, struct bytes *to,
                   struct error *err);

/* RELEASE. A handle that has no text is no error. */
void snapshots_drop(struct snapshots *snapshots, uint64_t handle);

#endif
