/* file.h: kind "file-system": a folder as repository; see backend.h.
 *
 * host is a folder, repository a folder below it; both may be links, as may anything
 * below: links are followed, as audmodel does. Nothing is contacted at open. */
#ifndef BACKENDS_FILE_H
#define BACKENDS_FILE_H

#include "backends/backend.h"

#include <sys/stat.h>

extern const struct backend_ops file_ops;

/* For backends/file_put.c: size, time and tag of a file. */
void file_describe(const struct stat *from, struct backend_stat *ret_stat);

/* For backends/file_put.c: -ENOENT for the path, or -EHOSTUNREACH when the repository
 * itself is missing. */
int file_fail_missing(const char *root, const char *path, struct error *err);

#endif
