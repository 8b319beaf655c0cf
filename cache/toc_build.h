/* toc_build.h: a list of files and folders in any order becomes a table. Pure.
 *
 *     build = toc_build_new();
 *     rc = toc_build_add(build, "log/eval.yaml", 13, &entry, &err);    for each
 *     rc = toc_build_finish(build, &toc, &err);
 *     toc_build_free(build);
 *
 * Names are checked here, folders that are only implied are added, everything is sorted.
 * Takes n log n time whatever the names. */
#ifndef CACHE_TOC_BUILD_H
#define CACHE_TOC_BUILD_H

#include "cache/toc.h"
#include "common/cleanup.h"

struct toc_build;

struct toc_build *toc_build_new(void);
void toc_build_free(struct toc_build *build); /* accepts NULL */
#define CLEANUP_TOC_BUILD CLEANUP_WITH(toc_build_cleanup)
static inline void toc_build_cleanup(struct toc_build **build)
{
    toc_build_free(*build);
}

/* Room for so many entries at once, at most TOC_ENTRIES_MAX. -ENOMEM. */
int toc_build_reserve(struct toc_build *build, uint32_t count, struct error *err);

/* Add a file or a folder. Of entry the fields about place and name are ignored; of a
 * folder all but kind. -EBADMSG for a name that is refused, past a limit.
 * -ENOMEM. */
int toc_build_add(struct toc_build *build, const char *path, size_t size,
                  const struct toc_entry *entry, struct error *err);

/* What was added so far, in that order; may be changed. */
struct toc_entry *toc_build_entries(struct toc_build *build, uint32_t *ret_count);

/* The path of one of them, ended by NUL. Lent. */
const char *toc_build_path(const struct toc_build *build, uint32_t index);

/* -EBADMSG for two entries of one name or a file where a folder is needed. The build can
 * only be freed afterwards. toc_free the result. */
int toc_build_finish(struct toc_build *build, struct toc **ret_toc, struct error *err);

#endif
