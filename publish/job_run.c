/* job_run.c: one publish job on its thread, from the manifest to the end. */
#include "publish/job_run.h"

#include "common/defaults.h"
#include "common/fault.h"
#include "common/memory.h"
#include "publish/job_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void job_run_tell(struct waiter_queue *waiters)
{
    struct waiter *waiter;

    while ((waiter = STAILQ_FIRST(waiters))) {
        STAILQ_REMOVE_HEAD(waiters, next);
        waiter->done(waiter->arg);
        free(waiter);
    }
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
    job_record_warn(&job->record, sentence);
    lock_release(&job->board->lock);
}

/* From here on its record has to tell that the model may be ours. */
static void note_appearance(void *arg)
{
    struct job *job = arg;
    struct job_record changed;

    lock_acquire(&job->board->lock);
    job->record.is_attempted = true;
    changed = job->record; /* its warnings are lent: only this thread adds some */
    lock_release(&job->board->lock);
    job_store_save(job->board->options.folder_fd, job->name, &changed, JOB_STORE_SYNC);
}

int job_run_parse(const char *text, size_t size, const char *date,
                  struct manifest **ret_manifest, struct error *err)
{
    CLEANUP_FREE char *author = NULL;
    struct manifest_defaults defaults = {.date = date};

    if (defaults_author(&author, &(struct error){0}) == 0)
        defaults.author = author; /* else the manifest has to say */
    return manifest_parse(text, size, &defaults, ret_manifest, err);
}

static bool is_attempted(const struct job_record *record, const struct manifest *manifest)
{
    return record->is_attempted &&
           release_is_version(&record->release, manifest->id, manifest->version);
}

/* Notes what is to be published, unless that was attempted before and is to be finished:
 * true, with the date that it has. */
static bool take_up(struct job *job, const struct manifest *manifest,
                    char date[DEFAULTS_DATE_SIZE])
{
    struct job_record *record = &job->record;
    bool is_again;

    lock_acquire(&job->board->lock);
    is_again = is_attempted(record, manifest);
    if (is_again) {
        memcpy(date, record->date, sizeof record->date);
    } else {
        record->is_attempted = false;
        memcpy(record->date, date, sizeof record->date);
        record->release = (struct release){.repository = 0};
        snprintf(record->release.id, sizeof record->release.id, "%s", manifest->id);
        snprintf(record->release.version, sizeof record->release.version, "%s",
                 manifest->version);
    }
    lock_release(&job->board->lock);
    return is_again;
}

/* What the manifest asks for. An attempt that is to be finished keeps its date. */
static int ask(struct job *job, const struct bytes *text, bool *ret_is_again,
               struct manifest **ret_manifest, struct error *err)
{
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    char date[DEFAULTS_DATE_SIZE];
    int rc;

    defaults_date(date);
    rc = job_run_parse(text->data, text->size, date, &manifest, err);
    if (rc < 0)
        return rc;
    *ret_is_again = take_up(job, manifest, date);
    if (*ret_is_again)
        return job_run_parse(text->data, text->size, date, ret_manifest, err);
    *ret_manifest = steal_ptr(&manifest);
    return 0;
}

/* Afterwards nobody can say. */
static void note_before(struct job *job, const struct manifest *manifest,
                        struct job_made *made)
{
    struct resolver *resolver = job->board->options.resolver;
    struct alias_target target = {.id = ""};
    struct freshness fresh;
    struct error unused; /* then nobody here has seen it */

    made->had_model =
        resolver_has_model(resolver, manifest->id, RESOLVE_STALE, &fresh, &unused) == 0;
    if (manifest->alias)
        (void)resolver_alias(resolver, manifest->alias, RESOLVE_STALE, &target, &unused);
    snprintf(made->alias, sizeof made->alias, "%s",
             manifest->alias ? manifest->alias : "");
    memcpy(made->alias_before, target.id, sizeof made->alias_before);
    lock_acquire(&job->board->lock);
    memcpy(job->record.alias, made->alias, sizeof made->alias);
    lock_release(&job->board->lock);
}

static int publish(struct job *job, struct job_made *made, struct error *err)
{
    const struct job_options *options = &job->board->options;
    const struct publish_watch watch = {.progress = note_progress,
                                        .warn = note_warning,
                                        .appears = note_appearance,
                                        .arg = job};
    struct publish_options publish_options = {.resolver = options->resolver,
                                              .spool = options->spool,
                                              .avoided = options->avoided};
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    CLEANUP_CLOSE int folder_fd = -1;
    CLEANUP_BYTES struct bytes text;
    struct publish_result result = {.is_published = false};
    bool is_again = false;
    int rc;

    bytes_init(&text, MANIFEST_BYTES_MAX);
    rc = options->read(options->arg, job->name, &text, err);
    if (rc == 0)
        rc = ask(job, &text, &is_again, &manifest, err);
    if (rc == 0)
        rc = folder_fd = options->open(options->arg, job->name, err);
    if (rc < 0)
        return rc;
    note_before(job, manifest, made);
    if (is_again)
        publish_options.attempted = manifest->uid;
    rc = publish_folder(&publish_options, manifest, folder_fd, &watch, &result, err);
    made->release = result.release;
    return rc;
}

/* While it runs only its thread changes what it is. The record goes first: who is told
 * may look at once, and from then on the job may be forgotten. */
static void enter(struct job *job, enum job_state state, const struct error *err)
{
    struct waiter_queue waiters = STAILQ_HEAD_INITIALIZER(waiters);
    struct job_board *board = job->board;
    struct job_record changed;

    lock_acquire(&board->lock);
    changed = job->record;
    lock_release(&board->lock);
    changed.state = state;
    changed.ended_s = time(NULL);
    if (err)
        snprintf(changed.failure, sizeof changed.failure, "%s", err->message);
    job_store_save(board->options.folder_fd, job->name, &changed, JOB_STORE_SYNC);
    lock_acquire(&board->lock);
    job->record = changed;
    if (!job_is_busy(job))
        STAILQ_CONCAT(&waiters, &job->waiters);
    lock_release(&board->lock);
    job_run_tell(&waiters);
}

/* Up to where the model is there. */
static int make_model(struct job *job, struct job_made *made, struct error *err)
{
    struct job_board *board = job->board;
    bool is_closing, is_made;
    int rc;

    lock_acquire(&board->lock);
    is_closing = board->is_closing;
    is_made = job->record.state == JOB_FINISHING;
    if (!is_made)
        job->record.state = JOB_RUNNING;
    made->release = job->record.release;
    memcpy(made->alias, job->record.alias, sizeof made->alias);
    lock_release(&board->lock);
    if (is_made)
        return 0;
    rc = is_closing ? fail(err, ECANCELED, "the mount was taken down meanwhile")
                    : publish(job, made, err);
    if (rc < 0)
        return rc;
    lock_acquire(&board->lock);
    job->record.release = made->release;
    lock_release(&board->lock);
    enter(job, JOB_FINISHING, NULL);
    FAULT("job.finishing");
    return 0;
}

void job_run(void *arg)
{
    struct job *job = arg;
    const struct job_options *options = &job->board->options;
    struct error err = {0};
    struct job_made made = {.alias = ""};
    int rc = make_model(job, &made, &err);

    if (rc == 0)
        options->published(options->arg, job->name, &made);
    FAULT("job.before-end");
    options->ended(options->arg, job->name, rc < 0 ? &err : NULL);
    enter(job, rc < 0 ? JOB_FAILED : JOB_PUBLISHED, rc < 0 ? &err : NULL);
}

void job_run_fail(struct job *job, const struct error *err)
{
    enter(job, JOB_FAILED, err);
}
