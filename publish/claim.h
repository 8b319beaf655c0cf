/* claim.h: who publishes a version now: a document beside its header that one holds.
 *
 *     rc = claim_take(backend, id, version, &(struct claim_options){0}, &claim, &err);
 *     ... write archive and metadata ...
 *     rc = claim_check(claim, &err);
 *     ... write the header ...
 *     claim_release(claim);
 *
 * A thread renews the claim while it is held. It expires when it was not renewed for its
 * lifetime by the clock of the store, which dates the document: clocks of machines do not
 * matter. An expired claim, and that of a process of this machine which has ended, is
 * taken over by a conditional overwrite, so that one of several gets it.
 *
 * In a store without conditional writes each publisher puts a claim of its own name and
 * lists them: the oldest holds. Taking one needs 2 s more there. */
#ifndef PUBLISH_CLAIM_H
#define PUBLISH_CLAIM_H

#include "backends/backend.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct claim;

struct claim_options {
    int64_t lifetime_ms; /* 0: 60 s, whole seconds; renewed six times in it */
    int64_t poll_ms;     /* how often to look at the claim of another; 0: 250 ms */
    /* Runs before each look at another's claim; -errno ends the wait for it: the model
     * exists by now. May be NULL. */
    int (*is_wanted)(void *arg, struct error *err);
    /* Runs once when another's claim is waited for that nobody seems to renew; owner as
     * in process.h, or "somebody". May be NULL. */
    void (*waits)(void *arg, const char *owner, int64_t at_most_s);
    void *arg; /* stays the caller's */
};

/* Blocks: a claim that nobody renews is waited for until it expires. -EEXIST: another
 * publisher is at work, or what is_wanted said. claim_release the result. */
int claim_take(struct backend *backend, const char *id, const char *version,
               const struct claim_options *options, struct claim **ret_claim,
               struct error *err);

/* Is it still ours? Asks the store. -EEXIST: another has taken it over. */
int claim_check(struct claim *claim, struct error *err);

/* Remove the claim if it is ours. What cannot be removed expires. Accepts NULL. */
void claim_release(struct claim *claim);
#define CLEANUP_CLAIM CLEANUP_WITH(claim_cleanup)
static inline void claim_cleanup(struct claim **claim)
{
    claim_release(*claim);
}

/* Is there a claim that nobody holds any more: a publisher died before it was done? False
 * when that is not certain. claim_take would take it over at once. */
bool claim_is_left(struct backend *backend, const char *id, const char *version);

#endif
