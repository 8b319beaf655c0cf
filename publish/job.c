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
    SWEEP_S = 60,
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
    struct job *job, *next;

    if (!board)
        return;
    lock_acquire(&board->lock);
    board->is_closing = true;
    lock_release(&board->lock);
    workers_stop(board->workers);
    lock_acquire(&board->lock);
    HASH_ITER(hh, board->all, job, next) {
        STAILQ_CONCAT(&waiters, &job->waiters);
    }
    lock_release(&board->lock);
    job_run_tell(&waiters);
}

void job_board_free(struct job_board *board)
{
    struct job *job, *next;

    if (!board)
        return;
    HASH_ITER(hh, board->all, job, next) {
        HASH_DEL(board->all, job);
        job_free(job);
    }
    workers_close(board->workers);
    lock_done(&board->lock);
    lock_done(&board->keeping);
    free(board);
}

static bool is_old(const struct job *job, time_t now_s)
{
    return job->record.state == JOB_PUBLISHED && now_s - job->record.ended_s > KEPT_S;
}

struct job *job_find_locked(struct job_board *board, const char *name)
{
    struct job *job;

    HASH_FIND_STR(board->all, name, job);
    return job && !is_old(job, time(NULL)) ? job : NULL;
}

/* NULL without memory. */
static struct job *make_locked(struct job_board *board, const char *name)
    REQUIRES(board->lock)
{
    struct job *job = XNEW(struct job);

    job->name = xstrdup(name);
    job->board = board;
    STAILQ_INIT(&job->waiters);
    HASH_ADD_KEYPTR(hh, board->all, job->name, strlen(job->name), job);
    if (job->hh.tbl)
        return job;
    job_free(job); /* uthash leaves it NULL without memory */
    return NULL;
}

/* Take what ended a day ago off the board; now and then, or when it is full. */
static struct job *sweep_locked(struct job_board *board) REQUIRES(board->lock)
{
    struct job *old = NULL, *job, *next;
    time_t now_s = time(NULL);

    if (now_s < board->sweep_at_s && HASH_COUNT(board->all) < JOBS_MAX)
        return NULL;
    board->sweep_at_s = now_s + SWEEP_S;
    HASH_ITER(hh, board->all, job, next) {
        if (!is_old(job, now_s))
            continue;
        HASH_DEL(board->all, job);
        job->chained = old;
        old = job;
    }
    return old;
}

/* It is on the board no more. With board->keeping held. */
static void forget(struct job *job)
{
    job_store_remove(job->board->options.folder_fd, job->name);
    job_free(job);
}

/* A job of the board before this one. */
static void take_over(void *arg, const char *name, struct job_record *record)
{
    struct job_board *board = arg;
    bool is_ours = strcmp(record->owner, board->owner) == 0 ||
                   process_was(record->owner, board->options.predecessor);
    struct job *job;

    if (!is_ours && process_is_alive(record->owner)) {
        job_record_done(record); /* it is another mount's */
        return;
    }
    lock_acquire(&board->lock);
    job = HASH_COUNT(board->all) < JOBS_MAX ? make_locked(board, name) : NULL;
    if (!job) {
        lock_release(&board->lock);
        job_record_done(record);
        return;
    }
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
    lock_init(&board->keeping);
    lock_init(&board->lock);
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

/* Another publish under the name of an earlier one. Whether that was published stays
 * known. With the board's lock held, which clang cannot tell from a job. */
static void reset(struct job *job, enum job_state state)
{
    job->record.state = state;
    job->record.failure[0] = '\0';
    memset(job->record.is_removed, 0, sizeof job->record.is_removed);
    job_record_drop_warnings(&job->record);
    job->step = PUBLISH_STEP_ARCHIVE;
    job->done = job->total = 0;
}

static int add_locked(struct job_board *board, const char *name, bool *is_stale,
                      struct error *err) REQUIRES(board->lock)
{
    struct job *job;

    HASH_FIND_STR(board->all, name, job);
    if (!job && HASH_COUNT(board->all) >= JOBS_MAX)
        return fail(err, ENOSPC, "there are %d publish jobs already", JOBS_MAX);
    if (!job)
        return make_locked(board, name)
                   ? 0
                   : fail(err, ENOMEM, "no memory for publish job '%s'", name);
    *is_stale = job->record.state == JOB_PUBLISHED;
    if (*is_stale) {
        job->record.is_attempted = false; /* another model */
        reset(job, JOB_WAITING);
    }
    return 0;
}

int job_add(struct job_board *board, const char *name, struct error *err)
{
    bool is_stale = false;
    struct job *old, *next;
    int rc;

    lock_acquire(&board->keeping);
    lock_acquire(&board->lock);
    old = sweep_locked(board);
    rc = add_locked(board, name, &is_stale, err);
    lock_release(&board->lock);
    for (; old; old = next) {
        next = old->chained;
        forget(old);
    }
    if (is_stale)
        job_store_remove(board->options.folder_fd, name);
    lock_release(&board->keeping);
    return rc;
}

void job_expect(struct job_board *board, const char *name)
{
    struct job_record changed;
    bool is_changed;
    struct job *job;

    lock_acquire(&board->keeping);
    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
    is_changed = job && job->record.state == JOB_FAILED;
    if (is_changed) {
        reset(job, JOB_WAITING);
        changed = job->record;
    }
    lock_release(&board->lock);
    if (is_changed)
        job_store_save(board->options.folder_fd, name, &changed, JOB_STORE_QUICK);
    lock_release(&board->keeping);
}

/* Off the board. NULL if it is not there, or busy. */
static struct job *take_locked(struct job_board *board, const char *name,
                               struct waiter_queue *waiters) REQUIRES(board->lock)
{
    struct job *job;

    HASH_FIND_STR(board->all, name, job);
    if (!job || job_is_busy(job))
        return NULL;
    STAILQ_CONCAT(waiters, &job->waiters);
    HASH_DEL(board->all, job);
    return job;
}

void job_forget(struct job_board *board, const char *name)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job *job;

    lock_acquire(&board->keeping);
    lock_acquire(&board->lock);
    job = take_locked(board, name, &waiters);
    lock_release(&board->lock);
    if (job)
        forget(job);
    lock_release(&board->keeping);
    job_run_tell(&waiters);
}

bool job_is_known(struct job_board *board, const char *name)
{
    bool is_known;

    lock_acquire(&board->lock);
    is_known = job_find_locked(board, name) != NULL;
    lock_release(&board->lock);
    return is_known;
}

bool job_has_report(struct job_board *board, const char *name, enum job_report report)
{
    const struct job *job;
    bool has;

    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
    has = job && !job->record.is_removed[report];
    lock_release(&board->lock);
    return has;
}

static bool has_reports(const struct job_record *record)
{
    for (unsigned i = 0; i < JOB_REPORTS; i++)
        if (!record->is_removed[i])
            return true;
    return false;
}

static int remove_report_locked(struct job_board *board, const char *name,
                                enum job_report report, struct job_record *ret_changed,
                                struct error *err) REQUIRES(board->lock)
{
    struct job *job = job_find_locked(board, name);

    if (!job || job->record.is_removed[report])
        return fail(err, ENOENT, "publish job '%s' has no such report", name);
    if (job_is_busy(job))
        return fail(err, EBUSY, "'%s' is being published", name);
    job->record.is_removed[report] = true;
    *ret_changed = job->record;
    return 0;
}

int job_remove_report(struct job_board *board, const char *name, enum job_report report,
                      struct error *err)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job_record changed = {.state = JOB_WAITING};
    struct job *job = NULL;
    int rc;

    lock_acquire(&board->keeping);
    lock_acquire(&board->lock);
    rc = remove_report_locked(board, name, report, &changed, err);
    if (rc == 0 && !has_reports(&changed))
        job = take_locked(board, name, &waiters);
    lock_release(&board->lock);
    if (job)
        forget(job);
    else if (rc == 0)
        job_store_save(board->options.folder_fd, name, &changed, JOB_STORE_QUICK);
    lock_release(&board->keeping);
    job_run_tell(&waiters);
    return rc;
}

bool job_is_running(struct job_board *board, const char *name)
{
    const struct job *job;
    bool is;

    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
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
    struct job_record changed;
    struct job *job;
    bool is_new;

    lock_acquire(&board->keeping);
    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
    is_new = job && !job_is_busy(job);
    if (is_new) {
        reset(job, JOB_QUEUED);
        memcpy(job->record.owner, board->owner, sizeof job->record.owner);
        changed = job->record;
        STAILQ_CONCAT(&waiters, &job->waiters);
    }
    lock_release(&board->lock);
    if (is_new)
        job_store_save(board->options.folder_fd, name, &changed, JOB_STORE_QUICK);
    lock_release(&board->keeping);
    job_run_tell(&waiters);
    if (!job)
        return fail(err, ENOENT, "there is no publish job '%s'", name);
    return is_new ? submit(job, err) : 0;
}

void job_resume(struct job_board *board)
{
    struct job *left = NULL, *job, *next;
    struct error err = {0};

    lock_acquire(&board->lock);
    HASH_ITER(hh, board->all, job, next) {
        if (!job->is_left)
            continue;
        job->is_left = false;
        if (job->record.state != JOB_FINISHING)
            reset(job, JOB_QUEUED);
        memcpy(job->record.owner, board->owner, sizeof job->record.owner);
        job->chained = left;
        left = job;
    }
    lock_release(&board->lock);
    for (; left; left = next) { /* busy: nobody else changes its record */
        next = left->chained;
        job_store_save(board->options.folder_fd, left->name, &left->record,
                       JOB_STORE_QUICK);
        (void)submit(left, &err); /* what fails is told by the job */
    }
}

int job_check(const char *text, size_t size, struct error *err)
{
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    char today[DEFAULTS_DATE_SIZE];

    defaults_date(today);
    return job_run_parse(text, size, today, &manifest, err);
}

int job_names(struct job_board *board, enum job_report of, struct bytes *to,
              struct error *err)
{
    time_t now_s = time(NULL);
    struct job *job, *next;
    int rc = 0;

    lock_acquire(&board->lock);
    HASH_ITER(hh, board->all, job, next) {
        if (rc == 0 && !is_old(job, now_s) && !job->record.is_removed[of])
            rc = bytes_append(to, job->name, strlen(job->name) + 1, err);
    }
    lock_release(&board->lock);
    return rc;
}

int job_await(struct job_board *board, const char *name, job_done *done, void *arg)
{
    struct waiter *waiter;
    struct job *job;
    int rc = 1;

    lock_acquire(&board->lock);
    job = job_find_locked(board, name);
    if (job && job->record.state < JOB_PUBLISHED && !board->is_closing) {
        waiter = XNEW(struct waiter);
        *waiter = (struct waiter){.done = done, .arg = arg};
        STAILQ_INSERT_TAIL(&job->waiters, waiter, next);
        rc = 0;
    }
    lock_release(&board->lock);
    return rc;
}
