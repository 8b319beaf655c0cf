/* known_change.c: one answer that a file is to hold. */
#include "resolver/known_change.h"

#include "resolver/known_file.h"

#include <stdlib.h>
#include <string.h>

void known_change_free(struct known_change *change)
{
    listing_unref(change->listing);
    free(change);
}

bool known_change_is_present(const struct known_change *change)
{
    return change->listing || change->kind->saves_none;
}

size_t known_change_count(const struct known_change *change)
{
    return change->listing ? change->listing->count : KNOWN_FILE_NONE;
}

const char *const *known_change_names(const struct known_change *change)
{
    return change->listing ? change->listing->names : NULL;
}

bool known_change_is_same(const struct known_change *change,
                          const struct known_record *record)
{
    const char *at = record->names, *end = record->names + record->names_size;
    const struct listing *listing = change->listing;

    if (!known_change_is_present(change) || record->count != known_change_count(change))
        return false;
    if (!listing)
        return true;
    for (size_t i = 0; i < listing->count; i++) {
        size_t size = strlen(listing->names[i]) + 1;

        if (size > (size_t)(end - at) || memcmp(at, listing->names[i], size) != 0)
            return false;
        at += size;
    }
    return true;
}

size_t known_change_size(const struct known_change *change)
{
    return known_change_is_present(change)
               ? known_file_size(change->key, known_change_names(change),
                                 known_change_count(change))
               : 0;
}
