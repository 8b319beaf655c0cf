/* claim_exclusive.c: one document for all, in stores with conditional writes. */
#include "common/fault.h"
#include "publish/claim_way.h"
#include "publish/guarded.h"

#include <errno.h>
#include <string.h>

enum { CONFIRM_TRIES = 2 };

typedef int replace_document(struct backend *backend, const char *path,
                             const struct backend_content *content, const char *tag,
                             struct error *err);

static int create(struct backend *backend, const char *path,
                  const struct backend_content *content, const char *tag,
                  struct error *err)
{
    (void)tag; /* nothing is there */
    return backend_put(backend, path, content, BACKEND_PUT_IF_ABSENT, err);
}

/* Write our document: as a new one, or in place of the version tag. */
static int write_claim(struct claim *claim, replace_document *write, const char *tag,
                       struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    struct backend_content content;
    int rc;

    claim->written_ms = clock_now_ms();
    bytes_init(&text, CLAIM_BYTES_MAX);
    rc = claim_document_print(&claim->document, &text, err);
    if (rc < 0)
        return rc;
    content = (struct backend_content){.data = text.data, .size = text.size};
    return write(claim->backend, claim->path, &content, tag, err);
}

/* 0 if the store has it as ours; which version that is, in *ret_seen. */
static int read_own(const struct claim *claim, struct claim_document *ret_seen,
                    struct error *err)
{
    int rc = claim_document_read(claim->backend, claim->path, ret_seen, err);

    if (rc == -ENOENT)
        return claim_way_fail_lost(claim, "", err);
    if (rc < 0)
        return rc;
    return claim_way_is_mine(claim, ret_seen)
               ? 0
               : claim_way_fail_lost(claim, ret_seen->owner, err);
}

static int check(const struct claim *claim, struct error *err)
{
    struct claim_document ignored; /* any version of ours will do */

    return read_own(claim, &ignored, err);
}

/* After a write whose outcome is not sure: is the claim ours, and which version? */
static int confirm(struct claim *claim, struct error *err)
{
    struct claim_document seen;
    int rc = read_own(claim, &seen, err);

    if (rc == 0)
        memcpy(claim->tag, seen.stat.tag, sizeof claim->tag);
    return rc;
}

/* A claim that was taken over meanwhile is not overwritten. Some stores create on a
 * condition, but replace without: there a look before the write has to do. */
static int renew(struct claim *claim, int64_t age_ms, struct error *err)
{
    int rc = write_claim(claim, guarded_replace, claim->tag, err);

    (void)age_ms;
    return rc == 0 || rc == -ESTALE || rc == -ENOENT ? confirm(claim, err) : rc;
}

/* Nobody renews the claim of version tag any more: ours in its place. 1: try to make
 * ours, which also shows what a store that replaces without a condition is good for. */
static int take_over(struct claim *claim, const char *tag, struct error *err)
{
    int rc = write_claim(claim, backend_replace, tag, err);

    if (rc == -ENOTSUP) { /* it may have been written all the same */
        rc = backend_remove(claim->backend, claim->path, err);
        return rc == 0 || rc == -ENOENT ? 1 : rc;
    }
    return rc == -ESTALE ? 1 : rc;
}

/* One look at another's claim. 1: try to make ours; 0: it is ours; -EAGAIN: wait. */
static int look(struct claim *claim, struct claim_watch *watch, struct error *err)
{
    struct claim_document seen;
    enum claim_verdict verdict;
    int64_t now_s;
    int rc = claim_document_read(claim->backend, claim->path, &seen, err);

    if (rc == -ENOENT)
        return 1;
    if (rc == 0 && claim_way_is_mine(claim, &seen))
        return 0;
    if (rc == 0)
        rc = backend_now(claim->backend, &now_s, err);
    if (rc < 0)
        return rc;
    verdict = claim_way_judge(watch, &seen, now_s);
    if (verdict == CLAIM_WAIT)
        return -EAGAIN;
    if (verdict == CLAIM_BUSY)
        return claim_way_fail_busy(claim, seen.owner, err);
    FAULT("claim.before-takeover");
    return take_over(claim, seen.stat.tag, err);
}

static int try_to_take(struct claim *claim, const struct claim_options *options,
                       struct error *err)
{
    struct claim_watch watch = {.since_ms = 0};

    for (int tries = 0; tries < CLAIM_TRIES; tries++) {
        int rc = write_claim(claim, create, NULL, err);

        if (rc != -EEXIST)
            return rc;
        while ((rc = look(claim, &watch, err)) == -EAGAIN) {
            rc = claim_way_wait(options, &watch, err);
            if (rc < 0)
                return rc;
        }
        if (rc <= 0)
            return rc;
    }
    return fail(err, EEXIST, "many publish model %s at once; try again", claim->uid);
}

/* What fails may have been done all the same, if only the reply was lost. */
static int take(struct claim *claim, const struct claim_options *options,
                struct error *err)
{
    struct error unsure = {0};
    int rc = repo_path_claim(claim->id, claim->version, claim->path, err);
    int confirmed;

    if (rc < 0)
        return rc;
    rc = confirmed = try_to_take(claim, options, err);
    for (int try = 0; try < CONFIRM_TRIES && rc != -EEXIST && rc != -ENOTSUP; try++) {
        confirmed = confirm(claim, &unsure);
        if (confirmed == 0)
            return 0;
    }
    if (rc == 0)
        *err = unsure;
    return rc < 0 ? rc : confirmed;
}

static void give_back(struct claim *claim)
{
    struct error ignored; /* then it expires */

    (void)backend_replace(claim->backend, claim->path, NULL, claim->tag, &ignored);
}

const struct claim_way claim_exclusive = {
    .take = take,
    .check = check,
    .renew = renew,
    .give_back = give_back,
};
