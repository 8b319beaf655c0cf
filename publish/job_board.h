/* job_board.h: what publish/job*.c share: the board and the jobs on it. For them alone.
 */
#ifndef PUBLISH_JOB_BOARD_H
#define PUBLISH_JOB_BOARD_H

#include "common/sync.h"
#include "common/workers.h"
#include "publish/job.h"
#include "publish/job_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct waiter {
    job_done *done;
    void *arg;
    STAILQ_ENTRY(waiter) next;
};
STAILQ_HEAD(waiter_queue, waiter);

struct job {
    char *name; /* constant, as board; all else is guarded by its lock */
    struct job_board *board;
    struct job_record record;
    bool is_left; /* by the board before this one, and not started yet */
    enum publish_step step;
    uint64_t done, total; /* bytes of the step */
    struct waiter_queue waiters;
    UT_hash_handle hh;
    struct job *chained; /* to those that one call takes along */
};

struct job_board {
    struct job_options options;    /* constant */
    char owner[PROCESS_NAME_SIZE]; /* constant */
    struct workers *workers;       /* constant */
    /* Held by who changes a job that is not busy, until its record on disk says so too:
     * who only looks waits for no disk. */
    struct lock keeping;
    struct lock lock;
    struct job *all;   /* by name; guarded by lock */
    time_t sweep_at_s; /* guarded by lock; what is old is looked for again */
    bool is_closing;   /* guarded by lock */
};

/* Then only its thread changes the record, on disk as well, and nobody removes the job.
 */
static inline bool job_is_busy(const struct job *job)
{
    enum job_state state = job->record.state;

    return state == JOB_QUEUED || state == JOB_RUNNING || state == JOB_FINISHING;
}

/* NULL if there is none, or one that ended a day ago. */
struct job *job_find_locked(struct job_board *board, const char *name)
    REQUIRES(board->lock);

#endif
