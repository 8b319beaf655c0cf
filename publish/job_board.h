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

struct waiter {
    job_done *done;
    void *arg;
    STAILQ_ENTRY(waiter) next;
};
STAILQ_HEAD(waiter_queue, waiter);

struct job {
    char *name;
    struct job_board *board;
    struct job_record record;
    bool is_left; /* by the board before this one, and not started yet */
    enum publish_step step;
    uint64_t done, total; /* bytes of the step */
    struct waiter_queue waiters;
    TAILQ_ENTRY(job) next;
};

struct job_board {
    struct lock lock;
    struct job_options options;    /* constant */
    char owner[PROCESS_NAME_SIZE]; /* constant */
    struct workers *workers;       /* constant */
    TAILQ_HEAD(jobs, job) all;     /* guarded by lock, as all that is in it */
    size_t count;                  /* guarded by lock */
    bool is_closing;               /* guarded by lock */
};

/* Then only its thread changes the record, and nobody removes the job. */
static inline bool job_is_busy(const struct job *job)
{
    enum job_state state = job->record.state;

    return state == JOB_QUEUED || state == JOB_RUNNING || state == JOB_FINISHING;
}

#endif
