/* usage.h: how many bytes modelfs has in the cache folder, as all processes count them.
 *
 *     usage_init(&usage, store);
 *     before = usage_added(&usage);
 *     ... look how many bytes are there ...
 *     usage_set(&usage, before, bytes, coming);
 *     fits = usage_take(&usage, bytes, limit);
 *     usage_done(&usage);
 *
 * The number lies in a file of the cache folder. Whoever is to bring bytes adds them
 * first, whoever looked what is there puts the number right: it is too high where bytes
 * did not come or were removed otherwise, and too low by what others are bringing while
 * somebody looks. Local I/O; not thread-safe. */
#ifndef CACHE_USAGE_H
#define CACHE_USAGE_H

#include "cache/store.h"

#include <stdbool.h>
#include <stdint.h>

struct usage {
    const struct store *store; /* lent */
    int fd;                    /* -1: not open */
};

void usage_init(struct usage *usage, const struct store *store);
void usage_done(struct usage *usage);

/* Add bytes if no more than limit are there then. false: they do not fit, or nobody knows
 * the number. */
bool usage_take(struct usage *usage, uint64_t bytes, uint64_t limit);

/* For who has no limit: add bytes where others count. */
void usage_add(struct usage *usage, uint64_t bytes);

/* All that was ever added: to be asked before a look. */
uint64_t usage_added(struct usage *usage);

/* So many bytes are there, and coming ones are added; what others added since
 * added_before is there besides. */
void usage_set(struct usage *usage, uint64_t added_before, uint64_t bytes,
               uint64_t coming);

#endif
