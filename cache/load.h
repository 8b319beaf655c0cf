/* load.h: all of a model into its place, for those who wait for it. */
#ifndef CACHE_LOAD_H
#define CACHE_LOAD_H

#include "cache/archive.h"
#include "common/error.h"

#include <stdint.h>

/* Runs now and then, in the thread that called load_archive. */
typedef void load_progress(void *arg, uint64_t bytes_done, uint64_t bytes_total);

/* Fetch all members; progress may be NULL. Blocks. On return the model is at its final
 * path (*ret_path, freed by the caller) and audmodel uses it as it is. Errors as
 * archive_done; -EAGAIN: audmodel has had its lock for four hours; -EEXIST: another tree
 * is at the final path. */
int load_archive(struct archive *archive, load_progress *progress, void *arg,
                 char **ret_path, struct error *err);

#endif
