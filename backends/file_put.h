/* file_put.h: writing below the folder of a repository; for backends/file.c alone.
 *
 * root is the repository's folder, path as in backend.h. What is being written has no
 * name (O_TMPFILE), so that nothing is left of it after a crash; where a disk cannot do
 * that it stands in root under a name that file_put_is_temporary knows, and is removed by
 * the first put of a file that comes a day later. */
#ifndef BACKENDS_FILE_PUT_H
#define BACKENDS_FILE_PUT_H

#include "backends/backend_types.h"

bool file_put_is_temporary(const char *name);

int file_put_object(const char *root, const char *path,
                    const struct backend_content *content, enum backend_put_flags flags,
                    struct error *err);

/* The tag is compared and the name changed under an flock on the object itself, which all
 * that replace it take. */
int file_put_replace(const char *root, const char *path,
                     const struct backend_content *content, const char *expected_tag,
                     struct error *err);
int file_put_remove(const char *root, const char *path, struct error *err);

int file_put_spool(const char *root, int *ret_fd, struct error *err);

/* The time that the disk gives to a file made now. */
int file_put_now(const char *root, int64_t *ret_now_s, struct error *err);

#endif
