/* document.c: reads a document, changes it, and writes it if nobody else did meanwhile.
 */
#include "publish/document.h"

#include "backends/http_retry.h"
#include "common/random.h"
#include "common/sync.h"
#include "publish/guarded.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum {
    PAUSE_MS = 10,      /* a writer on a file system needs about one */
    PAUSE_GROWTH = 50,  /* up to so many times the first: a writer far from its server */
    GIVE_UP_MS = 10000, /* an alias takes three edits, and a request waits for 30 s */
    EDIT_LOST = 1,
};

/* tag "": there is no document. */
static int read_version(const struct document_edit *edit, struct bytes *to,
                        char ret_tag[BACKEND_TAG_MAX], struct error *err)
{
    struct error reason = {0};
    struct backend_stat stat;
    int rc = backend_get_version(edit->backend, edit->path, to, &stat, &reason);

    if (rc < 0 && rc != -ENOENT) {
        *err = reason;
        return rc;
    }
    ret_tag[0] = '\0';
    if (rc == 0)
        memcpy(ret_tag, stat.tag, sizeof stat.tag);
    return 0;
}

static int write_version(const struct document_edit *edit, const struct bytes *text,
                         const char *tag, struct error *err)
{
    const struct backend_content content = {.data = text->data, .size = text->size};

    return tag[0] ? guarded_replace(edit->backend, edit->path, &content, tag, err)
                  : guarded_create(edit->backend, edit->path, &content, err);
}

/* Was another quicker? A document can be replaced while it is read, too. */
static int lost_or(int rc)
{
    return rc == -ESTALE || rc == -EEXIST ? EDIT_LOST : rc;
}

static int edit_once(const struct document_edit *edit, struct error *err)
{
    CLEANUP_BYTES struct bytes before, after;
    char tag[BACKEND_TAG_MAX];
    int rc;

    bytes_init(&before, edit->bytes_max);
    bytes_init(&after, edit->bytes_max);
    rc = read_version(edit, &before, tag, err);
    if (rc < 0)
        return lost_or(rc);
    rc = edit->change(edit->arg, &before, &after, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (tag[0] && before.size == after.size &&
        memcmp(before.data, after.data, after.size) == 0)
        return 0;
    return lost_or(write_version(edit, &after, tag, err));
}

/* How long to wait before another try; -1: no longer. */
static int64_t pause_before_next(const struct document_edit *edit, unsigned tries,
                                 int64_t begun_ms)
{
    int64_t first_ms = edit->pause_ms ? edit->pause_ms : PAUSE_MS;
    const struct http_retry_policy policy = {
        .tries_max = UINT_MAX,
        .first_pause_ms = first_ms,
        .pause_max_ms = first_ms * PAUSE_GROWTH,
        .give_up_ms = edit->give_up_ms ? edit->give_up_ms : GIVE_UP_MS,
    };
    const struct http_retry_so_far so_far = {
        .is_repeatable = true,
        .tries = tries,
        .passed_ms = clock_now_ms() - begun_ms,
        .left_ms = HTTP_RETRY_NO_DEADLINE,
    };
    const struct http_retry_failure failure = {.may_pass = true, .retry_after_ms = -1};
    uint32_t random = UINT32_MAX; /* the longest pause */
    struct error ignored;         /* then it is the longest */

    (void)random_bytes(&random, sizeof random, &ignored);
    return http_retry_pause(&policy, &so_far, &failure, random);
}

int document_edit(const struct document_edit *edit, struct error *err)
{
    int64_t begun_ms = clock_now_ms(), pause_ms;
    struct error reason = {0};

    for (unsigned tries = 1;; tries++) {
        int rc = edit_once(edit, &reason);

        if (rc < 0)
            *err = reason;
        if (rc != EDIT_LOST)
            return rc;
        pause_ms = pause_before_next(edit, tries, begun_ms);
        if (pause_ms < 0)
            return fail(err, EBUSY,
                        "'%.300s' was written by others again and again (%.500s); try "
                        "once more",
                        edit->path, reason.message);
        clock_sleep_ms(pause_ms);
    }
}
