/* toc_span.h: the stretch of the archive that belongs to each member. Pure. */
#ifndef CACHE_TOC_SPAN_H
#define CACHE_TOC_SPAN_H

#include "cache/toc_build.h"

/* Members must not share a byte, nor reach into the central directory at end, and the
 * first begins at byte 0. archive_last comes in as the last byte that surely belongs (no
 * extra field, no descriptor) and goes out as the last that can. -EBADMSG. */
int toc_span_check(struct toc_build *build, uint64_t end, struct error *err);

#endif
