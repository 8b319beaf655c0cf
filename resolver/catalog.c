/* catalog.c: answers of repositories: from memory, or asked for, one request at a time.
 */
#include "resolver/catalog.h"

#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/workers.h"
#include "resolver/entries.h"
#include "resolver/health.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMORY_DEFAULT = 6 << 20,
    /* Requests to one repository at once, less than there are threads that ask: where
     * one stalls, those for others still find a thread. */
    UNDER_WAY_MAX = 12,
    /* Behind answers, to see whether what was down is back. Each may hang as long as the
     * backend lets it, one is begun each negative TTL. */
    TRIES_MAX = 8,
    PARTS_A_SIGN = 64, /* of an answer, for a sign of life */
};

struct repository {
    struct backend *backend; /* constant after open; NULL: this machine */
    const char *name;        /* constant after open */
    struct health health;    /* guarded by lock */
};

struct catalog {
    struct catalog_options options; /* constant after open */
    struct workers *tries;          /* constant after open */
    struct lock lock;
    struct condition ended;           /* a request ended */
    struct entries entries;           /* guarded by lock, as each entry */
    struct repository repositories[]; /* guarded by lock */
};

/* A try behind an answer. It holds the entry as a user. */
struct
try {
    struct catalog *catalog;
    struct entry *entry;
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
        rc = workers_open(&(struct workers_options){.name = "trying",
                                                    .threads = TRIES_MAX,
                                                    .queue_max = TRIES_MAX},
                          &catalog->tries, err);
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
    workers_close(catalog->tries);
    entries_done(&catalog->entries);
    condition_done(&catalog->ended);
    lock_done(&catalog->lock);
    free(catalog);
}

static int64_t now_ms(const struct catalog *catalog)
{
    return catalog->options.now_ms();
}

static struct health *health_of(struct catalog *catalog, const struct entry *entry)
{
    return &catalog->repositories[entry->repository].health;
}

static bool is_down(struct catalog *catalog, const struct entry *entry)
{
    return health_is_down(health_of(catalog, entry), now_ms(catalog));
}

static bool may_ask(struct catalog *catalog, const struct entry *entry)
{
    return health_may_ask(health_of(catalog, entry), now_ms(catalog),
                          catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE]);
}

/* How long the answer stays fresh; 0: it is stale or there is none. */
static int64_t left_ms(const struct catalog *catalog, const struct entry *entry)
{
    enum catalog_ttl ttl = entry->listing ? entry->kind->ttl : CATALOG_TTL_NEGATIVE;
    int64_t left;

    if (!entry->is_answered || entry->failed_rc < 0 ||
        entry->answer_changes != entry->changes)
        return 0;
    left = catalog->options.ttl_ms[ttl] - (now_ms(catalog) - entry->answered_ms);
    return left > 0 ? left : 0;
}

static bool failed_of_late(const struct catalog *catalog, const struct entry *entry)
{
    return entry->failed_rc < 0 && entry->asked_changes == entry->changes &&
           now_ms(catalog) - entry->failed_ms <
               catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE];
}

static int answer_from(struct catalog *catalog, const struct entry *entry,
                       struct catalog_answer *ret_answer, struct error *err)
{
    if (entry->failed_rc == -EBADMSG || (!entry->is_answered && entry->failed_rc < 0))
        return fail(err, -entry->failed_rc, "%s", entry->failed_message);
    if (!entry->is_answered && is_down(catalog, entry))
        return health_fail(health_of(catalog, entry), err);
    if (!entry->is_answered)
        return fail(err, ETIMEDOUT, "%s '%s' is being asked for; try again later",
                    entry->kind->name, entry->key);
    *ret_answer = (struct catalog_answer){
        .listing = entry->listing ? listing_ref(entry->listing) : NULL,
        .left_ms = left_ms(catalog, entry)};
    if (!entry->listing)
        return fail(err, ENOENT, "%s '%s' does not exist", entry->kind->name, entry->key);
    return 0;
}

static void note_failure(struct catalog *catalog, struct entry *entry, int rc,
                         const struct error *err)
{
    free(entry->failed_message);
    entry->failed_message = xstrdup(err->message);
    entry->failed_rc = rc;
    entry->failed_ms = now_ms(catalog);
}

static void note_answer(struct catalog *catalog, struct entry *entry,
                        struct listing *take_listing)
{
    listing_unref(entry->listing);
    entry->listing = take_listing;
    entry->is_answered = true;
    entry->answer_changes = entry->asked_changes;
    entry->answered_ms = now_ms(catalog);
    entry->failed_rc = 0;
    free(entry->failed_message);
    entry->failed_message = NULL;
}

void catalog_live(struct catalog_request *request)
{
    struct catalog *catalog = request->catalog;

    if (++request->parts % PARTS_A_SIGN != 0)
        return;
    lock_acquire(&catalog->lock);
    health_live(&catalog->repositories[request->repository].health, now_ms(catalog));
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
    int64_t begun_ms = now_ms(catalog);
    struct listing *listing = NULL;
    struct error err = {0};
    int rc;

    entry->asking++;
    health_begin(&repository->health, begun_ms);
    lock_release(&catalog->lock);
    rc = entry->kind->ask(&request, entry->key, &listing, &err);
    lock_acquire(&catalog->lock);
    entry->asking--;
    entry->ended++;
    health_end(&repository->health, begun_ms, now_ms(catalog), rc, &err);
    if (number < entry->answer_begun) { /* one that was begun later was faster */
        listing_unref(listing);
    } else {
        entry->asked_changes = changes;
        if (rc < 0 && rc != -ENOENT) {
            note_failure(catalog, entry, rc, &err);
        } else {
            note_answer(catalog, entry, listing);
            entry->answer_begun = number;
        }
    }
    condition_broadcast(&catalog->ended);
}

/* Until somebody's request for the entry has ended; not for longer than one may take. */
static void wait_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    int64_t deadline_ms = clock_now_ms() + HEALTH_SILENCE_MS;
    uint64_t before = entry->ended;
    int rc = 0;

    while (rc == 0 && entry->ended == before)
        rc = condition_wait_until(&catalog->ended, &catalog->lock, deadline_ms);
}

/* Until the repository has room for one request more. -ETIMEDOUT. */
static int wait_for_room_locked(struct catalog *catalog, const struct health *health)
    REQUIRES(catalog->lock)
{
    int64_t deadline_ms = clock_now_ms() + HEALTH_SILENCE_MS;
    int rc = 0;

    while (rc == 0 && health->under_way >= UNDER_WAY_MAX)
        rc = condition_wait_until(&catalog->ended, &catalog->lock, deadline_ms);
    return rc;
}

static void run_try(void *arg);

/* Ask behind the answer whether the repository is back. */
static void try_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    struct error ignored; /* tried later */
    struct try *try = XNEW(struct try);

    *try = (struct try){.catalog = catalog, .entry = entry};
    if (workers_submit(catalog->tries, run_try, try, &ignored) < 0) {
        free(try);
        return;
    }
    entry->users++;
    health_try(health_of(catalog, entry), now_ms(catalog));
}

/* Bring an answer about, or leave what there is. */
static void fetch_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock)
{
    uint64_t changes = entry->changes;

    while (left_ms(catalog, entry) == 0 && !failed_of_late(catalog, entry)) {
        uint64_t before = entry->ended;

        if (is_down(catalog, entry) && (entry->is_answered || !may_ask(catalog, entry)))
            return;
        if (entry->asking == 0 || is_down(catalog, entry)) {
            if (wait_for_room_locked(catalog, health_of(catalog, entry)) < 0)
                return;
            if (entry->ended == before)
                ask_locked(catalog, entry);
        } else {
            wait_locked(catalog, entry);
        }
        if (entry->ended == before || entry->asked_changes >= changes)
            return; /* in vain; or not one that began before the change */
    }
}

static enum health_news news_locked(struct catalog *catalog, unsigned repository,
                                    struct health *ret_then) REQUIRES(catalog->lock)
{
    struct health *health = &catalog->repositories[repository].health;
    enum health_news news = health_news(health, now_ms(catalog));

    if (news != HEALTH_NO_NEWS)
        *ret_then = *health;
    return news;
}

/* With the lock released. */
static void tell(const struct catalog *catalog, unsigned repository,
                 enum health_news news, const struct health *then)
{
    const char *name = catalog->repositories[repository].name;
    struct error why;

    if (news == HEALTH_BACK) {
        log_info("repository '%s' answers again, after %lld s", name,
                 (long long)(now_ms(catalog) - then->down_ms) / 1000);
    } else if (news == HEALTH_DOWN) {
        health_fail(then, &why);
        log_warning("repository '%s' cannot be asked: %s; going on with what is known",
                    name, why.message);
    }
}

static void run_try(void *arg)
{
    struct try *try = arg;
    struct catalog *catalog = try->catalog;
    unsigned repository = try->entry->repository;
    struct health then;
    enum health_news news;

    lock_acquire(&catalog->lock);
    if (left_ms(catalog, try->entry) == 0)
        ask_locked(catalog, try->entry);
    try->entry->users--;
    entries_settle(&catalog->entries, try->entry);
    news = news_locked(catalog, repository, &then);
    lock_release(&catalog->lock);
    free(try);
    tell(catalog, repository, news, &then);
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
    if (left_ms(catalog, entry) > 0 || failed_of_late(catalog, entry))
        return true;
    if (is_down(catalog, entry))
        return entry->is_answered || !may_ask(catalog, entry);
    return how == RESOLVE_STALE && entry->is_answered &&
           entry->answer_changes == entry->changes;
}

static int get_locked(struct catalog *catalog, struct entry *entry, enum resolve_how how,
                      struct catalog_answer *ret_answer, struct error *err)
    REQUIRES(catalog->lock)
{
    if (how == RESOLVE_FETCH)
        fetch_locked(catalog, entry);
    else if (!is_usable(catalog, entry, how))
        return fail_unknown(entry->kind, entry->key, err);
    if (entry->is_answered && left_ms(catalog, entry) == 0 && is_down(catalog, entry) &&
        may_ask(catalog, entry))
        try_locked(catalog, entry);
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
    entry = how == RESOLVE_FETCH ? entries_make(&catalog->entries, repository, kind, key)
                                 : entries_find(&catalog->entries, repository, kind, key);
    if (entry) {
        entry->users++;
        rc = get_locked(catalog, entry, how, ret_answer, err);
        entry->users--;
        entries_settle(&catalog->entries, entry);
    } else {
        rc = fail_unknown(kind, key, err);
    }
    news = news_locked(catalog, repository, &then);
    lock_release(&catalog->lock);
    tell(catalog, repository, news, &then);
    return rc;
}

void catalog_note(struct catalog *catalog, unsigned repository,
                  const struct catalog_kind *kind, const char *key,
                  struct listing *take_listing)
{
    struct entry *entry;

    lock_acquire(&catalog->lock);
    entry = entries_make(&catalog->entries, repository, kind, key);
    entry->asked_changes = entry->changes;
    note_answer(catalog, entry, take_listing);
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

static int enter_locked(struct catalog *catalog, struct health *health,
                        int64_t *ret_begun_ms, struct error *err) REQUIRES(catalog->lock)
{
    if (!health_may_ask(health, now_ms(catalog),
                        catalog->options.ttl_ms[CATALOG_TTL_NEGATIVE]))
        return health_fail(health, err);
    if (wait_for_room_locked(catalog, health) < 0)
        return fail(err, ETIMEDOUT, "the repository is busy and does not answer");
    *ret_begun_ms = now_ms(catalog);
    health_begin(health, *ret_begun_ms);
    return 0;
}

int catalog_enter(struct catalog *catalog, unsigned repository, int64_t *ret_begun_ms,
                  struct error *err)
{
    int rc;

    lock_acquire(&catalog->lock);
    rc = enter_locked(catalog, &catalog->repositories[repository].health, ret_begun_ms,
                      err);
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
    health_end(health, begun_ms, now_ms(catalog), rc, err);
    condition_broadcast(&catalog->ended);
    news = news_locked(catalog, repository, &then);
    lock_release(&catalog->lock);
    tell(catalog, repository, news, &then);
}

void catalog_state(struct catalog *catalog, unsigned repository,
                   struct catalog_state *ret_state)
{
    const struct health *health = &catalog->repositories[repository].health;
    int64_t now = now_ms(catalog);
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
    };
    memcpy(ret_state->message, health->message, sizeof ret_state->message);
    lock_release(&catalog->lock);
}

size_t catalog_memory(struct catalog *catalog)
{
    lock_acquire(&catalog->lock);
    size_t memory = catalog->entries.memory;

    lock_release(&catalog->lock);
    return memory;
}
