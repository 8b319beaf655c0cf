/* catalog_ask.h: the catalog as its own files see it; nobody else includes it. Here is
 * what asks: repositories, and the disk for what they said before.
 *
 * Functions want catalog->lock, but for catalog_ask_tell. Those ending in _locked release
 * it for a while where they say so. */
#ifndef RESOLVER_CATALOG_ASK_H
#define RESOLVER_CATALOG_ASK_H

#include "common/sync.h"
#include "common/workers.h"
#include "resolver/catalog.h"
#include "resolver/entries.h"
#include "resolver/health.h"
#include "resolver/known.h"

struct repository {
    struct backend *backend; /* constant after open; NULL: this machine */
    const char *name;        /* constant after open */
    struct health health;    /* guarded by lock */
    unsigned queued;         /* requests that wait for a thread; guarded by lock */
    bool has_recalled;       /* an answer from before; guarded by lock */
};

struct catalog {
    struct catalog_options options; /* constant after open */
    struct workers *attempts;       /* ask repositories; constant after open */
    struct lock lock;
    struct condition ended;           /* a request ended */
    struct entries entries;           /* guarded by lock, as each entry */
    struct repository repositories[]; /* guarded by lock */
};

int64_t catalog_ask_now_ms(const struct catalog *catalog);
struct health *catalog_ask_health(struct catalog *catalog, const struct entry *entry);

/* Of the entry's repository: health.h. */
bool catalog_ask_is_down(struct catalog *catalog, const struct entry *entry);
bool catalog_ask_may(struct catalog *catalog, const struct entry *entry);

/* How long the answer stays fresh; 0: it is stale or there is none. */
int64_t catalog_ask_left_ms(const struct catalog *catalog, const struct entry *entry);

/* Within the negative TTL: then nobody asks again. */
bool catalog_ask_failed_of_late(const struct catalog *catalog, const struct entry *entry);

/* Are answers of its kind kept on disk? */
bool catalog_ask_is_saved(const struct catalog *catalog, const struct entry *entry);

/* An answer came that is as new as the entry's last request. */
void catalog_ask_note(struct catalog *catalog, struct entry *entry,
                      struct listing *take_listing);

/* Bring a fresh answer about, or leave what there is. Has a thread ask, or waits for one
 * that does. */
void catalog_ask_fetch_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock);

/* Without an answer: was there one before this process? Looks on disk. */
void catalog_ask_recall_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock);

/* Have a thread ask. Never waits. -EAGAIN when too many wait to. */
int catalog_ask_behind_locked(struct catalog *catalog, struct entry *entry)
    REQUIRES(catalog->lock);

/* Until the repository has room for one request more. -ETIMEDOUT. */
int catalog_ask_wait_for_room_locked(struct catalog *catalog,
                                     const struct repository *repository)
    REQUIRES(catalog->lock);

/* What is to be logged of a repository, with the lock released: then is a copy. */
enum health_news catalog_ask_news_locked(struct catalog *catalog, unsigned repository,
                                         struct health *ret_then) REQUIRES(catalog->lock);
void catalog_ask_tell(const struct catalog *catalog, unsigned repository,
                      enum health_news news, const struct health *then);

#endif
