/* entries.h: the answers of a catalog in memory: found by key, and the least recently
 * used dropped when they are too many. The caller locks. */
#ifndef RESOLVER_ENTRIES_H
#define RESOLVER_ENTRIES_H

#include "resolver/catalog.h"

#include <sys/queue.h>

struct entry {
    LIST_ENTRY(entry) in_bucket;
    TAILQ_ENTRY(entry) in_use_order; /* not of kept kinds */
    const struct catalog_kind *kind; /* constant, as repository and key */
    unsigned repository;
    unsigned users;  /* threads that hold it; not removed meanwhile */
    unsigned asking; /* of them */
    bool is_answered;
    int64_t asked_ms;        /* when the last request began */
    uint64_t begun;          /* requests ever */
    uint64_t ended;          /* of them */
    uint64_t answer_begun;   /* the number of the request that gave the answer */
    uint64_t changes;        /* times that the entry was forgotten */
    uint64_t asked_changes;  /* when the last request that ended began */
    uint64_t answer_changes; /* when the request began that gave the answer */
    struct listing *listing; /* NULL: not answered, or there is none */
    int64_t answered_ms;
    int failed_rc; /* of the last request, 0 if it went well */
    int64_t failed_ms;
    char *failed_message;
    uint64_t noted;    /* hash of the answer that is on disk, or will be; 0: none is */
    bool is_recalling; /* one of the users looks at the disk */
    bool is_recalled;  /* it did, when there was no answer */
    size_t memory;     /* counted for this entry */
    char key[];
};

LIST_HEAD(entry_bucket, entry);
TAILQ_HEAD(entry_use_order, entry);

struct entries {
    struct entry_bucket *buckets;
    struct entry_use_order use_order; /* least recently used first */
    unsigned repositories;            /* that were asked: less than this */
    size_t memory;                    /* bytes of those in use_order */
    size_t memory_max;
    uint64_t seed;
};

int entries_init(struct entries *entries, size_t memory_max, struct error *err);
void entries_done(struct entries *entries); /* accepts a zeroed one */

/* NULL if there is none. */
struct entry *entries_find(struct entries *entries, unsigned repository,
                           const struct catalog_kind *kind, const char *key);

/* Find it, or make one without an answer. */
struct entry *entries_make(struct entries *entries, unsigned repository,
                           const struct catalog_kind *kind, const char *key);

/* The entry changed: count its memory anew, and drop what is too much. With no users it
 * may be gone afterwards. */
void entries_settle(struct entries *entries, struct entry *entry);

/* Forget what was asked with this key, or with any for NULL. */
void entries_forget(struct entries *entries, const struct catalog_kind *kind,
                    const char *key);

#endif
