/* opening.h: from a release to its open archive; many askers cost one opening. */
#ifndef CACHE_OPENING_H
#define CACHE_OPENING_H

#include "cache/internal.h"

/* As cache_archive. */
int opening_archive(struct cache *cache, struct resolver *resolver,
                    const struct release *release, struct archive **ret_archive,
                    struct error *err);

#endif
