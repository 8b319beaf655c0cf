/* known.c: answers of repositories on disk, for the time when these cannot be asked. */
#include "resolver/known.h"

#include "common/memory.h"
#include "common/sync.h"
#include "resolver/known_change.h"
#include "resolver/known_file.h"
#include "resolver/known_folder.h"
#include "resolver/known_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    NOTES_MAX = 1 << 14, /* that wait to be written */
    DELAY_MS = 2000,     /* they are collected for so long */
    BUCKETS = 1 << 10,
};

struct known {
    struct known_folder folder; /* constant */
    struct known_index *index;  /* constant */
    size_t count;               /* of repositories; constant */
    struct lock lock;
    struct condition changed;
    struct known_changes changes; /* oldest first; guarded by lock */
    struct known_bucket *buckets; /* the same by key, newest first; guarded by lock */
    size_t note_count;            /* guarded by lock */
    size_t note_bytes;            /* but for kept kinds; guarded by lock */
    uint64_t number;              /* of the last note; guarded by lock */
    bool has_thread;              /* guarded by lock */
    bool is_closing;              /* guarded by lock */
    pthread_t thread;             /* constant once has_thread */
};

struct known *known_open(const struct known_options *options)
{
    struct known *known = XNEW(struct known);

    known->folder.root = xstrdup(options->root);
    known->folder.path = xstrdup(options->folder);
    known->count = options->repository_count;
    known->folder.locations = xcalloc(known->count + 1, sizeof *known->folder.locations);
    for (size_t i = 0; i < known->count; i++)
        known->folder.locations[i] = xstrdup(options->locations[i]);
    known->index = known_index_new(&known->folder);
    STAILQ_INIT(&known->changes);
    known->buckets = xcalloc(BUCKETS, sizeof *known->buckets);
    lock_init(&known->lock);
    condition_init(&known->changed);
    return known;
}

static void *keep_writing(void *arg)
{
    struct known *known = arg;
    struct known_changes changes = STAILQ_HEAD_INITIALIZER(changes);
    bool is_closing;

    do {
        int64_t deadline_ms;
        int rc = 0;

        lock_acquire(&known->lock);
        while (!known->is_closing && STAILQ_EMPTY(&known->changes))
            condition_wait(&known->changed, &known->lock);
        deadline_ms = clock_now_ms() + DELAY_MS;
        while (rc == 0 && !known->is_closing)
            rc = condition_wait_until(&known->changed, &known->lock, deadline_ms);
        is_closing = known->is_closing;
        STAILQ_CONCAT(&changes, &known->changes);
        memset(known->buckets, 0, BUCKETS * sizeof *known->buckets);
        known->note_count = known->note_bytes = 0;
        lock_release(&known->lock);
        known_folder_write(&known->folder, &changes);
    } while (!is_closing);
    return NULL;
}

void known_close(struct known *known)
{
    bool has_thread;

    if (!known)
        return;
    lock_acquire(&known->lock);
    known->is_closing = true;
    has_thread = known->has_thread;
    condition_broadcast(&known->changed);
    lock_release(&known->lock);
    if (has_thread)
        pthread_join(known->thread, NULL);
    known_index_free(known->index);
    for (size_t i = 0; i < known->count; i++)
        free(known->folder.locations[i]);
    free(known->folder.locations);
    free(known->folder.path);
    free(known->folder.root);
    free(known->buckets);
    condition_done(&known->changed);
    lock_done(&known->lock);
    free(known);
}

static struct known_bucket *bucket_of(struct known *known, unsigned repository,
                                      const struct catalog_kind *kind, const char *key)
{
    uint64_t seed = repository + (uintptr_t)kind;

    return &known->buckets[XXH3_64bits_withSeed(key, strlen(key), seed) % BUCKETS];
}

static bool note_locked(struct known *known, struct known_change *note)
    REQUIRES(known->lock)
{
    size_t size = note->kind->is_kept ? 0 : known_change_size(note);

    if (known->note_count >= NOTES_MAX || size > KNOWN_FILE_MAX - known->note_bytes)
        return false;
    if (!known->has_thread)
        known->has_thread =
            thread_start(&known->thread, "known", keep_writing, known) == 0;
    if (!known->has_thread)
        return false;
    note->number = ++known->number;
    STAILQ_INSERT_TAIL(&known->changes, note, link);
    LIST_INSERT_HEAD(bucket_of(known, note->repository, note->kind, note->key), note,
                     in_bucket);
    known->note_count++;
    known->note_bytes += size;
    condition_signal(&known->changed);
    return true;
}

bool known_note(struct known *known, unsigned repository, const struct catalog_kind *kind,
                const char *key, struct listing *listing)
{
    struct known_change *note = xcalloc(1, sizeof *note + strlen(key) + 1);
    bool is_noted;

    note->repository = repository;
    note->kind = kind;
    note->listing = listing ? listing_ref(listing) : NULL;
    memcpy(note->key, key, strlen(key) + 1);
    lock_acquire(&known->lock);
    is_noted = note_locked(known, note);
    lock_release(&known->lock);
    if (!is_noted)
        known_change_free(note);
    return is_noted;
}

/* What is not written yet: 1 and the newest note's listing, which may be NULL; 0: none.
 */
static int find_note(struct known *known, unsigned repository,
                     const struct catalog_kind *kind, const char *key,
                     struct listing **ret_listing)
{
    const struct known_change *note;

    lock_acquire(&known->lock);
    LIST_FOREACH(note, bucket_of(known, repository, kind, key), in_bucket) {
        if (note->repository == repository && note->kind == kind &&
            strcmp(note->key, key) == 0)
            break;
    }
    if (note)
        *ret_listing = note->listing ? listing_ref(note->listing) : NULL;
    lock_release(&known->lock);
    return note != NULL;
}

/* Names of a file are as hostile as those of a repository. */
static int make_listing(const struct catalog_kind *kind,
                        const struct known_record *record, struct listing **ret_listing,
                        struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    CLEANUP_LISTING struct listing *listing = NULL;
    const char *end = record->names + record->names_size;
    int rc = 0;

    listing_builder_init(&builder);
    for (const char *name = record->names; rc == 0 && name < end;
         name += strlen(name) + 1)
        rc = listing_add(&builder, name, err);
    if (rc == 0)
        rc = listing_finish(&builder, kind->compare, &listing, err);
    if (rc < 0)
        return rc;
    if (!kind->is_sane(listing))
        return fail(err, EBADMSG, "what is known of %s '%s' makes no sense", kind->name,
                    record->key);
    *ret_listing = steal_ptr(&listing);
    return 0;
}

int known_find(struct known *known, unsigned repository, const struct catalog_kind *kind,
               const char *key, struct listing **ret_listing, struct error *err)
{
    struct known_record found;
    struct listing *listing = NULL;
    CLEANUP_BYTES struct bytes data;
    int rc;

    bytes_init(&data, known_folder_limit(kind));
    if (find_note(known, repository, kind, key, &listing)) {
        *ret_listing = listing;
        return listing || kind->saves_none
                   ? 0
                   : fail(err, ENOENT, "there was no %s '%s'", kind->name, key);
    }
    rc = known_index_find(known->index, repository, kind, key, &data, &found, err);
    if (rc < 0)
        return rc;
    if (found.count == KNOWN_FILE_NONE) {
        *ret_listing = NULL;
        return 0;
    }
    return make_listing(kind, &found, ret_listing, err);
}
