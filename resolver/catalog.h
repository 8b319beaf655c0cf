/* catalog.h: what repositories said, kept in memory with its age.
 *
 *     static const struct catalog_kind kind = {"models", CATALOG_TTL_LISTING, ...};
 *     rc = catalog_get(catalog, 0, &kind, "", RESOLVE_FETCH, &answer, &err);
 *     listing_unref(answer.listing);
 *
 * An entry is what one repository answers to one kind of question with one key: a
 * listing, or that there is none. Its rules:
 *
 * - Younger than its TTL it is fresh and nobody is asked.
 * - Requests run on threads of the catalog. Two that ask the same at the same time share
 *   one. Who waits does so until the repository is down: then there is the last answer,
 *   or -ETIMEDOUT, and the request is left to its fate.
 * - A request that fails leaves the last answer standing (left_ms 0), or where there is
 *   none the one that is known from before (known.h). The failure is remembered for the
 *   negative TTL: until then nobody asks again.
 * - A repository that is down (health.h) is asked once each negative TTL, behind the
 *   answer where there is one: the last answer is given at once, however it was asked
 *   for; what is not known fails at once.
 * - What is forgotten is asked anew, by RESOLVE_STALE too; the last answer stands only
 *   when that fails.
 * - Except -EBADMSG: a document that makes no sense is an error, whatever was there.
 * - Entries that were not used for long go when memory_max is reached, kept kinds never.
 *
 * An outage and its end are logged, once each. Thread-safe. The lock is not held while a
 * repository is asked. */
#ifndef RESOLVER_CATALOG_H
#define RESOLVER_CATALOG_H

#include "backends/backend.h"
#include "common/error.h"
#include "resolver/listing.h"
#include "resolver/resolver.h"

#include <stddef.h>
#include <stdint.h>

struct catalog;
struct known;

enum catalog_ttl {
    CATALOG_TTL_ALIAS,
    CATALOG_TTL_LISTING,
    CATALOG_TTL_NEGATIVE, /* of -ENOENT and of failures */
    CATALOG_TTL_COUNT,
};

/* A request under way. */
struct catalog_request {
    struct backend *backend;
    struct catalog *catalog; /* these are the catalog's */
    unsigned repository;
    unsigned parts;
};

/* Ask request->backend. 0 with a listing that the catalog owns then; -ENOENT when the
 * repository does not have it; else a failure. Blocks. Where an answer comes in many
 * parts, catalog_live is called with each. */
typedef int catalog_ask(struct catalog_request *request, const char *key,
                        struct listing **ret_listing, struct error *err);
void catalog_live(struct catalog_request *request);

struct catalog_kind {
    const char *name;
    enum catalog_ttl ttl;
    bool is_kept;
    catalog_ask *ask; /* NULL: never asked, only noted (catalog_note) */
    /* Answers are kept on disk too, below this name, for the time when the repository
     * cannot be asked (known.h); NULL: they are not. */
    const char *saved_as;
    bool saves_none;          /* also that it has none: for those that are asked of all */
    listing_compare *compare; /* their order; NULL: as they came */
    bool (*is_sane)(const struct listing *listing); /* may it be such an answer? */
};

struct catalog_options {
    struct backend *const
        *backends; /* copied; the caller closes them after the catalog */
    size_t backend_count;
    const char *const *names; /* for the log; lent */
    struct known *known;      /* lent; NULL: nothing is kept on disk */
    int64_t ttl_ms[CATALOG_TTL_COUNT];
    int64_t silence_ms;      /* of health.h */
    size_t memory_max;       /* bytes of entries that are not kept; 0: 6 MiB */
    int64_t (*now_ms)(void); /* NULL: clock_now_ms; for tests */
};

int catalog_open(const struct catalog_options *options, struct catalog **ret_catalog,
                 struct error *err);

/* Accepts NULL. Nobody may be inside catalog_get. Waits for requests under way. */
void catalog_close(struct catalog *catalog);

struct catalog_answer {
    struct listing *listing; /* the caller's; NULL with -ENOENT */
    int64_t left_ms;         /* it stays fresh for so long; 0 when stale */
};

/* 0, or -ENOENT when the repository does not have it: *ret_answer is set. -EINPROGRESS
 * when how forbids to ask; -EBADMSG; else why the repository could not be asked. */
int catalog_get(struct catalog *catalog, unsigned repository,
                const struct catalog_kind *kind, const char *key, enum resolve_how how,
                struct catalog_answer *ret_answer, struct error *err);

/* Have a repository asked behind the caller for what will be wanted, unless that is known
 * at any age. Never waits. */
void catalog_prefetch(struct catalog *catalog, unsigned repository,
                      const struct catalog_kind *kind, const char *key);

/* Wait until each repository has answered, failed, or is not asked any more, after it was
 * asked at all. False: not until deadline_ms of clock_now_ms. */
bool catalog_await_answers(struct catalog *catalog, int64_t deadline_ms);

/* Note an answer that another question gave on the way; it is fresh from now on. */
void catalog_note(struct catalog *catalog, unsigned repository,
                  const struct catalog_kind *kind, const char *key,
                  struct listing *take_listing);

/* What was asked with this key, or with any key for NULL, changed in some repository:
 * known answers are stale at once, and a request under way counts as made before. */
void catalog_forget(struct catalog *catalog, const struct catalog_kind *kind,
                    const char *key);

/* A request of the caller's own to a repository: -errno at once while that is down, or
 * when so many are under way already that the threads of others would wait for it too. A
 * request that may be made ends with catalog_leave, which is given what it ended with. */
int catalog_enter(struct catalog *catalog, unsigned repository, int64_t *ret_begun_ms,
                  struct error *err);
void catalog_leave(struct catalog *catalog, unsigned repository, int64_t begun_ms, int rc,
                   const struct error *err);

/* How asking a repository went of late. */
struct catalog_state {
    uint64_t requests, failures;
    int64_t success_age_ms;          /* since the last answer; -1: there was none */
    int64_t failure_age_ms;          /* since the last failure; -1: there was none */
    bool is_failing;                 /* the last request failed, or it is down */
    bool is_down;                    /* it cannot be reached, or is silent */
    bool has_answers;                /* now or from before */
    char message[ERROR_MESSAGE_MAX]; /* of the last failure */
};
void catalog_state(struct catalog *catalog, unsigned repository,
                   struct catalog_state *ret_state);

#endif
