/* file_facts.h: what is known of a file in a repository's folder, or why it is missing.
 * For backends/file*.c alone. */
#ifndef BACKENDS_FILE_FACTS_H
#define BACKENDS_FILE_FACTS_H

#include "backends/backend_types.h"

#include <sys/stat.h>

/* Size, time and tag. */
void file_facts_describe(const struct stat *from, struct backend_stat *ret_stat);

/* -ENOENT for path below root, or -EHOSTUNREACH when root, the repository itself, is
 * missing: with the sentence for it. */
int file_facts_missing(const char *root, const char *path, struct error *err);

#endif
