/* toc_parse.h: the end of a zip archive, hostile until parsed, becomes a table. Pure.
 *
 *     rc = toc_parse_end(tail, tail_size, archive_size, &end, &err);
 *     ... get bytes [end.directory_first, + end.directory_size) of the archive ...
 *     rc = toc_parse(directory, &end, &toc, &err);
 *
 * Read strictly, so that no two programs see two different archives in the same bytes:
 * end record, zip64 records and central directory meet exactly, nothing stands in front
 * or behind. -EBADMSG with a sentence that names the entry. */
#ifndef CACHE_TOC_PARSE_H
#define CACHE_TOC_PARSE_H

#include "cache/toc.h"

/* The last so many bytes of an archive tell where its directory is. A comment that is so
 * long that the end record lies before them is refused. */
enum { TOC_PARSE_TAIL = 64 << 10 };

#define TOC_PARSE_ARCHIVE_MAX ((uint64_t)1 << 40)   /* bytes */
#define TOC_PARSE_DIRECTORY_MAX ((uint64_t)1 << 29) /* bytes */

struct toc_end {
    uint64_t directory_first; /* offset in the archive */
    uint64_t directory_size;  /* bytes */
    uint64_t count;           /* entries */
};

/* tail: the last bytes of the archive, TOC_PARSE_TAIL of them or all. */
int toc_parse_end(const void *tail, size_t tail_size, uint64_t archive_size,
                  struct toc_end *ret_end, struct error *err);

/* take_directory: end->directory_size bytes from malloc; freed as soon as they are read,
 * because they are as large as the table. toc_free the result. */
int toc_parse(void *take_directory, const struct toc_end *end, struct toc **ret_toc,
              struct error *err);

#endif
