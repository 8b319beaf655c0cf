/* known.h: answers of repositories on disk, for the time when these cannot be asked, also
 * after a restart.
 *
 *     known = known_open(&options);
 *     known_note(known, 0, kind, "small", listing);
 *     rc = known_find(known, 0, kind, "small", &listing, &err);
 *     known_close(known);
 *
 * One file for each repository and kind (known_folder.h). What is noted is written by a
 * thread of its own, a moment later and at the end. All of it may be lost or damaged at
 * any time: then nothing is known. Thread-safe. */
#ifndef RESOLVER_KNOWN_H
#define RESOLVER_KNOWN_H

#include "common/error.h"
#include "resolver/catalog.h"

#include <stddef.h>

struct known_options {
    const char *root;             /* the cache folder; it is not made */
    const char *folder;           /* in it, made when needed */
    const char *const *locations; /* of the repositories; copied */
    size_t repository_count;
};

struct known;

struct known *known_open(const struct known_options *options); /* touches nothing yet */
void known_close(struct known *known); /* writes what is to be written; accepts NULL */

/* What a repository answered now; NULL: that it has none. Never blocks. false if it is
 * too much at once: then it is not noted. */
bool known_note(struct known *known, unsigned repository, const struct catalog_kind *kind,
                const char *key, struct listing *listing);

/* What it answered last; NULL: that it has none, where the kind saves that. -ENOENT:
 * nothing is known. Local I/O. listing_unref it. */
int known_find(struct known *known, unsigned repository, const struct catalog_kind *kind,
               const char *key, struct listing **ret_listing, struct error *err);

#endif
