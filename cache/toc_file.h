/* toc_file.h: a table of contents saved on disk, and mapped when it is needed again.
 *
 * A mapped table takes no memory of its own, only page cache. The file is replaced by
 * rename and never changed in place, so a mapping stays what it was. */
#ifndef CACHE_TOC_FILE_H
#define CACHE_TOC_FILE_H

#include "cache/toc.h"

/* Replace the file at path below dir_fd in one step. */
int toc_file_save(int dir_fd, const char *path, const struct toc *toc, struct error *err);

/* -ENOENT without the file; -EBADMSG when it is damaged or of another version of modelfs:
 * read the archive again. Follows no link. toc_free the result. */
int toc_file_load(int dir_fd, const char *path, struct toc **ret_toc, struct error *err);

#endif
