/* load.h: all of a model into its place, for those who wait for it. */
#ifndef CACHE_LOAD_H
#define CACHE_LOAD_H

#include "cache/internal.h"

/* As archive_load. */
int load_archive(struct archive *archive, archive_progress *progress, void *arg,
                 char **ret_path, struct error *err);

#endif
