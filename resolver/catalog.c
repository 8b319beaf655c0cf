/* catalog.c: answers of repositories in memory, one request at a time for each. */
#include "resolver/catalog.h"

#include "common/memory.h"
#include "common/sync.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <xxhash.h>

enum {
    BUCKETS = 1 << 13,
    MEMORY_DEFAULT = 6 << 20,
};

/* All fields are guarded by the catalog's lock, but for kind, repository and key, which
 * are constant. */
struct entry {
    LIST_ENTRY(entry) in_bucket;
    TAILQ_ENTRY(entry) in_use_order; /* not of kept kinds */
    const struct catalog_kind *kind;
    unsigned repository;
    unsigned users; /* threads inside catalog_get; not removed meanwhile */
    bool is_asked;  /* one of them asks */
    bool is_answered;
    uint64_t requests;       /* that have ended */
    uint64_t changes;        /* times that the entry was forgotten */
    uint64_t asked_changes;  /* when the last request began */
    uint64_t answer_changes; /* when the request began that gave the answer */
    struct listing *listing; /* NULL: not answered, or there is none */
    int64_t answered_ms;
    int failed_rc; /* of the last request, 0 if it went well */
    int64_t failed_ms;
    char *failed_message;
    size_t memory; /* counted for this entry */
    char key[];
};

LIST_HEAD(bucket, entry);
TAILQ_HEAD(use_order, entry);

struct repository {
    struct backend *backend; /* constant after open */
    uint64_t requests, failures;
    bool is_answered, is_failing;
    int64_t answered_ms, failed_ms;
    char message[ERROR_MESSAGE_MAX];
};

struct catalog {
    struct catalog_options options; /* constant after open */
    uint64_t seed;                  /* constant after open */
    struct lock lock;
    struct condition ended;           /* a request ended */
    struct bucket buckets[BUCKETS];   /* guarded by lock */
    struct use_order use_order;       /* guarded by lock; least recently used first */
    size_t memory;                    /* guarded by lock; of entries in use_order */
    struct repository repositories[]; /* guarded by lock */
};

int catalog_open(const struct catalog_options *options, struct catalog **ret_catalog,
                 struct error *err)
{
    size_t size =
        sizeof(struct catalog) + options->backend_count * sizeof(struct repository);
    struct catalog *catalog = xcalloc(1, size);

    /* The seed keeps those who choose names from filling one bucket. */
    if (getrandom(&catalog->seed, sizeof catalog->seed, 0) != sizeof catalog->seed) {
        free(catalog);
        return fail_errno(err, "get a random number");
    }
    catalog->options = *options;
    catalog->options.backends = NULL;
    if (!catalog->options.memory_max)
        catalog->options.memory_max = MEMORY_DEFAULT;
    if (!catalog->options.now_ms)
        catalog->options.now_ms = clock_now_ms;
    for (size_t i = 0; i < options->backend_count; i++)
        catalog->repositories[i].backend = options->backends[i];
    TAILQ_INIT(&catalog->use_order);
    lock_init(&catalog->lock);
    condition_init(&catalog->ended);
    *ret_catalog = catalog;
    return 0;
}

static void entry_free(struct entry *entry)
{
    listing_unref(entry->listing);
    free(entry->failed_message);
    free(entry);
}

void catalog_close(struct catalog *catalog)
{
    if (!catalog)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        struct entry *entry;

        while ((entry = LIST_FIRST(&catalog->buckets[i]))) {
            LIST_REMOVE(entry, in_bucket);
            entry_free(entry);
        }
    }
    condition_done(&catalog->ended);
    lock_done(&catalog->lock);
    free(catalog);
}

static void count_memory_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    size_t now = sizeof *entry + strlen(entry->key) + 1 +
                 (entry->listing ? entry->listing->memory_bytes : 0) +
                 (entry->failed_message ? strlen(entry->failed_message) + 1 : 0);

    if (!entry->kind->is_kept)
        catalog->memory += now - entry->memory;
    entry->memory = now;
}

static void evict_locked(struct catalog *catalog) REQUIRES(catalog->lock)
{
    struct entry *next;

    for (struct entry *entry = TAILQ_FIRST(&catalog->use_order);
         entry && catalog->memory > catalog->options.memory_max; entry = next) {
        next = TAILQ_NEXT(entry, in_use_order);
        if (entry->users > 0)
            continue;
        catalog->memory -= entry->memory;
        TAILQ_REMOVE(&catalog->use_order, entry, in_use_order);
        LIST_REMOVE(entry, in_bucket);
        entry_free(entry);
    }
}

static struct bucket *bucket_of(struct catalog *catalog, unsigned repository,
                                const struct catalog_kind *kind, const char *key)
{
    uint64_t seed = catalog->seed + repository + (uintptr_t)kind;

    return &catalog->buckets[XXH3_64bits_withSeed(key, strlen(key), seed) % BUCKETS];
}

/* NULL if it was never asked. */
static struct entry *find_locked(struct catalog *catalog, unsigned repository,
                                 const struct catalog_kind *kind, const char *key)
    REQUIRES(catalog->lock)
{
    struct entry *entry;

    LIST_FOREACH(entry, bucket_of(catalog, repository, kind, key), in_bucket)
    if (entry->kind == kind && entry->repository == repository &&
        strcmp(entry->key, key) == 0)
        break;
    if (entry && !kind->is_kept) {
        TAILQ_REMOVE(&catalog->use_order, entry, in_use_order);
        TAILQ_INSERT_TAIL(&catalog->use_order, entry, in_use_order);
    }
    return entry;
}

static struct entry *make_locked(struct catalog *catalog, unsigned repository,
                                 const struct catalog_kind *kind, const char *key)
    REQUIRES(catalog->lock)
{
    struct entry *entry = find_locked(catalog, repository, kind, key);
    size_t size = strlen(key) + 1;

    if (entry)
        return entry;
    entry = xcalloc(1, sizeof *entry + size);
    memcpy(entry->key, key, size);
    entry->kind = kind;
    entry->repository = repository;
    LIST_INSERT_HEAD(bucket_of(catalog, repository, kind, key), entry, in_bucket);
    if (!kind->is_kept)
        TAILQ_INSERT_TAIL(&catalog->use_order, entry, in_use_order);
    return entry;
}

/* How long the answer stays fresh; 0: it is stale or there is none. */
static int64_t left_ms(const struct catalog *catalog, const struct entry *entry)
{
    enum catalog_ttl ttl = entry->listing ? entry->kind->ttl : CATALOG_TTL_NEGATIVE;
    int64_t left;

    if (!entry->is_answered || entry->failed_rc < 0 ||
        entry->answer_changes != entry->changes)
        return 0;
    left =
        catalog->options.ttl_ms[ttl] - (catalog->options.now_ms() - entry->answered_ms);
    return left > 0 ? left : 0;
}

static bool failed_of_late(const struct catalog *catalog, const struct entry *entry)
{
    return entry->failed_rc < 0 && entry->asked_changes == entry->changes &&
           catalog->options.now_ms() - entry->failed_ms <
               catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE];
}

static int answer_from(const struct catalog *catalog, const struct entry *entry,
                       struct catalog_answer *ret_answer, struct error *err)
{
    if (entry->failed_rc == -EBADMSG || (!entry->is_answered && entry->failed_rc < 0))
        return fail(err, -entry->failed_rc, "%s", entry->failed_message);
    assert(entry->is_answered);
    *ret_answer = (struct catalog_answer){
        .listing = entry->listing ? listing_ref(entry->listing) : NULL,
        .left_ms = left_ms(catalog, entry)};
    if (!entry->listing)
        return fail(err, ENOENT, "%s '%s' does not exist", entry->kind->name, entry->key);
    return 0;
}

static void note_failure_locked(struct catalog *catalog, struct entry *entry, int rc,
                                const struct error *err) REQUIRES(catalog->lock)
{
    struct repository *repository = &catalog->repositories[entry->repository];
    int64_t now = catalog->options.now_ms();

    free(entry->failed_message);
    entry->failed_message = xstrdup(err->message);
    entry->failed_rc = rc;
    entry->failed_ms = now;
    repository->failures++;
    repository->is_failing = rc != -EBADMSG && rc != -EFBIG; /* one document's fault */
    repository->failed_ms = now;
    memcpy(repository->message, err->message, sizeof repository->message);
}

static void answer_locked(struct catalog *catalog, struct entry *entry,
                          struct listing *take_listing) REQUIRES(catalog->lock)
{
    listing_unref(entry->listing);
    entry->listing = take_listing;
    entry->is_answered = true;
    entry->answer_changes = entry->asked_changes;
    entry->answered_ms = catalog->options.now_ms();
    entry->failed_rc = 0;
    free(entry->failed_message);
    entry->failed_message = NULL;
}

static void note_answer_locked(struct catalog *catalog, struct entry *entry,
                               struct listing *take_listing) REQUIRES(catalog->lock)
{
    struct repository *repository = &catalog->repositories[entry->repository];

    answer_locked(catalog, entry, take_listing);
    repository->is_answered = true;
    repository->is_failing = false;
    repository->answered_ms = entry->answered_ms;
}

/* Ask, with the lock released meanwhile; others that come wait for us. */
static void ask_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    struct repository *repository = &catalog->repositories[entry->repository];
    struct listing *listing = NULL;
    struct error err = {0};
    int rc;

    entry->is_asked = true;
    entry->asked_changes = entry->changes;
    repository->requests++;
    lock_release(&catalog->lock);
    rc = entry->kind->ask(repository->backend, entry->key, &listing, &err);
    lock_acquire(&catalog->lock);
    entry->is_asked = false;
    entry->requests++;
    if (rc < 0 && rc != -ENOENT)
        note_failure_locked(catalog, entry, rc, &err);
    else
        note_answer_locked(catalog, entry, listing);
    condition_broadcast(&catalog->ended);
}

static void fetch_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    uint64_t changes = entry->changes;

    while (left_ms(catalog, entry) == 0 && !failed_of_late(catalog, entry)) {
        uint64_t before = entry->requests;

        if (!entry->is_asked) {
            ask_locked(catalog, entry);
            return;
        }
        while (entry->requests == before)
            condition_wait(&catalog->ended, &catalog->lock);
        if (entry->asked_changes >= changes) /* else it began before the change */
            return;
    }
}

static int fail_unknown(const struct catalog_kind *kind, const char *key,
                        struct error *err)
{
    return fail(err, EINPROGRESS, "%s '%s' is not known yet", kind->name, key);
}

static int get_locked(struct catalog *catalog, struct entry *entry, enum resolve_how how,
                      struct catalog_answer *ret_answer, struct error *err)
    REQUIRES(catalog->lock)
{
    bool is_usable = left_ms(catalog, entry) > 0 || failed_of_late(catalog, entry) ||
                     (how == RESOLVE_STALE && entry->is_answered &&
                      entry->answer_changes == entry->changes);

    if (how != RESOLVE_FETCH && !is_usable)
        return fail_unknown(entry->kind, entry->key, err);
    if (how == RESOLVE_FETCH)
        fetch_locked(catalog, entry);
    return answer_from(catalog, entry, ret_answer, err);
}

int catalog_get(struct catalog *catalog, unsigned repository,
                const struct catalog_kind *kind, const char *key, enum resolve_how how,
                struct catalog_answer *ret_answer, struct error *err)
{
    struct entry *entry;
    int rc;

    lock_acquire(&catalog->lock);
    entry = how == RESOLVE_FETCH ? make_locked(catalog, repository, kind, key)
                                 : find_locked(catalog, repository, kind, key);
    if (entry) {
        entry->users++;
        rc = get_locked(catalog, entry, how, ret_answer, err);
        entry->users--;
        count_memory_locked(catalog, entry);
        evict_locked(catalog);
    } else {
        rc = fail_unknown(kind, key, err);
    }
    lock_release(&catalog->lock);
    return rc;
}

void catalog_note(struct catalog *catalog, unsigned repository,
                  const struct catalog_kind *kind, const char *key,
                  struct listing *take_listing)
{
    struct entry *entry;

    lock_acquire(&catalog->lock);
    entry = make_locked(catalog, repository, kind, key);
    entry->asked_changes = entry->changes;
    answer_locked(catalog, entry, take_listing);
    count_memory_locked(catalog, entry);
    evict_locked(catalog);
    lock_release(&catalog->lock);
}

void catalog_forget(struct catalog *catalog, const struct catalog_kind *kind,
                    const char *key)
{
    struct entry *entry;

    lock_acquire(&catalog->lock);
    for (size_t i = 0; i < BUCKETS; i++) {
        LIST_FOREACH(entry, &catalog->buckets[i], in_bucket)
        if (entry->kind == kind && (!key || strcmp(entry->key, key) == 0))
            entry->changes++;
    }
    lock_release(&catalog->lock);
}

void catalog_state(struct catalog *catalog, unsigned repository,
                   struct catalog_state *ret_state)
{
    const struct repository *from = &catalog->repositories[repository];
    int64_t now = catalog->options.now_ms();

    lock_acquire(&catalog->lock);
    *ret_state = (struct catalog_state){
        .requests = from->requests,
        .failures = from->failures,
        .success_age_ms = from->is_answered ? now - from->answered_ms : -1,
        .failure_age_ms = from->failures > 0 ? now - from->failed_ms : -1,
        .is_failing = from->is_failing,
    };
    memcpy(ret_state->message, from->message, sizeof ret_state->message);
    lock_release(&catalog->lock);
}

size_t catalog_memory(struct catalog *catalog)
{
    lock_acquire(&catalog->lock);
    size_t memory = catalog->memory;

    lock_release(&catalog->lock);
    return memory;
}
