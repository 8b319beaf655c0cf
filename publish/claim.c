/* claim.c: takes, renews and gives back the right to publish a version. */
#include "publish/claim.h"

#include "common/memory.h"
#include "common/random.h"
#include "common/text.h"
#include "publish/claim_way.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    RENEWALS = 6, /* in a lifetime */
};

static void note_renewal(struct claim *claim, int rc, int64_t began_ms)
{
    lock_acquire(&claim->lock);
    if (rc == 0)
        claim->confirmed_ms = began_ms;
    if (rc == -EEXIST)
        claim->is_lost = true;
    lock_release(&claim->lock);
}

static int64_t age_ms(struct claim *claim)
{
    int64_t result;

    lock_acquire(&claim->lock);
    result = clock_now_ms() - claim->confirmed_ms;
    lock_release(&claim->lock);
    return result;
}

/* True: renew now; false: the claim is given back, or lost. */
static bool wait_for_renewal(struct claim *claim, int64_t pause_ms)
{
    int64_t deadline = clock_now_ms() + pause_ms;
    int rc = 0;
    bool goes_on;

    lock_acquire(&claim->lock);
    while (rc == 0 && !claim->is_ending && !claim->is_lost)
        rc = condition_wait_until(&claim->changed, &claim->lock, deadline);
    goes_on = !claim->is_ending && !claim->is_lost;
    lock_release(&claim->lock);
    return goes_on;
}

static void *keep_renewing(void *arg)
{
    struct claim *claim = arg;

    while (wait_for_renewal(claim, claim->lifetime_ms / RENEWALS)) {
        struct error ignored; /* claim_check tells, when it is too late */
        int64_t began_ms = clock_now_ms();

        note_renewal(claim, claim->way->renew(claim, age_ms(claim), &ignored), began_ms);
    }
    return NULL;
}

static int start(struct claim *claim, struct error *err)
{
    note_renewal(claim, 0, claim->written_ms);
    if (thread_start(&claim->thread, "claim", keep_renewing, claim) == 0)
        return 0;
    claim->way->give_back(claim);
    return fail(err, EAGAIN, "no thread for the claim on model %s", claim->uid);
}

static int make_nonce(char nonce[CLAIM_NONCE_SIZE], struct error *err)
{
    unsigned char random[CLAIM_NONCE_BYTES];
    int rc = random_bytes(random, sizeof random, err);

    if (rc == 0)
        text_from_hex(random, sizeof random, nonce);
    return rc;
}

/* By one document for all; by one of our own where the store ignores conditions, which
 * shows when it is asked for that. */
static int take(struct claim *claim, const struct claim_options *options,
                struct error *err)
{
    struct error reason = {0};
    int rc;

    claim->way = &claim_exclusive;
    rc = claim->way->take(claim, options, &reason);
    if (rc == -ENOTSUP) {
        claim->way = &claim_listed;
        return claim->way->take(claim, options, err);
    }
    if (rc < 0)
        *err = reason;
    return rc;
}

static void claim_free(struct claim *claim)
{
    condition_done(&claim->changed);
    lock_done(&claim->lock);
    free(claim);
}

static struct claim *claim_new(struct backend *backend, const char *id,
                               const char *version, const struct claim_options *options)
{
    struct claim *claim = XNEW(struct claim);

    lock_init(&claim->lock);
    condition_init(&claim->changed);
    claim->backend = backend;
    claim->lifetime_ms =
        options->lifetime_ms ? options->lifetime_ms : CLAIM_LIFETIME_S * 1000;
    claim->document.lifetime_s = claim->lifetime_ms / 1000;
    snprintf(claim->id, sizeof claim->id, "%s", id);
    snprintf(claim->version, sizeof claim->version, "%s", version);
    snprintf(claim->uid, sizeof claim->uid, "%s-%s", id, version);
    process_name(claim->document.process);
    process_owner(claim->document.owner);
    return claim;
}

int claim_take(struct backend *backend, const char *id, const char *version,
               const struct claim_options *options, struct claim **ret_claim,
               struct error *err)
{
    struct claim *claim = claim_new(backend, id, version, options);
    int rc = make_nonce(claim->document.nonce, err);

    if (rc == 0)
        rc = take(claim, options, err);
    if (rc == 0)
        rc = start(claim, err);
    if (rc < 0) {
        claim_free(claim);
        return rc;
    }
    *ret_claim = claim;
    return 0;
}

int claim_check(struct claim *claim, struct error *err)
{
    int64_t now_ms = clock_now_ms();
    bool is_old;
    int rc = claim->way->check(claim, err);

    if (rc < 0)
        return rc;
    lock_acquire(&claim->lock);
    is_old = claim->is_lost || now_ms - claim->confirmed_ms >= claim->lifetime_ms;
    lock_release(&claim->lock);
    return is_old ? fail(err, ETIMEDOUT,
                         "the claim on model %s could not be renewed for %lld s: another "
                         "publisher may take it over; try again",
                         claim->uid, (long long)(claim->lifetime_ms / 1000))
                  : 0;
}

void claim_release(struct claim *claim)
{
    if (!claim)
        return;
    lock_acquire(&claim->lock);
    claim->is_ending = true;
    condition_signal(&claim->changed);
    lock_release(&claim->lock);
    pthread_join(claim->thread, NULL);
    if (!claim->is_lost)
        claim->way->give_back(claim);
    claim_free(claim);
}

bool claim_is_left(struct backend *backend, const char *id, const char *version)
{
    struct error unknown = {0}; /* see claim.h */
    struct claim_document seen;
    char path[REPO_PATH_SIZE];
    int64_t now_s;

    if (repo_path_claim(id, version, path, &unknown) < 0)
        return false;
    if (claim_document_read(backend, path, &seen, &unknown) < 0)
        return claim_listed_is_left(backend, id, version);
    return backend_now(backend, &now_s, &unknown) == 0 && claim_way_is_over(&seen, now_s);
}
