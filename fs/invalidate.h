/* invalidate.h: tells the kernel to forget; from a thread of its own that no request
 * waits for.
 *
 * A notification can block as long as a request of the same folder is unanswered, so it
 * is queued here after the reply and sent by the queue's thread. Thread-safe; nothing
 * blocks but invalidate_wait. */
#ifndef FS_INVALIDATE_H
#define FS_INVALIDATE_H

#include "cache/toc.h"
#include "common/error.h"
#include "fs/channel.h"
#include "fs/fs.h"
#include "fs/place.h"

#include <stdbool.h>
#include <stdint.h>

struct invalidate;

int invalidate_open(struct channel *channel, struct invalidate **ret_invalidate,
                    struct error *err);

/* Drops what is still queued and what comes later. Before the session is unmounted.
 * Accepts NULL. */
void invalidate_stop(struct invalidate *invalidate);
void invalidate_free(struct invalidate *invalidate); /* accepts NULL */

/* Wait until the kernel has heard all that was queued before: who is told of a change
 * after that finds it. False when it has not by then (a time of clock_now_ms), or at the
 * end. Not on a thread that a request of a folder needs for its answer. */
bool invalidate_wait(struct invalidate *invalidate, int64_t deadline_ms);

/* What a name in a folder stands for. */
void invalidate_entry(struct fs *fs, const struct place *folder, const char *name);

/* The pages of a file, and its attributes. */
void invalidate_content(struct fs *fs, uint64_t node_id);

/* Every name that an archive's table gave to a version folder. */
void invalidate_archive(struct fs *fs, const struct release *release,
                        const struct toc *toc);

#endif
