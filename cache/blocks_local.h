/* blocks_local.h: a run of blocks from an archive that is a local file. */
#ifndef CACHE_BLOCKS_LOCAL_H
#define CACHE_BLOCKS_LOCAL_H

#include "cache/fetcher.h"

/* member->data_at is known. What is there shares its blocks with the archive where the
 * disk can do that; else it is read by this thread and written by another (relay.h).
 * Blocks. Errors as fetcher_put; -ESTALE when the archive changed meanwhile. */
int blocks_local_run(struct fetcher *fetcher, struct error *err);

#endif
