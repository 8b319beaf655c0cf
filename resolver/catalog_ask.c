/* catalog_ask.c: asks repositories for a catalog, and tells whether they may be asked. */
#include "resolver/catalog_ask.h"

#include "common/log.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    /* Requests to one repository at once, less than there are threads that ask: where
     * one stalls, those for others still find a thread. */
    UNDER_WAY_MAX = 12,
    PARTS_A_SIGN = 64, /* of an answer, for a sign of life */
    LOOK_MS = 50,      /* how late silence may be noticed */
    PROBE_MS = 300,    /* for one that may be back, who asked waits no longer */
};

#define LONG_AGO_MS (INT64_MIN / 4) /* older than any TTL */

/* A request on a thread of its own. It holds the entry as a user. */
struct attempt {
    struct catalog *catalog;
    struct entry *entry;
};

int64_t catalog_ask_now_ms(const struct catalog *catalog)
{
    return catalog->options.now_ms();
}

struct health *catalog_ask_health(struct catalog *catalog, const struct entry *entry)
{
    return &catalog->repositories[entry->repository].health;
}

bool catalog_ask_is_down(struct catalog *catalog, const struct entry *entry)
{
    return health_is_down(catalog_ask_health(catalog, entry),
                          catalog_ask_now_ms(catalog));
}

bool catalog_ask_may(struct catalog *catalog, const struct entry *entry)
{
    return health_may_ask(catalog_ask_health(catalog, entry), catalog_ask_now_ms(catalog),
                          catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE]);
}

/* How long the answer stays fresh; 0: it is stale or there is none. */
int64_t catalog_ask_left_ms(const struct catalog *catalog, const struct entry *entry)
{
    enum catalog_ttl ttl = entry->listing ? entry->kind->ttl : CATALOG_TTL_NEGATIVE;
    int64_t left;

    if (!entry->is_answered || entry->failed_rc < 0 ||
        entry->answer_changes != entry->changes)
        return 0;
    left =
        catalog->options.ttl_ms[ttl] - (catalog_ask_now_ms(catalog) - entry->answered_ms);
    return left > 0 ? left : 0;
}

bool catalog_ask_failed_of_late(const struct catalog *catalog, const struct entry *entry)
{
    return entry->failed_rc < 0 && entry->asked_changes == entry->changes &&
           catalog_ask_now_ms(catalog) - entry->failed_ms <
               catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE];
}

static void note_failure(struct catalog *catalog, struct entry *entry, int rc,
                         const struct error *err)
{
    free(entry->failed_message);
    entry->failed_message = xstrdup(err->message);
    entry->failed_rc = rc;
    entry->failed_ms = catalog_ask_now_ms(catalog);
}

void catalog_ask_note(struct catalog *catalog, struct entry *entry,
                      struct listing *take_listing)
{
    listing_unref(entry->listing);
    entry->listing = take_listing;
    entry->is_answered = true;
    entry->answer_changes = entry->asked_changes;
    entry->answered_ms = catalog_ask_now_ms(catalog);
    entry->failed_rc = 0;
    free(entry->failed_message);
    entry->failed_message = NULL;
}

/* Never 0. */
static uint64_t hash_of(const struct listing *listing)
{
    uint64_t hash = listing ? listing->count : 1;

    for (size_t i = 0; listing && i < listing->count; i++)
        hash = XXH3_64bits_withSeed(listing->names[i], strlen(listing->names[i]), hash);
    return hash ? hash : 1;
}

/* For the time when it cannot be asked. */
static void save_locked(struct catalog *catalog, struct entry *entry, uint64_t hash)
    REQUIRES(catalog->lock)
{
    if (hash == entry->noted)
        return;
    entry->noted = known_note(catalog->options.known, entry->repository, entry->kind,
                              entry->key, entry->listing)
                       ? hash
                       : 0;
}

bool catalog_ask_is_saved(const struct catalog *catalog, const struct entry *entry)
{
    return catalog->options.known && entry->kind->saved_as;
}

/* Without an answer: was there one before this process? With the lock released meanwhile.
 */
void catalog_ask_recall_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    struct listing *listing = NULL;
    struct error ignored; /* then there was none */
    int rc;

    if (!catalog_ask_is_saved(catalog, entry))
        return;
    while (entry->is_recalling)
        condition_wait(&catalog->ended, &catalog->lock);
    if (entry->is_answered || entry->is_recalled)
        return;
    entry->is_recalling = true;
    lock_release(&catalog->lock);
    rc = known_find(catalog->options.known, entry->repository, entry->kind, entry->key,
                    &listing, &ignored);
    lock_acquire(&catalog->lock);
    entry->is_recalling = false;
    entry->is_recalled = true;
    condition_broadcast(&catalog->ended);
    if (rc < 0 || entry->is_answered) {
        listing_unref(listing);
        return;
    }
    entry->listing = listing;
    entry->is_answered = true;
    entry->answer_changes = entry->changes;
    entry->answered_ms = LONG_AGO_MS;
    catalog->repositories[entry->repository].has_recalled = true;
}

void catalog_live(struct catalog_request *request)
{
    struct catalog *catalog = request->catalog;

    if (++request->parts % PARTS_A_SIGN != 0)
        return;
    lock_acquire(&catalog->lock);
    health_live(&catalog->repositories[request->repository].health,
                catalog_ask_now_ms(catalog));
    lock_release(&catalog->lock);
}

/* Ask, with the lock released meanwhile; others that come wait for us. */
static void ask_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    struct repository *repository = &catalog->repositories[entry->repository];
    struct catalog_request request = {.backend = repository->backend,
                                      .catalog = catalog,
                                      .repository = entry->repository};
    uint64_t number = ++entry->begun, changes = entry->changes;
    int64_t begun_ms = catalog_ask_now_ms(catalog);
    struct listing *listing = NULL;
    struct error err = {0};
    uint64_t hash;
    int rc;

    entry->asking++;
    entry->asked_ms = begun_ms;
    health_begin(&repository->health, begun_ms);
    lock_release(&catalog->lock);
    rc = entry->kind->ask(&request, entry->key, &listing, &err);
    hash = catalog_ask_is_saved(catalog, entry) ? hash_of(listing) : 0;
    lock_acquire(&catalog->lock);
    entry->asking--;
    entry->ended++;
    health_end(&repository->health, begun_ms, catalog_ask_now_ms(catalog), rc, &err);
    if (number < entry->answer_begun) { /* one that was begun later was faster */
        listing_unref(listing);
    } else {
        entry->asked_changes = changes;
        if (rc < 0 && rc != -ENOENT) {
            note_failure(catalog, entry, rc, &err);
        } else {
            catalog_ask_note(catalog, entry, listing);
            entry->answer_begun = number;
            if (catalog_ask_is_saved(catalog, entry))
                save_locked(catalog, entry, hash);
        }
    }
    condition_broadcast(&catalog->ended);
}

/* Is somebody's request worth waiting for? Old connections may hang after an outage. */
static bool is_asked_for(struct catalog *catalog, const struct entry *entry)
{
    return entry->asking > 0 &&
           entry->asked_ms >= catalog_ask_health(catalog, entry)->back_ms;
}

/* Until somebody's request for the entry has ended, or nobody there seems to answer. */
static void wait_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    int64_t least_ms = clock_now_ms() + PROBE_MS;
    uint64_t before = entry->ended;

    while (entry->ended == before && is_asked_for(catalog, entry) &&
           (clock_now_ms() < least_ms || !catalog_ask_is_down(catalog, entry)))
        (void)condition_wait_until(&catalog->ended, &catalog->lock,
                                   clock_now_ms() + LOOK_MS);
}

/* Until the repository has room for one request more. -ETIMEDOUT. */
int catalog_ask_wait_for_room_locked(struct catalog *catalog,
                                     const struct repository *repository)
    REQUIRES(catalog->lock)
{
    const struct health *health = &repository->health;
    int64_t deadline_ms = clock_now_ms() + health_silence_ms(health);
    int rc = 0;

    while (rc == 0 && health->under_way + repository->queued >= UNDER_WAY_MAX)
        rc = condition_wait_until(&catalog->ended, &catalog->lock, deadline_ms);
    return rc;
}

enum health_news catalog_ask_news_locked(struct catalog *catalog, unsigned repository,
                                         struct health *ret_then) REQUIRES(catalog->lock)
{
    struct health *health = &catalog->repositories[repository].health;
    enum health_news news = health_news(health, catalog_ask_now_ms(catalog));

    if (news != HEALTH_NO_NEWS)
        *ret_then = *health;
    return news;
}

/* With the lock released. */
void catalog_ask_tell(const struct catalog *catalog, unsigned repository,
                      enum health_news news, const struct health *then)
{
    const char *name = catalog->repositories[repository].name;
    struct error why;

    if (news == HEALTH_BACK) {
        log_info("repository '%s' answers again, after %lld s", name,
                 (long long)(catalog_ask_now_ms(catalog) - then->down_ms) / 1000);
    } else if (news == HEALTH_DOWN) {
        health_fail(then, &why);
        log_warning("repository '%s' cannot be asked: %s; going on with what is known",
                    name, why.message);
    }
}

static void run_attempt(void *arg)
{
    struct attempt *attempt = arg;
    struct catalog *catalog = attempt->catalog;
    unsigned repository = attempt->entry->repository;
    struct health then;
    enum health_news news;

    lock_acquire(&catalog->lock);
    catalog->repositories[repository].queued--;
    attempt->entry->asking--; /* it waited */
    if (catalog_ask_left_ms(catalog, attempt->entry) == 0)
        ask_locked(catalog, attempt->entry);
    else /* somebody was faster */
        condition_broadcast(&catalog->ended);
    attempt->entry->users--;
    entries_settle(&catalog->entries, attempt->entry);
    news = catalog_ask_news_locked(catalog, repository, &then);
    lock_release(&catalog->lock);
    free(attempt);
    catalog_ask_tell(catalog, repository, news, &then);
}

int catalog_ask_behind_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    struct error ignored; /* tried later */
    struct attempt *attempt = XNEW(struct attempt);
    int rc;

    *attempt = (struct attempt){.catalog = catalog, .entry = entry};
    rc = workers_submit(catalog->attempts, run_attempt, attempt, &ignored);
    if (rc < 0) {
        free(attempt);
        return rc;
    }
    catalog->repositories[entry->repository].queued++;
    entry->users++;
    entry->asking++;
    entry->asked_ms = catalog_ask_now_ms(catalog);
    if (catalog_ask_is_down(catalog, entry))
        health_try(catalog_ask_health(catalog, entry), catalog_ask_now_ms(catalog));
    return 0;
}

/* This machine answers; a repository may hang. */
static void request_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    if (!catalog->repositories[entry->repository].backend ||
        catalog_ask_behind_locked(catalog, entry) < 0)
        ask_locked(catalog, entry);
    else
        wait_locked(catalog, entry);
}

/* Bring an answer about, or leave what there is. */
void catalog_ask_fetch_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    uint64_t changes = entry->changes;

    if (catalog_ask_is_down(catalog, entry))
        catalog_ask_recall_locked(catalog, entry);
    while (catalog_ask_left_ms(catalog, entry) == 0 &&
           !catalog_ask_failed_of_late(catalog, entry)) {
        uint64_t before = entry->ended;

        if (catalog_ask_is_down(catalog, entry) &&
            (entry->is_answered || !catalog_ask_may(catalog, entry)))
            return;
        if (!is_asked_for(catalog, entry) || catalog_ask_is_down(catalog, entry)) {
            if (catalog_ask_wait_for_room_locked(
                    catalog, &catalog->repositories[entry->repository]) < 0)
                return;
            if (entry->ended == before)
                request_locked(catalog, entry);
        } else {
            wait_locked(catalog, entry);
        }
        if (entry->asking > 0 && !is_asked_for(catalog, entry))
            continue; /* it came back meanwhile, but not to what hung */
        if (entry->ended == before || entry->asked_changes >= changes)
            return; /* in vain; or not one that began before the change */
    }
}
