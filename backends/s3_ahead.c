/* s3_ahead.c: the pages of several shares of a listing, asked for at once. */
#include "backends/s3_ahead.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct runner {
    struct s3_ahead *ahead;
    const struct s3_share *bounds;
    char token[S3_XML_TOKEN_MAX]; /* that gave its last page */
    struct s3_page page;          /* guarded by ahead->lock, as is_full */
    bool is_full;
    bool is_over;   /* guarded by ahead->lock */
    bool is_astray; /* the store does not begin where it is asked to; the same */
};

struct s3_ahead {
    struct s3_page_ask ask;  /* constant */
    struct workers *workers; /* constant */
    unsigned count;          /* constant */
    struct lock lock;
    struct condition changed; /* of a runner */
    bool is_closing;          /* guarded by lock */
    int rc;                   /* the first failure; guarded by lock */
    struct error failure;     /* guarded by lock */
    struct runner runners[S3_SHARE_MAX];
};

/* What the names say of the share: has it all, and are they its own? */
static void look_at(const struct runner *runner, const struct s3_page *page,
                    bool *is_past, bool *is_astray)
{
    struct s3_xml_entry entry;

    for (size_t at = 0; s3_page_next(page, &at, &entry);) {
        *is_past |= s3_share_is_past(runner->bounds, entry.key);
        *is_astray |= s3_share_is_before(runner->bounds, entry.key);
    }
}

/* Hand a page over, which leaves page another one's memory. true: go on. */
static bool hand_over(struct runner *runner, struct s3_page *page)
{
    struct s3_ahead *ahead = runner->ahead;
    bool is_past = page->token[0] == '\0', is_astray = false, goes_on;
    struct s3_page before;

    look_at(runner, page, &is_past, &is_astray);
    lock_acquire(&ahead->lock);
    while (runner->is_full && !ahead->is_closing && ahead->rc == 0)
        condition_wait(&ahead->changed, &ahead->lock);
    goes_on = !is_past && !is_astray && !ahead->is_closing && ahead->rc == 0;
    if (goes_on)
        memcpy(runner->token, page->token, sizeof runner->token);
    runner->is_astray = is_astray;
    if (!is_astray && !runner->is_full) {
        before = runner->page;
        runner->page = *page;
        *page = before;
        runner->is_full = true;
    }
    condition_broadcast(&ahead->changed);
    lock_release(&ahead->lock);
    return goes_on;
}

static void note_end(struct runner *runner, int rc, const struct error *err)
{
    struct s3_ahead *ahead = runner->ahead;

    lock_acquire(&ahead->lock);
    runner->is_over = true;
    if (rc < 0 && ahead->rc == 0) {
        ahead->rc = rc;
        ahead->failure = *err;
    }
    condition_broadcast(&ahead->changed);
    lock_release(&ahead->lock);
}

static void run(void *arg)
{
    struct runner *runner = arg;
    struct s3_page_ask ask = runner->ahead->ask;
    struct s3_page page;
    struct error err = {0};
    int rc;

    ask.token = runner->token;
    ask.first = runner->bounds->first;
    s3_page_init(&page);
    do
        rc = s3_page_get(&ask, &page, &err);
    while (rc == 0 && hand_over(runner, &page));
    s3_page_done(&page);
    note_end(runner, rc, &err);
}

int s3_ahead_open(const struct s3_page_ask *ask, const struct s3_share *shares,
                  unsigned count, struct s3_ahead **ret_ahead, struct error *err)
{
    struct s3_ahead *ahead = XNEW(struct s3_ahead);
    int rc = workers_open(
        &(struct workers_options){.name = "list", .threads = count, .queue_max = count},
        &ahead->workers, err);

    if (rc < 0) {
        free(ahead);
        return rc;
    }
    ahead->ask = *ask;
    ahead->count = count;
    lock_init(&ahead->lock);
    condition_init(&ahead->changed);
    for (unsigned i = 0; i < count; i++) {
        struct runner *runner = &ahead->runners[i];

        runner->ahead = ahead;
        runner->bounds = &shares[i];
        s3_page_init(&runner->page);
        if (i == 0)
            snprintf(runner->token, sizeof runner->token, "%s", ask->token);
    }
    for (unsigned i = 0; rc == 0 && i < count; i++)
        rc = workers_submit(ahead->workers, run, &ahead->runners[i], err);
    if (rc < 0) {
        s3_ahead_close(ahead);
        return rc;
    }
    *ret_ahead = ahead;
    return 0;
}

void s3_ahead_close(struct s3_ahead *ahead)
{
    if (!ahead)
        return;
    lock_acquire(&ahead->lock);
    ahead->is_closing = true;
    condition_broadcast(&ahead->changed);
    lock_release(&ahead->lock);
    workers_close(ahead->workers);
    for (unsigned i = 0; i < ahead->count; i++)
        s3_page_done(&ahead->runners[i].page);
    condition_done(&ahead->changed);
    lock_done(&ahead->lock);
    free(ahead);
}

/* A runner with a page, or NULL; *ret_is_over: none will have one any more. */
static struct runner *find_full_locked(struct s3_ahead *ahead, bool *ret_is_over)
    REQUIRES(ahead->lock)
{
    *ret_is_over = true;
    for (unsigned i = 0; i < ahead->count; i++) {
        struct runner *runner = &ahead->runners[i];

        if (runner->is_full)
            return runner;
        *ret_is_over &= runner->is_over;
    }
    return NULL;
}

int s3_ahead_next(struct s3_ahead *ahead, struct s3_page *page, unsigned *ret_share,
                  struct error *err)
{
    struct runner *runner;
    bool is_over = false;
    int rc;

    lock_acquire(&ahead->lock);
    while (!(runner = find_full_locked(ahead, &is_over)) && !is_over && ahead->rc == 0)
        condition_wait(&ahead->changed, &ahead->lock);
    rc = ahead->rc;
    if (rc < 0) {
        *err = ahead->failure;
    } else if (runner) {
        struct s3_page before = *page;

        *page = runner->page;
        runner->page = before;
        runner->is_full = false;
        *ret_share = (unsigned)(runner - ahead->runners);
        condition_broadcast(&ahead->changed);
    }
    lock_release(&ahead->lock);
    return rc < 0 ? rc : runner != NULL;
}

const char *s3_ahead_rest(const struct s3_ahead *ahead)
{
    for (unsigned i = 1; i < ahead->count; i++) {
        if (ahead->runners[i].is_astray)
            return ahead->runners[0].token;
    }
    return NULL;
}
