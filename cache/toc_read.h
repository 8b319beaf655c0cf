/* toc_read.h: the table of contents of an archive in a repository. */
#ifndef CACHE_TOC_READ_H
#define CACHE_TOC_READ_H

#include "backends/backend.h"
#include "cache/toc.h"

/* Read and parse it. Blocks for one range of the archive's end, and for a second one
 * where the central directory does not lie in that: together at most the central
 * directory plus 64 KiB. -EBADMSG when it is damaged, hostile or no zip archive, with the
 * reason; else what the backend said. toc_free the result. */
int toc_read(struct object *object, struct toc **ret_toc, struct error *err);

#endif
