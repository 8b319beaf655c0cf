/* job_print.c: what people are told of a publish job. */
#include "publish/job_print.h"

#include "publish/job_board.h"

#include <errno.h>

static int print_locked(const struct job *job, struct bytes *to, struct error *err)
{
    int rc = job_record_describe(&job->record, to, err);

    if (rc == 0 && job->record.state == JOB_RUNNING)
        rc = bytes_printf(to, err, "step: %s\ndone_bytes: %ju\ntotal_bytes: %ju\n",
                          job->step == PUBLISH_STEP_UPLOAD ? "upload" : "archive",
                          (uintmax_t)job->done, (uintmax_t)job->total);
    return rc;
}

int job_print_status(struct job_board *board, const char *name, struct bytes *to,
                     struct error *err)
{
    const struct job *job;
    int rc;

    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
    rc = job ? print_locked(job, to, err)
             : fail(err, ENOENT, "there is no publish job '%s'", name);
    lock_release(&board->lock);
    return rc;
}

static int result_locked(const struct job *job, struct bytes *to, struct error *err)
{
    char uid[RELEASE_UID_SIZE];

    switch (job->record.state) {
    case JOB_PUBLISHED:
        release_print_uid(&job->record.release, uid);
        return bytes_printf(to, err, "%s\n", uid);
    case JOB_FAILED:
        return fail(err, EALREADY, "publish job '%s' failed: %s", job->name,
                    job->record.failure);
    default:
        return fail(err, EINPROGRESS, "publish job '%s' has not ended", job->name);
    }
}

int job_print_result(struct job_board *board, const char *name, struct bytes *to,
                     struct error *err)
{
    const struct job *job;
    int rc;

    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
    rc = job ? result_locked(job, to, err)
             : fail(err, ENOENT, "there is no publish job '%s'", name);
    lock_release(&board->lock);
    return rc;
}
