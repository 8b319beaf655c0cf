/* release.c: one version of one model in one repository, as a plain value. */
#include "resolver/release.h"

#include <string.h>

bool release_is_version(const struct release *release, const char *id,
                        const char *version)
{
    return strcmp(release->id, id) == 0 && strcmp(release->version, version) == 0;
}

bool release_is_same(const struct release *a, const struct release *b)
{
    return a->repository == b->repository && release_is_version(a, b->id, b->version);
}
