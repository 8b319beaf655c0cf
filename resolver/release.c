/* release.c: one version of one model in one repository, as a plain value. */
#include "resolver/release.h"

#include <stdio.h>
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

void release_print_uid(const struct release *release, char ret_uid[RELEASE_UID_SIZE])
{
    bool is_legacy = uid_is_legacy(release->id);

    snprintf(ret_uid, RELEASE_UID_SIZE, "%s%s%s", release->id, is_legacy ? "" : "-",
             is_legacy ? "" : release->version);
}

bool release_is_named(const struct release *release, const char *id, const char *version)
{
    return strcmp(release->id, id) == 0 &&
           (version[0] == '\0' || strcmp(release->version, version) == 0);
}
