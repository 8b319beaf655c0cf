/* release.h: one version of one model in one repository, as a plain value. Pure. */
#ifndef RESOLVER_RELEASE_H
#define RESOLVER_RELEASE_H

#include "resolver/uid.h"

#include <stdbool.h>

struct release {
    char id[MODEL_ID_SIZE];
    char version[VERSION_SIZE];
    unsigned repository; /* position in the configuration */
};

/* The text that audmodel takes for it: the full ID, a legacy ID alone. */
enum { RELEASE_UID_SIZE = MODEL_ID_SIZE + VERSION_SIZE };
void release_print_uid(const struct release *release, char ret_uid[RELEASE_UID_SIZE]);

bool release_is_same(const struct release *a, const struct release *b);

/* Of whatever repository? */
bool release_is_version(const struct release *release, const char *id,
                        const char *version);

/* Is it what an alias of this ID and version names? Without a version ("") it names any.
 */
bool release_is_named(const struct release *release, const char *id, const char *version);

#endif
