/* catalog.c: what repositories said, from memory or by asking them. */
#include "resolver/catalog.h"

#include "common/memory.h"
#include "resolver/catalog_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMORY_DEFAULT = 6 << 20,
    /* Each may hang as long as the backend lets it. While a repository is down one more
     * is begun each negative TTL. */
    ASKING_THREADS = 32,
    ASKING_QUEUE_MAX = 256,
};

int catalog_open(const struct catalog_options *options, struct catalog **ret_catalog,
                 struct error *err)
{
    size_t size =
        sizeof(struct catalog) + options->backend_count * sizeof(struct repository);
    CLEANUP_FREE struct catalog *catalog = xcalloc(1, size);
    int rc =
        entries_init(&catalog->entries,
                     options->memory_max ? options->memory_max : MEMORY_DEFAULT, err);

    if (rc == 0)
        rc = workers_open(&(struct workers_options){.name = "request",
                                                    .threads = ASKING_THREADS,
                                                    .queue_max = ASKING_QUEUE_MAX},
                          &catalog->attempts, err);
    if (rc < 0) {
        entries_done(&catalog->entries);
        return rc;
    }
    catalog->options = *options;
    catalog->options.backends = NULL;
    catalog->options.names = NULL;
    if (!catalog->options.now_ms)
        catalog->options.now_ms = clock_now_ms;
    for (size_t i = 0; i < options->backend_count; i++) {
        catalog->repositories[i].backend = options->backends[i];
        catalog->repositories[i].name = options->names ? options->names[i] : "";
        catalog->repositories[i].health.silence_ms = options->silence_ms;
    }
    lock_init(&catalog->lock);
    condition_init(&catalog->ended);
    *ret_catalog = steal_ptr(&catalog);
    return 0;
}

void catalog_close(struct catalog *catalog)
{
    if (!catalog)
        return;
    workers_close(catalog->attempts);
    entries_done(&catalog->entries);
    condition_done(&catalog->ended);
    lock_done(&catalog->lock);
    free(catalog);
}

static int answer_from(struct catalog *catalog, const struct entry *entry,
                       struct catalog_answer *ret_answer, struct error *err)
{
    if (entry->failed_rc == -EBADMSG || (!entry->is_answered && entry->failed_rc < 0))
        return fail(err, -entry->failed_rc, "%s", entry->failed_message);
    if (!entry->is_answered && catalog_ask_is_down(catalog, entry))
        return health_fail(catalog_ask_health(catalog, entry), err);
    if (!entry->is_answered)
        return fail(err, ETIMEDOUT, "'%s' (%s) is still being asked for; try again later",
                    entry->key[0] ? entry->key : "all", entry->kind->name);
    *ret_answer = (struct catalog_answer){
        .listing = entry->listing ? listing_ref(entry->listing) : NULL,
        .left_ms = catalog_ask_left_ms(catalog, entry)};
    if (!entry->listing)
        return fail(err, ENOENT, "%s '%s' does not exist", entry->kind->name, entry->key);
    return 0;
}

static int fail_unknown(const struct catalog_kind *kind, const char *key,
                        struct error *err)
{
    return fail(err, EINPROGRESS, "%s '%s' is not known yet", kind->name, key);
}

/* Is there something to be said without asking? */
static bool is_usable(struct catalog *catalog, const struct entry *entry,
                      enum resolve_how how)
{
    if (catalog_ask_left_ms(catalog, entry) > 0 ||
        catalog_ask_failed_of_late(catalog, entry))
        return true;
    if (catalog_ask_is_down(catalog, entry) && !entry->is_answered)
        return !catalog_ask_may(catalog, entry) &&
               (entry->is_recalled || !catalog_ask_is_saved(catalog, entry));
    if (catalog_ask_is_down(catalog, entry))
        return true;
    return how != RESOLVE_KNOWN && entry->is_answered &&
           entry->answer_changes == entry->changes;
}

static int get_locked(struct catalog *catalog, struct entry *entry, enum resolve_how how,
                      struct catalog_answer *ret_answer, struct error *err)
    REQUIRES(catalog->lock)
{
    if (how == RESOLVE_FETCH)
        catalog_ask_fetch_locked(catalog, entry);
    if (how == RESOLVE_FETCH || how == RESOLVE_SAVED)
        catalog_ask_recall_locked(catalog, entry);
    if (how != RESOLVE_FETCH && !is_usable(catalog, entry, how))
        return fail_unknown(entry->kind, entry->key, err);
    if (entry->kind->ask && entry->is_answered &&
        catalog_ask_left_ms(catalog, entry) == 0 && catalog_ask_is_down(catalog, entry) &&
        catalog_ask_may(catalog, entry))
        (void)catalog_ask_behind_locked(catalog, entry); /* else tried later */
    return answer_from(catalog, entry, ret_answer, err);
}

int catalog_get(struct catalog *catalog, unsigned repository,
                const struct catalog_kind *kind, const char *key, enum resolve_how how,
                struct catalog_answer *ret_answer, struct error *err)
{
    enum health_news news;
    struct entry *entry;
    struct health then;
    int rc;

    lock_acquire(&catalog->lock);
    entry = how == RESOLVE_FETCH || (how == RESOLVE_SAVED && kind->saved_as)
                ? entries_make(&catalog->entries, repository, kind, key)
                : entries_find(&catalog->entries, repository, kind, key);
    if (entry) {
        entry->users++;
        rc = get_locked(catalog, entry, how, ret_answer, err);
        entry->users--;
        entries_settle(&catalog->entries, entry);
    } else {
        rc = fail_unknown(kind, key, err);
    }
    news = catalog_ask_news_locked(catalog, repository, &then);
    lock_release(&catalog->lock);
    catalog_ask_tell(catalog, repository, news, &then);
    return rc;
}

void catalog_prefetch(struct catalog *catalog, unsigned repository,
                      const struct catalog_kind *kind, const char *key)
{
    struct entry *entry;

    lock_acquire(&catalog->lock);
    entry = entries_make(&catalog->entries, repository, kind, key);
    if (!is_usable(catalog, entry, RESOLVE_STALE) && entry->asking == 0)
        (void)catalog_ask_behind_locked(catalog, entry); /* else asked when needed */
    entries_settle(&catalog->entries, entry);
    lock_release(&catalog->lock);
}

static bool are_asked_locked(const struct catalog *catalog) REQUIRES(catalog->lock)
{
    for (size_t i = 0; i < catalog->options.backend_count; i++) {
        const struct health *health = &catalog->repositories[i].health;

        if (!catalog->repositories[i].backend)
            continue;
        if (health->requests == 0 ||
            (health->under_way > 0 && !health->is_answered && health->failures == 0))
            return false;
    }
    return true;
}

bool catalog_await_answers(struct catalog *catalog, int64_t deadline_ms)
{
    int rc = 0;

    lock_acquire(&catalog->lock);
    while (rc == 0 && !are_asked_locked(catalog))
        rc = condition_wait_until(&catalog->ended, &catalog->lock, deadline_ms);
    lock_release(&catalog->lock);
    return rc == 0;
}

void catalog_note(struct catalog *catalog, unsigned repository,
                  const struct catalog_kind *kind, const char *key,
                  struct listing *take_listing)
{
    struct entry *entry;

    lock_acquire(&catalog->lock);
    entry = entries_make(&catalog->entries, repository, kind, key);
    entry->asked_changes = entry->changes;
    catalog_ask_note(catalog, entry, take_listing);
    entries_settle(&catalog->entries, entry);
    lock_release(&catalog->lock);
}

void catalog_forget(struct catalog *catalog, const struct catalog_kind *kind,
                    const char *key)
{
    lock_acquire(&catalog->lock);
    entries_forget(&catalog->entries, kind, key);
    lock_release(&catalog->lock);
}

static int enter_locked(struct catalog *catalog, struct repository *repository,
                        int64_t *ret_begun_ms, struct error *err) REQUIRES(catalog->lock)
{
    struct health *health = &repository->health;

    if (!health_may_ask(health, catalog_ask_now_ms(catalog),
                        catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE]))
        return health_fail(health, err);
    if (catalog_ask_wait_for_room_locked(catalog, repository) < 0)
        return fail(err, ETIMEDOUT, "the repository is busy and does not answer");
    *ret_begun_ms = catalog_ask_now_ms(catalog);
    health_begin(health, *ret_begun_ms);
    return 0;
}

int catalog_enter(struct catalog *catalog, unsigned repository, int64_t *ret_begun_ms,
                  struct error *err)
{
    int rc;

    lock_acquire(&catalog->lock);
    rc = enter_locked(catalog, &catalog->repositories[repository], ret_begun_ms, err);
    lock_release(&catalog->lock);
    return rc;
}

void catalog_leave(struct catalog *catalog, unsigned repository, int64_t begun_ms, int rc,
                   const struct error *err)
{
    struct health *health = &catalog->repositories[repository].health;
    enum health_news news;
    struct health then;

    lock_acquire(&catalog->lock);
    health_end(health, begun_ms, catalog_ask_now_ms(catalog), rc, err);
    condition_broadcast(&catalog->ended);
    news = catalog_ask_news_locked(catalog, repository, &then);
    lock_release(&catalog->lock);
    catalog_ask_tell(catalog, repository, news, &then);
}

void catalog_state(struct catalog *catalog, unsigned repository,
                   struct catalog_state *ret_state)
{
    const struct health *health = &catalog->repositories[repository].health;
    int64_t now = catalog_ask_now_ms(catalog);
    bool is_down;

    lock_acquire(&catalog->lock);
    is_down = health_is_down(health, now);
    *ret_state = (struct catalog_state){
        .requests = health->requests,
        .failures = health->failures,
        .success_age_ms = health->is_answered ? now - health->answered_ms : -1,
        .failure_age_ms = health->failures > 0 ? now - health->failed_ms : -1,
        .is_failing = health->is_failing || is_down,
        .is_down = is_down,
        .has_answers =
            health->is_answered || catalog->repositories[repository].has_recalled,
    };
    memcpy(ret_state->message, health->message, sizeof ret_state->message);
    lock_release(&catalog->lock);
}
