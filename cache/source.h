/* source.h: the object that an archive's members come from, tied to its table. */
#ifndef CACHE_SOURCE_H
#define CACHE_SOURCE_H

#include "cache/archive_state.h"

/* Open the archive of a release in its repository; tail, if not NULL, gets its last
 * TOC_READ_TAIL bytes, at no further request. Blocks. -EAGAIN: there is a header but no
 * archive (yet). object_close the result. */
int source_open(struct cache *cache, struct resolver *resolver,
                const struct release *release, struct bytes *tail,
                struct object **ret_object, struct error *err);

/* The object of an open archive, lent till that is closed; opened at the first call and
 * compared with the table, of which the tag says whether it is the same version: if not,
 * the table is read again. Blocks. -ESTALE: it was replaced by one with another table. */
int source_get(struct archive *archive, struct object **ret_object, struct error *err);

/* Note in a tree's record that its table is this object's. */
int source_note(struct tree *tree, struct object *object, struct error *err);

#endif
