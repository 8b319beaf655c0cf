/* complete.h: a tree whose members are all verified goes to its place, in one rename.
 *
 * Header and metadata go first, then everything is flushed to disk, then, under
 * audmodel's lock, the folder of files becomes `<root>/<id>/<version>`. If audmodel put a
 * tree there meanwhile, and it has the names and sizes of the table, theirs is used and
 * ours dropped; if not, both stay where they are and ours is served. */
#ifndef CACHE_COMPLETE_H
#define CACHE_COMPLETE_H

#include "cache/archive_state.h"

/* All members are complete: do it on a thread of its own, one after the other: each
 * flushes the disk, and who waits for bytes does not wait for that, unless too many
 * models are to be moved. Again later while audmodel holds its lock. Never blocks. */
void complete_later(struct archive *archive);

/* Do it now, in this thread. 0 also when it was done before. -EAGAIN: audmodel or another
 * daemon is at it, for longer than timeout_ms; -EEXIST: another tree is there. */
int complete_now(struct archive *archive, int timeout_ms, struct error *err);

#endif
