/* serve.h: carries a call to its answer: at once, by a pool thread, or when bytes arrive.
 *
 * Look-ups and the reading of folders are answered within 3 s, whatever the backends do
 * (the kernel lets nobody pass a look-up that waits, and its followers cannot be killed);
 * but who opens a folder of which nothing was ever known waits for as long as its
 * repository goes on telling names, and can be interrupted. What waits for bytes ends
 * when the cache sees no progress (cache.h). What waits for the disk of @staging takes
 * as long as that takes. */
#ifndef FS_SERVE_H
#define FS_SERVE_H

#include "fs/call.h"
#include "fs/parked.h"

/* Answer call->req, now or later. Called by FUSE threads; never blocks. */
void serve(struct fs *fs, const struct call *call);

/* ms that a request waits which asks a backend, or the disk of @staging; not of one that
 * waits for bytes or for a publish job. Pure. */
enum { SERVE_NO_DEADLINE = -1 };
int64_t serve_patience_ms(enum call_kind kind, enum node_kind place);

/* For parked_open: what happens to a request whose deadline has passed. */
void serve_expired(struct parked *parked);

#endif
