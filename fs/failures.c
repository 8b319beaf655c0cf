/* failures.c: the last failures, each said once. */
#include "fs/failures.h"

#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LINES_KEPT = 16,
    QUIET_MS = 30 * 1000, /* the same line is not said again for so long */
};

struct line {
    int64_t at_ms; /* monotonic */
    time_t when;
    char text[ERROR_MESSAGE_MAX];
};

struct failures {
    struct lock lock;
    struct line *lines; /* a ring; guarded by lock */
    uint64_t said;      /* lines ever put there; guarded by lock */
    uint64_t count;     /* of failures; guarded by lock */
};

struct failures *failures_new(void)
{
    struct failures *failures = XNEW(struct failures);

    lock_init(&failures->lock);
    failures->lines = xcalloc(LINES_KEPT, sizeof *failures->lines);
    return failures;
}

void failures_free(struct failures *failures)
{
    if (!failures)
        return;
    free(failures->lines);
    lock_done(&failures->lock);
    free(failures);
}

/* Is the line new? Then it is remembered. */
static bool remember_locked(struct failures *failures, const char *message)
    REQUIRES(failures->lock)
{
    int64_t now = clock_now_ms();
    struct line *line;

    failures->count++;
    for (uint64_t i = 0; i < LINES_KEPT && i < failures->said; i++) {
        line = &failures->lines[i];
        if (now - line->at_ms < QUIET_MS && strcmp(line->text, message) == 0)
            return false;
    }
    line = &failures->lines[failures->said++ % LINES_KEPT];
    line->at_ms = now;
    line->when = time(NULL);
    snprintf(line->text, sizeof line->text, "%s", message);
    return true;
}

void failures_note(struct failures *failures, const char *message)
{
    bool is_new;

    lock_acquire(&failures->lock);
    is_new = remember_locked(failures, message);
    lock_release(&failures->lock);
    if (is_new)
        log_error("%s", message);
}

uint64_t failures_count(struct failures *failures)
{
    uint64_t count;

    lock_acquire(&failures->lock);
    count = failures->count;
    lock_release(&failures->lock);
    return count;
}

static int print_line(const struct line *line, struct bytes *to, struct error *err)
{
    char stamp[32];
    struct tm utc;
    int rc;

    gmtime_r(&line->when, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    rc = bytes_printf(to, err, "  - at: %s\n    error: ", stamp);
    if (rc == 0)
        rc = bytes_append_quoted(to, line->text, err);
    return rc < 0 ? rc : bytes_append(to, "\n", 1, err);
}

int failures_print(struct failures *failures, struct bytes *to, struct error *err)
{
    int rc = 0;
    uint64_t first;

    lock_acquire(&failures->lock);
    first = failures->said > LINES_KEPT ? failures->said - LINES_KEPT : 0;
    for (uint64_t i = first; rc == 0 && i < failures->said; i++)
        rc = print_line(&failures->lines[i % LINES_KEPT], to, err);
    lock_release(&failures->lock);
    return rc;
}
