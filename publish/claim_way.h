/* claim_way.h: the two ways to hold a claim, and what they share. For claim*.c alone.
 *
 * In a store with conditional writes all want one document, which one gets
 * (claim_exclusive.c). Elsewhere each puts a document of its own, and the oldest counts
 * (claim_listed.c). */
#ifndef PUBLISH_CLAIM_WAY_H
#define PUBLISH_CLAIM_WAY_H

#include "common/sync.h"
#include "publish/claim.h"
#include "publish/claim_document.h"
#include "resolver/repo_path.h"
#include "resolver/uid.h"

#include <stdbool.h>

enum { CLAIM_TRIES = 20 }; /* to get hold of a claim that changes hands */

struct claim {
    const struct claim_way *way; /* constant after open, as all without a word */
    struct backend *backend;
    char id[MODEL_ID_SIZE];
    char version[VERSION_SIZE];
    char uid[MODEL_ID_SIZE + VERSION_SIZE];
    char path[REPO_PATH_SIZE]; /* where our document lies */
    struct claim_document document;
    int64_t lifetime_ms;
    char tag[BACKEND_TAG_MAX]; /* of the thread that renews, until it is joined */
    int64_t written_ms;        /* of take: when the write began that made it ours */
    pthread_t thread;
    struct lock lock;
    struct condition changed;
    bool is_ending;       /* guarded by lock */
    bool is_lost;         /* guarded by lock */
    int64_t confirmed_ms; /* guarded by lock; when the store last had it as ours */
};

struct claim_way {
    /* As claim_take; on failure nothing of ours is left, or it expires. -ENOTSUP: not in
     * this store. */
    int (*take)(struct claim *claim, const struct claim_options *options,
                struct error *err);
    /* Is it ours in the store? -EEXIST: not any more. */
    int (*check)(const struct claim *claim, struct error *err);
    /* 0; -EEXIST when it is lost; else why the store did not answer. age_ms: since it was
     * last confirmed. */
    int (*renew)(struct claim *claim, int64_t age_ms, struct error *err);
    void (*give_back)(struct claim *claim);
};

extern const struct claim_way claim_exclusive;
extern const struct claim_way claim_listed;

/* As claim_is_left, where each has a document of its own. */
bool claim_listed_is_left(struct backend *backend, const char *id, const char *version);

/* Nobody renews it any more: it expired by now_s of the store, or its process ended. */
bool claim_way_is_over(const struct claim_document *document, int64_t now_s);

/* What to do about another's claim. */
enum claim_verdict {
    CLAIM_WAIT,
    CLAIM_TAKE,
    CLAIM_BUSY,
};

/* What is known of a claim that we wait for. */
struct claim_watch {
    struct claim_document document;
    int64_t since_ms; /* when it was first seen; 0: there is none */
    bool is_told;     /* that somebody is waited for */
};

/* document: the other's, as it is now; watch is brought up to date. TAKE: nobody renews
 * it; BUSY: somebody does; WAIT: look again. now_s: the store's clock. */
enum claim_verdict claim_way_judge(struct claim_watch *watch,
                                   const struct claim_document *document, int64_t now_s);

/* Wait before the next look, if the claim is still wanted; the first time it is said for
 * whom. */
int claim_way_wait(const struct claim_options *options, struct claim_watch *watch,
                   struct error *err);

/* Did this very claim write the document? */
bool claim_way_is_mine(const struct claim *claim, const struct claim_document *document);
/* The sentences for a claim that was lost to owner, and for one that owner holds; "" if
 * nobody knows whose. -EEXIST. */
int claim_way_fail_lost(const struct claim *claim, const char *owner, struct error *err);
int claim_way_fail_busy(const struct claim *claim, const char *owner, struct error *err);

#endif
