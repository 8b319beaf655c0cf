/* job.c: the board of publish jobs: which there are, and what they wait for. */
#include "publish/job.h"

#include "common/defaults.h"
#include "common/memory.h"
#include "publish/job_run.h"
#include "publish/job_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    JOBS_MAX = 10000,
    JOB_THREADS = 2,
    KEPT_S = 24 * 3600,
};

static void job_free(struct job *job)
{
    job_record_done(&job->record);
    free(job->name);
    free(job);
}

void job_board_close(struct job_board *board)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job *job;

    if (!board)
        return;
    lock_acquire(&board->lock);
    board->is_closing = true;
    lock_release(&board->lock);
    workers_close(board->workers);
    lock_acquire(&board->lock);
    TAILQ_FOREACH(job, &board->all, next)
    {
        STAILQ_CONCAT(&waiters, &job->waiters);
    }
    lock_release(&board->lock);
    job_run_tell(&waiters);
}

void job_board_free(struct job_board *board)
{
    struct job *job;

    if (!board)
        return;
    while ((job = TAILQ_FIRST(&board->all))) {
        TAILQ_REMOVE(&board->all, job, next);
        job_free(job);
    }
    lock_done(&board->lock);
    free(board);
}

static void drop_locked(struct job_board *board, struct job *job) REQUIRES(board->lock)
{
    job_store_remove(board->options.folder_fd, job->name);
    TAILQ_REMOVE(&board->all, job, next);
    board->count--;
    job_free(job);
}

/* What ended a day ago goes when somebody looks. */
static struct job *find_locked(struct job_board *board, const char *name)
    REQUIRES(board->lock)
{
    time_t now = time(NULL);
    struct job *job, *next;

    for (job = TAILQ_FIRST(&board->all); job; job = next) {
        next = TAILQ_NEXT(job, next);
        if (job->record.state == JOB_PUBLISHED && now - job->record.ended_s > KEPT_S)
            drop_locked(board, job);
        else if (strcmp(job->name, name) == 0)
            return job;
    }
    return NULL;
}

static struct job *make_locked(struct job_board *board, const char *name)
    REQUIRES(board->lock)
{
    struct job *job = XNEW(struct job);

    job->name = xstrdup(name);
    job->board = board;
    STAILQ_INIT(&job->waiters);
    TAILQ_INSERT_TAIL(&board->all, job, next);
    board->count++;
    return job;
}

/* A job of the board before this one. */
static void take_over(void *arg, const char *name, struct job_record *record)
{
    struct job_board *board = arg;
    bool is_ours = strcmp(record->owner, board->owner) == 0;
    struct job *job;

    if (board->count >= JOBS_MAX || (!is_ours && process_is_alive(record->owner))) {
        job_record_done(record); /* or it is another mount's */
        return;
    }
    lock_acquire(&board->lock);
    job = make_locked(board, name);
    job->record = *record;
    job->is_left = job_is_busy(job);
    if (job->is_left && !is_ours && record->state != JOB_FINISHING) {
        job->is_left = false;
        job->record.state = JOB_FAILED;
        snprintf(job->record.failure, sizeof job->record.failure,
                 "the mount ended before it was done; close or touch the manifest to try "
                 "again");
    }
    lock_release(&board->lock);
}

int job_board_open(const struct job_options *options, struct job_board **ret_board,
                   struct error *err)
{
    struct job_board *board = XNEW(struct job_board);
    int rc = workers_open(
        &(struct workers_options){
            .name = "publishing",
            .threads = options->threads ? options->threads : JOB_THREADS,
            .queue_max = JOBS_MAX,
        },
        &board->workers, err);

    if (rc < 0) {
        free(board);
        return rc;
    }
    lock_init(&board->lock);
    TAILQ_INIT(&board->all);
    board->options = *options;
    snprintf(board->owner, sizeof board->owner, "%s", options->owner);
    if (options->folder_fd >= 0)
        rc = job_store_load(options->folder_fd, take_over, board, err);
    if (rc < 0) {
        job_board_close(board);
        job_board_free(board);
        return rc;
    }
    *ret_board = board;
    return 0;
}

/* Its record, as long as no thread of the board works on it. */
static void save_locked(const struct job_board *board, const struct job *job)
    REQUIRES(board->lock)
{
    job_store_save(board->options.folder_fd, job->name, &job->record, JOB_STORE_QUICK);
}

/* Another publish under the name of an earlier one. Whether that was published stays
 * known. With the board's lock held, which clang cannot tell from a job. */
static void reset(struct job *job, enum job_state state)
{
    job->record.state = state;
    job->record.failure[0] = '\0';
    job_record_drop_warnings(&job->record);
    job->step = PUBLISH_STEP_ARCHIVE;
    job->done = job->total = 0;
}

int job_add(struct job_board *board, const char *name, struct error *err)
{
    struct job *job;
    int rc = 0;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    if (!job && board->count >= JOBS_MAX) {
        rc = fail(err, ENOSPC, "there are %d publish jobs already", JOBS_MAX);
    } else if (!job) {
        make_locked(board, name);
    } else if (job->record.state == JOB_PUBLISHED) {
        job->record.is_attempted = false; /* another model */
        reset(job, JOB_WAITING);
        job_store_remove(board->options.folder_fd, name);
    }
    lock_release(&board->lock);
    return rc;
}

void job_expect(struct job_board *board, const char *name)
{
    struct job *job;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    if (job && job->record.state == JOB_FAILED) {
        reset(job, JOB_WAITING);
        save_locked(board, job);
    }
    lock_release(&board->lock);
}

void job_forget(struct job_board *board, const char *name)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job *job;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    if (job && !job_is_busy(job)) {
        STAILQ_CONCAT(&waiters, &job->waiters);
        drop_locked(board, job);
    }
    lock_release(&board->lock);
    job_run_tell(&waiters);
}

bool job_is_known(struct job_board *board, const char *name)
{
    bool is_known;

    lock_acquire(&board->lock);
    is_known = find_locked(board, name) != NULL;
    lock_release(&board->lock);
    return is_known;
}

bool job_is_running(struct job_board *board, const char *name)
{
    const struct job *job;
    bool is;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    is = job && job_is_busy(job);
    lock_release(&board->lock);
    return is;
}

/* It is queued: nobody forgets it now. */
static int submit(struct job *job, struct error *err)
{
    int rc = workers_submit(job->board->workers, job_run, job, err);

    if (rc < 0)
        job_run_fail(job, err);
    return rc;
}

int job_start(struct job_board *board, const char *name, struct error *err)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job *job;
    bool is_new;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    is_new = job && !job_is_busy(job);
    if (is_new) {
        reset(job, JOB_QUEUED);
        memcpy(job->record.owner, board->owner, sizeof job->record.owner);
        save_locked(board, job);
        STAILQ_CONCAT(&waiters, &job->waiters);
    }
    lock_release(&board->lock);
    job_run_tell(&waiters);
    if (!job)
        return fail(err, ENOENT, "there is no publish job '%s'", name);
    return is_new ? submit(job, err) : 0;
}

void job_resume(struct job_board *board)
{
    struct error err = {0};
    struct job *job;

    do {
        lock_acquire(&board->lock);
        TAILQ_FOREACH(job, &board->all, next)
        {
            if (job->is_left)
                break;
        }
        if (job)
            job->is_left = false;
        if (job && job->record.state != JOB_FINISHING)
            reset(job, JOB_QUEUED);
        lock_release(&board->lock);
        if (job)
            (void)submit(job, &err); /* what fails is told by the job */
    } while (job);
}

int job_check(const char *text, size_t size, struct error *err)
{
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    char today[DEFAULTS_DATE_SIZE];

    defaults_date(today);
    return job_run_parse(text, size, today, &manifest, err);
}

int job_names(struct job_board *board, struct bytes *to, struct error *err)
{
    const struct job *job;
    int rc = 0;

    lock_acquire(&board->lock);
    TAILQ_FOREACH(job, &board->all, next)
    {
        if (rc == 0)
            rc = bytes_append(to, job->name, strlen(job->name) + 1, err);
    }
    lock_release(&board->lock);
    return rc;
}

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
    job = find_locked(board, name);
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
        return fail(err, EIO, "publish job '%s' failed: %s", job->name,
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
    job = find_locked(board, name);
    rc = job ? result_locked(job, to, err)
             : fail(err, ENOENT, "there is no publish job '%s'", name);
    lock_release(&board->lock);
    return rc;
}

int job_await(struct job_board *board, const char *name, job_done *done, void *arg)
{
    struct waiter *waiter;
    struct job *job;
    int rc = 1;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    if (job && job->record.state < JOB_PUBLISHED && !board->is_closing) {
        waiter = XNEW(struct waiter);
        *waiter = (struct waiter){.done = done, .arg = arg};
        STAILQ_INSERT_TAIL(&job->waiters, waiter, next);
        rc = 0;
    }
    lock_release(&board->lock);
    return rc;
}
