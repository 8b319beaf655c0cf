/* toc_local.h: the local header in front of a member, checked before its first byte.
 * Pure.
 *
 *     do get more bytes from entry->archive_first on
 *     while ((rc = toc_local_check(toc, index, data, size, &header_size, &err)) > 0);
 *     the member's packed bytes begin at entry->archive_first + header_size */
#ifndef CACHE_TOC_LOCAL_H
#define CACHE_TOC_LOCAL_H

#include "cache/toc.h"

enum { TOC_LOCAL_MIN = 30 }; /* bytes that every local header has at least */

/* Does the header, at the start of data, say what the central directory says? Extra
 * fields may differ: they align members.
 *
 * 0: yes, *ret_size is its size in bytes. 1: it takes *ret_size bytes to tell. -EIO: no,
 * with the reason. index is a file of a table that came from an archive. */
int toc_local_check(const struct toc *toc, uint32_t index, const void *data, size_t size,
                    size_t *ret_size, struct error *err);

#endif
