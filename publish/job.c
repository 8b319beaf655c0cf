/* job.c: the board of publish jobs and the threads that run them. */
#include "publish/job.h"

#include "common/defaults.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/workers.h"
#include "resolver/release.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum {
    JOBS_MAX = 10000,
    JOB_THREADS = 2,
    WARNINGS_MAX = 20,
    KEPT_S = 24 * 3600,
};

enum state {
    STATE_WAITING, /* for its manifest to be complete */
    STATE_QUEUED,
    STATE_RUNNING,
    STATE_PUBLISHED,
    STATE_FAILED,
};

static const char *const state_names[] = {"waiting", "queued", "running", "published",
                                          "failed"};

struct waiter {
    job_done *done;
    void *arg;
    STAILQ_ENTRY(waiter) next;
};
STAILQ_HEAD(waiter_queue, waiter);

struct job {
    char *name;
    struct job_board *board;
    enum state state;
    enum publish_step step;
    uint64_t done, total; /* bytes of the step */
    char uid[RELEASE_UID_SIZE];
    struct error failure;
    char *warnings[WARNINGS_MAX];
    size_t warning_count;
    time_t ended_s; /* 0: never ended */
    struct waiter_queue waiters;
    TAILQ_ENTRY(job) next;
};

struct job_board {
    struct lock lock;
    struct job_options options; /* constant */
    struct workers *workers;    /* constant */
    TAILQ_HEAD(jobs, job) all;  /* guarded by lock, as all that is in it */
    size_t count;               /* guarded by lock */
    bool is_closing;            /* guarded by lock */
};

static void job_free(struct job *job)
{
    for (size_t i = 0; i < job->warning_count; i++)
        free(job->warnings[i]);
    free(job->name);
    free(job);
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
    *ret_board = board;
    return 0;
}

static void tell(struct waiter_queue *waiters)
{
    struct waiter *waiter;

    while ((waiter = STAILQ_FIRST(waiters))) {
        STAILQ_REMOVE_HEAD(waiters, next);
        waiter->done(waiter->arg);
        free(waiter);
    }
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
    tell(&waiters);
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

static bool is_running(const struct job *job)
{
    return job->state == STATE_QUEUED || job->state == STATE_RUNNING;
}

static void drop_locked(struct job_board *board, struct job *job) REQUIRES(board->lock)
{
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
        if (job->state == STATE_PUBLISHED && now - job->ended_s > KEPT_S)
            drop_locked(board, job);
        else if (strcmp(job->name, name) == 0)
            return job;
    }
    return NULL;
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
        job = XNEW(struct job);
        job->name = xstrdup(name);
        job->board = board;
        STAILQ_INIT(&job->waiters);
        TAILQ_INSERT_TAIL(&board->all, job, next);
        board->count++;
    } else if (job->state == STATE_PUBLISHED) {
        job->state = STATE_WAITING; /* another model under the name of an earlier one */
    }
    lock_release(&board->lock);
    return rc;
}

void job_forget(struct job_board *board, const char *name)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job *job;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    if (job && !is_running(job)) {
        STAILQ_CONCAT(&waiters, &job->waiters);
        drop_locked(board, job);
    }
    lock_release(&board->lock);
    tell(&waiters);
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
    is = job && is_running(job);
    lock_release(&board->lock);
    return is;
}

static int note_progress(void *arg, enum publish_step step, uint64_t done, uint64_t total,
                         struct error *err)
{
    struct job *job = arg;
    struct job_board *board = job->board;
    bool is_closing;

    lock_acquire(&board->lock);
    job->step = step;
    job->done = done;
    job->total = total;
    is_closing = board->is_closing;
    lock_release(&board->lock);
    return is_closing ? fail(err, ECANCELED, "the mount was taken down meanwhile") : 0;
}

static void note_warning(void *arg, const char *sentence)
{
    struct job *job = arg;

    lock_acquire(&job->board->lock);
    if (job->warning_count < WARNINGS_MAX)
        job->warnings[job->warning_count++] = xstrdup(sentence);
    lock_release(&job->board->lock);
}

static int parse(const char *text, size_t size, struct manifest **ret_manifest,
                 struct error *err)
{
    CLEANUP_FREE char *author = NULL;
    char date[DEFAULTS_DATE_SIZE];
    struct manifest_defaults defaults = {.date = date};

    defaults_date(date);
    if (defaults_author(&author, &(struct error){0}) == 0)
        defaults.author = author; /* else the manifest has to say */
    return manifest_parse(text, size, &defaults, ret_manifest, err);
}

int job_check(const char *text, size_t size, struct error *err)
{
    CLEANUP_MANIFEST struct manifest *manifest = NULL;

    return parse(text, size, &manifest, err);
}

static int publish(struct job *job, struct publish_result *result, struct error *err)
{
    const struct job_options *options = &job->board->options;
    const struct publish_watch watch = {
        .progress = note_progress, .warn = note_warning, .arg = job};
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    CLEANUP_CLOSE int folder_fd = -1;
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, MANIFEST_BYTES_MAX);
    rc = options->read(options->arg, job->name, &text, err);
    if (rc == 0)
        rc = parse(text.data, text.size, &manifest, err);
    if (rc == 0)
        rc = folder_fd = options->open(options->arg, job->name, err);
    return rc < 0
               ? rc
               : publish_folder(&(struct publish_options){.resolver = options->resolver,
                                                          .spool = options->spool},
                                manifest, folder_fd, &watch, result, err);
}

static void end(struct job *job, int rc, const struct publish_result *result,
                const struct error *err)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job_board *board = job->board;

    lock_acquire(&board->lock);
    job->state = rc < 0 ? STATE_FAILED : STATE_PUBLISHED;
    job->ended_s = time(NULL);
    if (rc < 0)
        job->failure = *err;
    else
        release_print_uid(&result->release, job->uid);
    STAILQ_CONCAT(&waiters, &job->waiters);
    lock_release(&board->lock);
    tell(&waiters); /* the job may be forgotten from here on */
}

static void run(void *arg)
{
    struct job *job = arg;
    struct job_board *board = job->board;
    CLEANUP_FREE char *name = xstrdup(job->name);
    struct publish_result result = {.is_published = false};
    struct error err = {0};
    bool is_closing;
    int rc;

    lock_acquire(&board->lock);
    job->state = STATE_RUNNING;
    is_closing = board->is_closing;
    lock_release(&board->lock);
    rc = is_closing ? fail(&err, ECANCELED, "the mount was taken down meanwhile")
                    : publish(job, &result, &err);
    if (rc == 0)
        board->options.published(board->options.arg, name, &result.release);
    end(job, rc, &result, &err);
    board->options.ended(board->options.arg, name, rc < 0 ? &err : NULL);
}

static void reset_locked(struct job *job)
{
    job->state = STATE_QUEUED;
    job->step = PUBLISH_STEP_ARCHIVE;
    job->done = job->total = 0;
    while (job->warning_count > 0)
        free(job->warnings[--job->warning_count]);
}

int job_start(struct job_board *board, const char *name, struct error *err)
{
    struct job *job;
    int rc = 0;

    lock_acquire(&board->lock);
    job = find_locked(board, name);
    if (!job)
        rc = fail(err, ENOENT, "there is no publish job '%s'", name);
    if (!job || is_running(job)) {
        lock_release(&board->lock);
        return rc;
    }
    reset_locked(job);
    lock_release(&board->lock);
    /* Queued: nobody forgets it now. */
    rc = workers_submit(board->workers, run, job, err);
    if (rc < 0)
        end(job, rc, NULL, err);
    return rc;
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

/* One line "key: value" with the value quoted as YAML needs it. */
static int print_text(const char *key, const char *value, struct bytes *to,
                      struct error *err)
{
    struct yaml_node key_node = yaml_node_of(key), value_node = yaml_node_of(value);
    struct yaml_pair pair = {.key = &key_node, .value = &value_node};
    struct yaml_node map = {
        .kind = YAML_MAP, .map = {.pairs = &pair, .count = 1}
    };

    return yaml_print(&map, to, err);
}

static int print_locked(const struct job *job, struct bytes *to, struct error *err)
{
    int rc = print_text("state", state_names[job->state], to, err);

    if (rc == 0 && job->state == STATE_RUNNING)
        rc = bytes_printf(to, err, "step: %s\ndone_bytes: %ju\ntotal_bytes: %ju\n",
                          job->step == PUBLISH_STEP_UPLOAD ? "upload" : "archive",
                          (uintmax_t)job->done, (uintmax_t)job->total);
    if (rc == 0 && job->state == STATE_PUBLISHED)
        rc = print_text("uid", job->uid, to, err);
    if (rc == 0 && job->state == STATE_FAILED)
        rc = print_text("error", job->failure.message, to, err);
    if (rc == 0 && job->warning_count > 0)
        rc = bytes_printf(to, err, "warnings:\n");
    for (size_t i = 0; rc == 0 && i < job->warning_count; i++) {
        rc = bytes_printf(to, err, "- ");
        if (rc == 0)
            rc = print_text("warning", job->warnings[i], to, err);
    }
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
    switch (job->state) {
    case STATE_PUBLISHED:
        return bytes_printf(to, err, "%s\n", job->uid);
    case STATE_FAILED:
        return fail(err, EIO, "publish job '%s' failed: %s", job->name,
                    job->failure.message);
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
    if (job && job->state < STATE_PUBLISHED && !board->is_closing) {
        waiter = XNEW(struct waiter);
        *waiter = (struct waiter){.done = done, .arg = arg};
        STAILQ_INSERT_TAIL(&job->waiters, waiter, next);
        rc = 0;
    }
    lock_release(&board->lock);
    return rc;
}
