/* toc_read.h: the table of contents of an archive in a repository. */
#ifndef CACHE_TOC_READ_H
#define CACHE_TOC_READ_H

#include "backends/backend.h"
#include "cache/toc.h"
#include "cache/toc_parse.h"

enum { TOC_READ_TAIL = TOC_PARSE_TAIL }; /* bytes */

/* Read and parse it. tail: the object's last TOC_READ_TAIL bytes, as
 * backend_object_open_tail gave them; NULL: fetched. Blocks for a range of the archive
 * where the central directory does not lie in the tail: together at most the central
 * directory plus 64 KiB. -EBADMSG when it is damaged, hostile or no zip archive, with the
 * reason; else what the backend said. toc_free the result. */
int toc_read(struct object *object, const struct bytes *tail, struct toc **ret_toc,
             struct error *err);

#endif
