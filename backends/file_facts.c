/* file_facts.c: what is known of a file in a repository's folder, or why it is missing.
 */
#include "backends/file_facts.h"

#include <errno.h>
#include <stdio.h>

static bool repository_is_missing(const char *root)
{
    struct stat found;

    if (stat(root, &found) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    return !S_ISDIR(found.st_mode);
}

/* What ENOENT and its like mean: no such path, or no repository at all. */
int file_facts_missing(const char *root, const char *path, struct error *err)
{
    if (repository_is_missing(root))
        return fail(err, EHOSTUNREACH,
                    "repository folder '%s' does not exist: create or mount it, or "
                    "correct host and name of the repository in the configuration",
                    root);
    return fail(err, ENOENT, "'%s/%s' does not exist", root, path);
}

void file_facts_describe(const struct stat *from, struct backend_stat *ret_stat)
{
    *ret_stat = (struct backend_stat){.size = (uint64_t)from->st_size,
                                      .mtime_s = from->st_mtim.tv_sec};
    snprintf(ret_stat->tag, sizeof ret_stat->tag, "%llx:%llx:%llx:%lld.%09ld:%lld.%09ld",
             (unsigned long long)from->st_dev, (unsigned long long)from->st_ino,
             (unsigned long long)from->st_size, (long long)from->st_mtim.tv_sec,
             from->st_mtim.tv_nsec, (long long)from->st_ctim.tv_sec,
             from->st_ctim.tv_nsec);
}
