/* claim_listed.c: a document for each publisher, in stores without conditional writes.
 * The oldest by the store's clock holds the claim, of the same second the first by name.
 *
 * Who puts a document waits until the store dates others later, and what was put at the
 * same moment shows; only then it looks whether it is the oldest. So of any two that put
 * one the later one sees the other. Renewing writes the document anew with the second in
 * which it was first put. Who did not get to renew in time gives up, since others count
 * it out by then; the holder removes what they left. */
#include "common/memory.h"
#include "publish/claim_way.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    SETTLE_S = 2, /* by the store's clock, which counts whole seconds */
    SETTLE_POLL_MS = 500,
    LIFETIME_S_MIN = 5 * SETTLE_S,
    RIVALS_MAX = 256,
};

struct rival {
    char path[REPO_PATH_SIZE];
    struct claim_document document;
};

struct rivals {
    struct backend *backend;
    char folder[REPO_PATH_SIZE];
    char prefix[REPO_PATH_SIZE]; /* of their names */
    struct rival *items;
    size_t count;
    int64_t now_s; /* of the store, after they were read */
};

static void rivals_done(struct rivals *rivals)
{
    free(rivals->items);
}
#define CLEANUP_RIVALS CLEANUP_WITH(rivals_done)

static int note_name(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct rivals *rivals = arg;
    struct rival *rival = &rivals->items[rivals->count];
    int size;

    if (entry->is_folder ||
        strncmp(entry->name, rivals->prefix, strlen(rivals->prefix)) != 0)
        return 0;
    if (rivals->count == RIVALS_MAX)
        return fail(err, EEXIST, "more than %d claims lie in '%s'; try again later",
                    RIVALS_MAX, rivals->folder);
    size =
        snprintf(rival->path, sizeof rival->path, "%s/%s", rivals->folder, entry->name);
    if (size > 0 && (size_t)size < sizeof rival->path)
        rivals->count++;
    return 0;
}

/* All names that claims of this version can have begin so. */
static int name_rivals(struct rivals *rivals, const char *id, const char *version,
                       struct error *err)
{
    int rc = repo_path_own_claim(id, version, "", rivals->folder, err);
    char *slash, *end;

    if (rc < 0)
        return rc;
    slash = strrchr(rivals->folder, '/');
    end = strrchr(slash, '.');
    snprintf(rivals->prefix, sizeof rivals->prefix, "%.*s", (int)(end - slash - 1),
             slash + 1);
    *slash = '\0';
    return 0;
}

/* Read those that were listed; some may be gone by now. */
static int read_rivals(struct rivals *rivals, struct error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < rivals->count; i++) {
        struct rival *rival = &rivals->items[i];
        struct error reason = {0};
        int rc =
            claim_document_read(rivals->backend, rival->path, &rival->document, &reason);

        if (rc == -ENOENT)
            continue;
        if (rc < 0) {
            *err = reason;
            return rc;
        }
        if (kept != i)
            rivals->items[kept] = *rival;
        kept++;
    }
    rivals->count = kept;
    return backend_now(rivals->backend, &rivals->now_s, err);
}

static int list_rivals(struct backend *backend, const char *id, const char *version,
                       struct rivals *ret_rivals, struct error *err)
{
    struct error reason = {0};
    int rc;

    ret_rivals->backend = backend;
    ret_rivals->items = xcalloc(RIVALS_MAX + 1, sizeof *ret_rivals->items);
    rc = name_rivals(ret_rivals, id, version, &reason);
    if (rc == 0)
        rc = backend_list(backend, ret_rivals->folder, note_name, ret_rivals, &reason);
    if (rc < 0 && rc != -ENOENT) {
        *err = reason;
        return rc;
    }
    return read_rivals(ret_rivals, err);
}

/* A renewed document is younger than its claim. */
static int64_t since(const struct claim_document *document)
{
    return document->since_s && document->since_s < document->stat.mtime_s
               ? document->since_s
               : document->stat.mtime_s;
}

static bool is_before(const struct rival *rival, int64_t since_s, const char *path)
{
    int64_t its_s = since(&rival->document);

    return its_s != since_s ? its_s < since_s : strcmp(rival->path, path) < 0;
}

/* The oldest claim of another that somebody renews; NULL if there is none. placed: only
 * those before ours count. */
static const struct rival *find_oldest(const struct claim *claim, bool is_placed,
                                       const struct rivals *rivals)
{
    const struct rival *oldest = NULL;

    for (size_t i = 0; i < rivals->count; i++) {
        const struct rival *rival = &rivals->items[i];

        if (claim_way_is_mine(claim, &rival->document) ||
            claim_way_is_over(&rival->document, rivals->now_s))
            continue;
        if (is_placed && !is_before(rival, claim->document.since_s, claim->path))
            continue;
        if (!oldest || is_before(rival, since(&oldest->document), oldest->path))
            oldest = rival;
    }
    return oldest;
}

/* Is our document the one that we saw placed? A put that was sent twice, since the reply
 * to the first was lost, may have been carried out again later. */
static bool is_in_place(const struct claim *claim, const struct rivals *rivals)
{
    for (size_t i = 0; i < rivals->count; i++)
        if (claim_way_is_mine(claim, &rivals->items[i].document))
            return since(&rivals->items[i].document) == claim->document.since_s;
    return false;
}

/* Does another stand before us? 0: no; -EAGAIN: yes, wait; -EEXIST: it is at work. */
static int look(const struct claim *claim, bool is_placed, struct claim_watch *watch,
                struct error *err)
{
    CLEANUP_RIVALS struct rivals rivals = {.count = 0};
    const struct rival *oldest;
    int rc = list_rivals(claim->backend, claim->id, claim->version, &rivals, err);

    if (rc < 0)
        return rc;
    oldest = find_oldest(claim, is_placed, &rivals);
    if (!oldest)
        return is_placed && !is_in_place(claim, &rivals) ? -EAGAIN : 0;
    switch (claim_way_judge(watch, &oldest->document, rivals.now_s)) {
    case CLAIM_BUSY:
        return claim_way_fail_busy(claim, oldest->document.owner, err);
    case CLAIM_TAKE: /* by our clock it was not renewed for its lifetime */
        rc = backend_remove(claim->backend, oldest->path, err);
        return rc < 0 && rc != -ENOENT ? rc : -EAGAIN;
    default:
        return -EAGAIN;
    }
}

static int put_document(struct claim *claim, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    claim->written_ms = clock_now_ms();
    bytes_init(&text, CLAIM_BYTES_MAX);
    rc = claim_document_print(&claim->document, &text, err);
    return rc < 0 ? rc
                  : backend_put(
                        claim->backend, claim->path,
                        &(struct backend_content){.data = text.data, .size = text.size},
                        0, err);
}

/* Wait until nobody can get a place before ours any more. */
static int settle(const struct claim *claim, const struct claim_options *options,
                  struct error *err)
{
    int64_t now_s = 0;
    int rc = backend_now(claim->backend, &now_s, err);

    while (rc == 0 && now_s < claim->document.since_s + SETTLE_S) {
        clock_sleep_ms(options->poll_ms ? options->poll_ms : SETTLE_POLL_MS);
        rc = backend_now(claim->backend, &now_s, err);
    }
    return rc;
}

/* Put our document and see which place it gets. */
static int take_place(struct claim *claim, const struct claim_options *options,
                      struct error *err)
{
    struct backend_stat stat;
    int rc;

    claim->document.since_s = 0;
    rc = put_document(claim, err);
    if (rc == 0)
        rc = backend_stat(claim->backend, claim->path, &stat, err);
    if (rc < 0)
        return rc;
    claim->document.since_s = stat.mtime_s;
    return settle(claim, options, err);
}

static void remove_own(struct claim *claim)
{
    struct error ignored; /* then it expires */

    (void)backend_remove(claim->backend, claim->path, &ignored);
}

/* What others left when they died; failing that it stays, and counts for nothing. */
static void clean_up(const struct claim *claim)
{
    CLEANUP_RIVALS struct rivals rivals = {.count = 0};
    struct error ignored;

    if (list_rivals(claim->backend, claim->id, claim->version, &rivals, &ignored) < 0)
        return;
    for (size_t i = 0; i < rivals.count; i++)
        if (!claim_way_is_mine(claim, &rivals.items[i].document) &&
            claim_way_is_over(&rivals.items[i].document, rivals.now_s))
            (void)backend_remove(claim->backend, rivals.items[i].path, &ignored);
}

static int wait_for_turn(const struct claim *claim, const struct claim_options *options,
                         struct claim_watch *watch, struct error *err)
{
    for (;;) {
        struct error reason = {0};
        int rc = look(claim, false, watch, &reason);

        if (rc != -EAGAIN) {
            if (rc < 0)
                *err = reason;
            return rc;
        }
        rc = claim_way_wait(options, watch, err);
        if (rc < 0)
            return rc;
    }
}

static int take(struct claim *claim, const struct claim_options *options,
                struct error *err)
{
    struct claim_watch watch = {.since_ms = 0};
    int rc = repo_path_own_claim(claim->id, claim->version, claim->document.nonce,
                                 claim->path, err);

    if (claim->document.lifetime_s < LIFETIME_S_MIN) {
        claim->document.lifetime_s = LIFETIME_S_MIN;
        claim->lifetime_ms = LIFETIME_S_MIN * 1000;
    }
    for (int try = 0; rc == 0 && try < CLAIM_TRIES; try++) {
        rc = wait_for_turn(claim, options, &watch, err);
        if (rc < 0)
            return rc;
        rc = take_place(claim, options, err);
        if (rc == 0)
            rc = look(claim, true, &watch, err);
        if (rc == 0) {
            clean_up(claim);
            return 0;
        }
        remove_own(claim);
        if (rc == -EAGAIN)
            rc = 0;
    }
    return rc < 0 ? rc
                  : fail(err, EEXIST, "many publish model %s at once; try again",
                         claim->uid);
}

static int check(const struct claim *claim, struct error *err)
{
    CLEANUP_RIVALS struct rivals rivals = {.count = 0};
    const struct rival *oldest;
    bool is_there = false;
    int rc = list_rivals(claim->backend, claim->id, claim->version, &rivals, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < rivals.count; i++)
        is_there = is_there || claim_way_is_mine(claim, &rivals.items[i].document);
    oldest = find_oldest(claim, true, &rivals);
    return oldest      ? claim_way_fail_lost(claim, oldest->document.owner, err)
           : !is_there ? claim_way_fail_lost(claim, "", err)
                       : 0;
}

static int renew(struct claim *claim, int64_t age_ms, struct error *err)
{
    struct error reason = {0};
    struct backend_stat stat;
    int rc;

    /* Later it may lie beside the claim of one that counted us out, and be older. */
    if (age_ms >= claim->lifetime_ms / 4 * 3)
        return claim_way_fail_lost(claim, "", err);
    rc = backend_stat(claim->backend, claim->path, &stat, &reason);
    if (rc == -ENOENT)
        return claim_way_fail_lost(claim, "", err);
    if (rc < 0)
        *err = reason;
    return rc < 0 ? rc : put_document(claim, err);
}

bool claim_listed_is_left(struct backend *backend, const char *id, const char *version)
{
    CLEANUP_RIVALS struct rivals rivals = {.count = 0};
    struct error unknown; /* see claim.h */

    if (list_rivals(backend, id, version, &rivals, &unknown) < 0)
        return false;
    for (size_t i = 0; i < rivals.count; i++)
        if (!claim_way_is_over(&rivals.items[i].document, rivals.now_s))
            return false;
    return rivals.count > 0;
}

const struct claim_way claim_listed = {
    .take = take,
    .check = check,
    .renew = renew,
    .give_back = remove_own,
};
