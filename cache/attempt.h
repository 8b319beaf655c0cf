/* attempt.h: one attempt at one member: its lock between processes, its record, its end.
 *
 *     outcome = attempt_begin(&attempt);
 *     if (outcome == OUTCOME_READY) {
 *         ... receive, filling received ...
 *         outcome = attempt_land(&attempt, rc, &received);
 *     }
 *     outcome = attempt_settle(&attempt, outcome);
 *     attempt_end(&attempt, outcome);              answers the waiters
 *
 * On the thread that runs the transfer (transfer.h), with no mutex held. Where a check
 * failed the file is removed: those who have it open keep what was handed out, and nobody
 * can open it any more. */
#ifndef CACHE_ATTEMPT_H
#define CACHE_ATTEMPT_H

#include "cache/archive_state.h"
#include "cache/evict.h"
#include "cache/receive.h"

enum outcome {
    OUTCOME_READY, /* not ended: ours to fetch */
    OUTCOME_COMPLETE,
    OUTCOME_DAMAGED, /* the content failed its check */
    OUTCOME_FAILED,  /* it did not come; may be tried again */
    OUTCOME_DROPPED, /* the same; and what came is of no use: dropped */
    OUTCOME_BUSY,    /* another process writes it */
    OUTCOME_IDLE,    /* nobody waits any more */
    OUTCOME_ENDED,   /* all was done, waiters are answered, the member may be gone */
};

struct attempt {
    struct archive *archive;
    struct member *member;
    struct tree_record record; /* as on disk, then as it will be */
    struct error err;
    bool is_asked;  /* room was looked for for somebody who waits */
    bool is_ending; /* the work of ending it began (registry_work_begin), */
    unsigned begun; /* which gave this */
};

/* Take the member's lock and see what other processes did. */
enum outcome attempt_begin(struct attempt *attempt);

/* It was received with rc (attempt->err says why not): put it in its place, note it. */
enum outcome attempt_land(struct attempt *attempt, int rc,
                          const struct received *received);

/* For whom room is looked for now. */
enum evict_for attempt_asks(struct attempt *attempt);

/* Was there no room? Then the outcome may change once there is. */
bool attempt_is_full(const struct attempt *attempt);

/* Clear up what came of it, give the lock back where nothing is kept. */
enum outcome attempt_settle(struct attempt *attempt, enum outcome outcome);

/* Note how it ended, answer who waits. The member is gone but where a part of it was
 * handed out. OUTCOME_ENDED; or OUTCOME_IDLE: somebody came to wait after all, begin
 * again. */
enum outcome attempt_end(struct attempt *attempt, enum outcome outcome);

#endif
