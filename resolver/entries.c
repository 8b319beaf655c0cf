/* entries.c: answers in memory, by key and by last use. */
#include "resolver/entries.h"

#include "common/memory.h"
#include "common/random.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BUCKETS = 1 << 13 };

int entries_init(struct entries *entries, size_t memory_max, struct error *err)
{
    /* The seed keeps those who choose names from filling one bucket. */
    int rc = random_bytes(&entries->seed, sizeof entries->seed, err);

    if (rc < 0)
        return rc;
    entries->buckets = xcalloc(BUCKETS, sizeof *entries->buckets);
    entries->memory = 0;
    entries->repositories = 0;
    entries->memory_max = memory_max;
    TAILQ_INIT(&entries->use_order);
    return 0;
}

static void entry_free(struct entry *entry)
{
    listing_unref(entry->listing);
    free(entry->failed_message);
    free(entry);
}

void entries_done(struct entries *entries)
{
    for (size_t i = 0; entries->buckets && i < BUCKETS; i++) {
        struct entry *entry;

        while ((entry = LIST_FIRST(&entries->buckets[i]))) {
            LIST_REMOVE(entry, in_bucket);
            entry_free(entry);
        }
    }
    free(entries->buckets);
    *entries = (struct entries){0};
}

static struct entry_bucket *bucket_of(struct entries *entries, unsigned repository,
                                      const struct catalog_kind *kind, const char *key)
{
    uint64_t seed = entries->seed + repository + (uintptr_t)kind;

    return &entries->buckets[XXH3_64bits_withSeed(key, strlen(key), seed) % BUCKETS];
}

static struct entry *find(struct entries *entries, unsigned repository,
                          const struct catalog_kind *kind, const char *key)
{
    struct entry *entry;

    LIST_FOREACH(entry, bucket_of(entries, repository, kind, key), in_bucket) {
        if (entry->kind == kind && entry->repository == repository &&
            strcmp(entry->key, key) == 0)
            break;
    }
    return entry;
}

struct entry *entries_find(struct entries *entries, unsigned repository,
                           const struct catalog_kind *kind, const char *key)
{
    struct entry *entry = find(entries, repository, kind, key);

    if (entry && !kind->is_kept) {
        TAILQ_REMOVE(&entries->use_order, entry, in_use_order);
        TAILQ_INSERT_TAIL(&entries->use_order, entry, in_use_order);
    }
    return entry;
}

struct entry *entries_make(struct entries *entries, unsigned repository,
                           const struct catalog_kind *kind, const char *key)
{
    struct entry *entry = entries_find(entries, repository, kind, key);
    size_t size = strlen(key) + 1;

    if (entry)
        return entry;
    entry = xcalloc(1, sizeof *entry + size);
    memcpy(entry->key, key, size);
    entry->kind = kind;
    entry->repository = repository;
    if (repository >= entries->repositories)
        entries->repositories = repository + 1;
    LIST_INSERT_HEAD(bucket_of(entries, repository, kind, key), entry, in_bucket);
    if (!kind->is_kept)
        TAILQ_INSERT_TAIL(&entries->use_order, entry, in_use_order);
    return entry;
}

static void evict(struct entries *entries)
{
    struct entry *next;

    for (struct entry *entry = TAILQ_FIRST(&entries->use_order);
         entry && entries->memory > entries->memory_max; entry = next) {
        next = TAILQ_NEXT(entry, in_use_order);
        if (entry->users > 0)
            continue;
        entries->memory -= entry->memory;
        TAILQ_REMOVE(&entries->use_order, entry, in_use_order);
        LIST_REMOVE(entry, in_bucket);
        entry_free(entry);
    }
}

void entries_settle(struct entries *entries, struct entry *entry)
{
    size_t now = sizeof *entry + strlen(entry->key) + 1 +
                 (entry->listing ? entry->listing->memory_bytes : 0) +
                 (entry->failed_message ? strlen(entry->failed_message) + 1 : 0);

    if (!entry->kind->is_kept)
        entries->memory += now - entry->memory;
    entry->memory = now;
    evict(entries);
}

static void forget_all(struct entries *entries, const struct catalog_kind *kind)
{
    struct entry *entry;

    for (size_t i = 0; i < BUCKETS; i++) {
        LIST_FOREACH(entry, &entries->buckets[i], in_bucket) {
            entry->changes += entry->kind == kind;
        }
    }
}

void entries_forget(struct entries *entries, const struct catalog_kind *kind,
                    const char *key)
{
    struct entry *entry;

    if (!key)
        forget_all(entries, kind);
    for (unsigned i = 0; key && i < entries->repositories; i++) {
        entry = find(entries, i, kind, key);
        if (entry)
            entry->changes++;
    }
}
