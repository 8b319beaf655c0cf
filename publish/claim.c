/* claim.c: takes, renews and gives back the right to publish a version. */
#include "publish/claim.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/text.h"
#include "common/yaml.h"
#include "publish/process.h"
#include "resolver/repo_path.h"
#include "resolver/uid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    CLAIM_BYTES_MAX = 4096,
    NONCE_BYTES = 16,
    LIFETIME_MS = 60 * 1000,
    LIFETIME_S_MAX = 300, /* of another's claim, whatever it says */
    POLL_MS = 250,
    RENEWALS = 6, /* in a lifetime */
    CONFIRM_TRIES = 2,
    TRIES = 20, /* to get hold of a claim that changes hands */
};

struct claim {
    struct backend *backend; /* constant after open */
    char path[REPO_PATH_SIZE];
    char uid[MODEL_ID_SIZE + VERSION_SIZE];
    char nonce[2 * NONCE_BYTES + 1];
    char process[PROCESS_NAME_SIZE];
    char owner[PROCESS_OWNER_SIZE];
    int64_t lifetime_ms;
    char tag[BACKEND_TAG_MAX]; /* of the thread that renews, until it is joined */
    pthread_t thread;
    struct lock lock;
    struct condition changed;
    bool is_ending;       /* guarded by lock */
    bool is_lost;         /* guarded by lock */
    int64_t confirmed_ms; /* guarded by lock; when the store last had it as ours */
};

/* Somebody's claim as the store has it. */
struct seen {
    struct backend_stat stat;
    char nonce[2 * NONCE_BYTES + 1]; /* "" in a damaged document */
    char process[PROCESS_NAME_SIZE];
    char owner[PROCESS_OWNER_SIZE];
    int64_t lifetime_s;
};

static void copy_field(const struct yaml_node *root, const char *key, char *to,
                       size_t size)
{
    const char *text = NULL;
    const struct yaml_node *node = yaml_get(root, key);

    if (node)
        text = yaml_text(node);
    snprintf(to, size, "%s", text ? text : "");
}

/* A document that makes no sense expires as any other. */
static void parse_claim(const struct bytes *text, struct seen *seen)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    const struct yaml_node *root, *lifetime;
    struct error ignored; /* see above */
    uint64_t seconds = 0;

    seen->lifetime_s = LIFETIME_MS / 1000;
    if (yaml_parse(text->data, text->size, &yaml, &ignored) < 0)
        return;
    root = yaml_root(yaml);
    copy_field(root, "nonce", seen->nonce, sizeof seen->nonce);
    copy_field(root, "process", seen->process, sizeof seen->process);
    copy_field(root, "owner", seen->owner, sizeof seen->owner);
    lifetime = yaml_get(root, "lifetime");
    if (lifetime && lifetime->kind == YAML_INT &&
        text_to_u64(lifetime->text.data, &seconds, &ignored) == 0 && seconds > 0)
        seen->lifetime_s =
            seconds < LIFETIME_S_MAX ? (int64_t)seconds : (int64_t)LIFETIME_S_MAX;
}

static int read_claim(struct backend *backend, const char *path, struct seen *ret_seen,
                      struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, CLAIM_BYTES_MAX);
    *ret_seen = (struct seen){0};
    rc = backend_get_version(backend, path, &text, &ret_seen->stat, err);
    if (rc == -EFBIG) /* none of ours; it has to be taken over all the same */
        rc = backend_stat(backend, path, &ret_seen->stat, err);
    if (rc == 0)
        parse_claim(&text, ret_seen);
    return rc;
}

/* The document, anew each time: stores may tell versions apart by content. */
static int print_claim(const struct claim *claim, struct bytes *text, struct error *err)
{
    time_t expires = time(NULL) + claim->lifetime_ms / 1000;
    struct tm utc;
    char date[32];
    uint64_t serial;

    if (getrandom(&serial, sizeof serial, 0) != sizeof serial)
        return fail_errno(err, "get a random number");
    gmtime_r(&expires, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc);
    return bytes_printf(text, err,
                        "owner: '%s'\nprocess: '%s'\nnonce: '%s'\nlifetime: %lld\n"
                        "expires: %s\nserial: '%016llx'\n",
                        claim->owner, claim->process, claim->nonce,
                        (long long)(claim->lifetime_ms / 1000), date,
                        (unsigned long long)serial);
}

/* Write our document: as a new one, or in place of the version tag. */
static int write_claim(const struct claim *claim, const char *tag, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    struct backend_content content;
    int rc;

    bytes_init(&text, CLAIM_BYTES_MAX);
    rc = print_claim(claim, &text, err);
    if (rc < 0)
        return rc;
    content = (struct backend_content){.data = text.data, .size = text.size};
    return tag ? backend_replace(claim->backend, claim->path, &content, tag, err)
               : backend_put(claim->backend, claim->path, &content, BACKEND_PUT_IF_ABSENT,
                             err);
}

static bool is_mine(const struct claim *claim, const struct seen *seen)
{
    return strcmp(seen->nonce, claim->nonce) == 0;
}

static int fail_lost(const struct claim *claim, const char *owner, struct error *err)
{
    return fail(err, EEXIST, "another publisher took model %s over meanwhile%s%s",
                claim->uid, *owner ? ": " : "", owner);
}

/* After a write whose outcome is not sure: is the claim ours, and which version? */
static int confirm(struct claim *claim, struct error *err)
{
    struct seen seen;
    int rc = read_claim(claim->backend, claim->path, &seen, err);

    if (rc == -ENOENT)
        return fail_lost(claim, "", err);
    if (rc < 0)
        return rc;
    if (!is_mine(claim, &seen))
        return fail_lost(claim, seen.owner, err);
    memcpy(claim->tag, seen.stat.tag, sizeof claim->tag);
    return 0;
}

/* 0; -EEXIST when it is lost; else why the store did not answer. */
static int renew(struct claim *claim, struct error *err)
{
    int rc = write_claim(claim, claim->tag, err);

    return rc == 0 || rc == -ESTALE || rc == -ENOENT ? confirm(claim, err) : rc;
}

static void note_renewal(struct claim *claim, int rc, int64_t began_ms)
{
    lock_acquire(&claim->lock);
    if (rc == 0)
        claim->confirmed_ms = began_ms;
    if (rc == -EEXIST)
        claim->is_lost = true;
    lock_release(&claim->lock);
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

        note_renewal(claim, renew(claim, &ignored), began_ms);
    }
    return NULL;
}

/* What to do about another's claim. */
enum verdict {
    VERDICT_WAIT,
    VERDICT_TAKE,
    VERDICT_BUSY,
};

/* What is known of a claim that we wait for. */
struct watch {
    struct seen seen;
    int64_t since_ms; /* when it was first seen; 0: there is none */
};

static int judge(const struct claim *claim, struct watch *watch, const struct seen *seen,
                 enum verdict *ret_verdict, struct error *err)
{
    int64_t now_ms = clock_now_ms(), now_s;
    int rc = backend_now(claim->backend, &now_s, err);

    if (rc < 0)
        return rc;
    if (watch->since_ms == 0 || strcmp(watch->seen.nonce, seen->nonce) != 0)
        *watch = (struct watch){.seen = *seen, .since_ms = now_ms};
    *ret_verdict = VERDICT_WAIT;
    if (process_is_dead(seen->process) || now_s - seen->stat.mtime_s > seen->lifetime_s)
        *ret_verdict = VERDICT_TAKE;
    else if (process_is_alive(seen->process) ||
             strcmp(watch->seen.stat.tag, seen->stat.tag) != 0) /* it was renewed */
        *ret_verdict = VERDICT_BUSY;
    else if (now_ms - watch->since_ms > seen->lifetime_s * 1000)
        *ret_verdict = VERDICT_TAKE; /* whatever the clocks say */
    return 0;
}

/* One look at another's claim. 1: try to make ours; 0: it is ours; -EAGAIN: wait. */
static int look(struct claim *claim, struct watch *watch, struct error *err)
{
    enum verdict verdict = VERDICT_WAIT;
    struct seen seen;
    int rc = read_claim(claim->backend, claim->path, &seen, err);

    if (rc == -ENOENT)
        return 1;
    if (rc == 0 && is_mine(claim, &seen))
        return 0;
    if (rc == 0)
        rc = judge(claim, watch, &seen, &verdict, err);
    if (rc < 0)
        return rc;
    if (verdict == VERDICT_WAIT)
        return -EAGAIN;
    if (verdict == VERDICT_BUSY)
        return fail(err, EEXIST, "model %s is being published by %s", claim->uid,
                    *seen.owner ? seen.owner : "somebody");
    FAULT("claim.before-takeover");
    rc = write_claim(claim, seen.stat.tag, err);
    return rc == -ESTALE ? 1 : rc;
}

/* Say who is waited for, the first time. */
static void tell_wait(const struct claim_options *options, const struct watch *watch,
                      bool *is_told)
{
    const struct seen *seen = &watch->seen;

    if (options->waits && !*is_told)
        options->waits(options->arg, *seen->owner ? seen->owner : "somebody",
                       seen->lifetime_s);
    *is_told = true;
}

static int take(struct claim *claim, const struct claim_options *options,
                struct error *err)
{
    int64_t poll_ms = options->poll_ms ? options->poll_ms : POLL_MS;
    struct watch watch = {.since_ms = 0};
    bool is_told = false;

    for (int tries = 0; tries < TRIES;) {
        int rc = write_claim(claim, NULL, err);

        if (rc != -EEXIST)
            return rc;
        while ((rc = look(claim, &watch, err)) == -EAGAIN) {
            rc = options->is_wanted ? options->is_wanted(options->arg, err) : 0;
            if (rc < 0)
                return rc;
            tell_wait(options, &watch, &is_told);
            clock_sleep_ms(poll_ms);
        }
        if (rc <= 0)
            return rc;
        tries++;
    }
    return fail(err, EEXIST, "many publish model %s at once; try again", claim->uid);
}

static void give_back(struct claim *claim)
{
    struct error ignored; /* then it expires */

    (void)backend_replace(claim->backend, claim->path, NULL, claim->tag, &ignored);
}

/* What fails may have been done all the same, if only the reply was lost. */
static int take_surely(struct claim *claim, const struct claim_options *options,
                       struct error *err)
{
    struct error unsure = {0};
    int rc = take(claim, options, err);
    int confirmed = rc;

    for (int try = 0; try < CONFIRM_TRIES && rc != -EEXIST; try++) {
        confirmed = confirm(claim, &unsure);
        if (confirmed == 0)
            return 0;
    }
    if (rc == 0)
        *err = unsure;
    return rc < 0 ? rc : confirmed;
}

static int start(struct claim *claim, int64_t began_ms, struct error *err)
{
    note_renewal(claim, 0, began_ms);
    if (thread_start(&claim->thread, "claim", keep_renewing, claim) == 0)
        return 0;
    give_back(claim);
    return fail(err, EAGAIN, "no thread for the claim on model %s", claim->uid);
}

static int make_nonce(char nonce[2 * NONCE_BYTES + 1], struct error *err)
{
    unsigned char random[NONCE_BYTES];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        return fail_errno(err, "get a random number");
    text_from_hex(random, sizeof random, nonce);
    return 0;
}

static void claim_free(struct claim *claim)
{
    condition_done(&claim->changed);
    lock_done(&claim->lock);
    free(claim);
}

int claim_take(struct backend *backend, const char *id, const char *version,
               const struct claim_options *options, struct claim **ret_claim,
               struct error *err)
{
    struct claim *claim = XNEW(struct claim);
    int64_t began_ms = clock_now_ms();
    int rc;

    lock_init(&claim->lock);
    condition_init(&claim->changed);
    claim->backend = backend;
    claim->lifetime_ms = options->lifetime_ms ? options->lifetime_ms : LIFETIME_MS;
    snprintf(claim->uid, sizeof claim->uid, "%s-%s", id, version);
    process_name(claim->process);
    process_owner(claim->owner);
    rc = repo_path_claim(id, version, claim->path, err);
    if (rc == 0)
        rc = make_nonce(claim->nonce, err);
    if (rc == 0)
        rc = take_surely(claim, options, err);
    if (rc == 0)
        rc = start(claim, began_ms, err);
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
    struct seen seen;
    bool is_old;
    int rc = read_claim(claim->backend, claim->path, &seen, err);

    if (rc == -ENOENT)
        return fail_lost(claim, "", err);
    if (rc < 0)
        return rc;
    if (!is_mine(claim, &seen))
        return fail_lost(claim, seen.owner, err);
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
        give_back(claim);
    claim_free(claim);
}

bool claim_is_left(struct backend *backend, const char *id, const char *version)
{
    struct error unknown = {0}; /* see claim.h */
    char path[REPO_PATH_SIZE];
    struct seen seen;
    int64_t now_s;

    return repo_path_claim(id, version, path, &unknown) == 0 &&
           read_claim(backend, path, &seen, &unknown) == 0 &&
           backend_now(backend, &now_s, &unknown) == 0 &&
           (process_is_dead(seen.process) || now_s - seen.stat.mtime_s > seen.lifetime_s);
}
