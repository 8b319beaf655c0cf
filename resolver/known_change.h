/* known_change.h: one answer of a repository that the file of its kind is to hold
 * (known_file.h), or to hold no longer. */
#ifndef RESOLVER_KNOWN_CHANGE_H
#define RESOLVER_KNOWN_CHANGE_H

#include "resolver/catalog.h"
#include "resolver/known_file.h"

#include <sys/queue.h>

struct known_change {
    STAILQ_ENTRY(known_change) link;
    LIST_ENTRY(known_change) in_bucket; /* of known.c, while it waits there */
    unsigned repository;
    const struct catalog_kind *kind;
    struct listing *listing; /* NULL: there is none */
    uint64_t number;         /* the later one holds */
    char key[];
};
STAILQ_HEAD(known_changes, known_change);
LIST_HEAD(known_bucket, known_change);

void known_change_free(struct known_change *change);

/* Is it to be in the file, as names or as the answer that there are none? */
bool known_change_is_present(const struct known_change *change);

/* As known_file_write takes them: KNOWN_FILE_NONE and NULL for the answer that there are
 * none. */
size_t known_change_count(const struct known_change *change);
const char *const *known_change_names(const struct known_change *change);

/* Does the record say the same already? */
bool known_change_is_same(const struct known_change *change,
                          const struct known_record *record);

/* Bytes it takes in the file; 0: it is not to be there. */
size_t known_change_size(const struct known_change *change);

#endif
