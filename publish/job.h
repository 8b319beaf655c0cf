/* job.h: publishing in the background: what waits, runs and has ended, by name.
 *
 *     rc = job_board_open(&(struct job_options){...}, &board, &err);
 *     job_resume(board);                       go on with what was not finished
 *     job_add(board, "job");                   there is a manifest
 *     rc = job_start(board, "job", &err);      it is complete: publish
 *     rc = job_await(board, "job", done, arg); tell me when it ends
 *     job_board_close(board);
 *
 * Jobs that have ended are kept until they are forgotten, those that were published for a
 * day at most. A job that failed may be started again. What is known of each is kept in a
 * folder as well: a board that is opened there later knows it, takes up what the same
 * owner had running, and finishes what was published but not done with. Thread-safe;
 * who changes a job waits for its record on the local disk, job_board_close for what
 * runs; nothing else blocks. */
#ifndef PUBLISH_JOB_H
#define PUBLISH_JOB_H

#include "common/bytes.h"
#include "common/error.h"
#include "publish/job_record.h"
#include "publish/publish.h"

#include <stdbool.h>

struct job_board;

/* What a job made, and what was known before of the names that it changed. */
struct job_made {
    struct release release;
    char alias[ALIAS_SIZE];           /* that names it; "" if none was asked for */
    bool had_model;                   /* another version of it was known */
    char alias_before[MODEL_ID_SIZE]; /* the model that the alias named; "" if none */
};

/* Each runs on a job's thread; arg is the options'. */
struct job_options {
    struct resolver *resolver;
    const char *spool; /* as publish_options; lent */
    dev_t avoided;     /* the same */
    unsigned threads;  /* jobs at once; 0: 2 */
    int folder_fd;     /* of the records (job_store.h), lent; -1: memory alone */
    /* A name of process.h that outlives us, copied: who opens the next board with it is
     * our successor. */
    const char *owner;
    /* The process that the owner came after, and that had this board before; it has
     * ended. 0: there was none. */
    pid_t predecessor;
    /* The manifest of a job, appended to ret_text. */
    int (*read)(void *arg, const char *name, struct bytes *ret_text, struct error *err);
    /* Its folder, open: a descriptor. */
    int (*open)(void *arg, const char *name, struct error *err);
    /* It was published: before anybody is told. A second time after a crash. */
    void (*published)(void *arg, const char *name, const struct job_made *made);
    /* It ends; err is NULL after success. Before anybody else is told. */
    void (*ended)(void *arg, const char *name, const struct error *err);
    void *arg;
};

/* Starts threads and takes over the records in the folder, but runs nothing yet. */
int job_board_open(const struct job_options *options, struct job_board **ret_board,
                   struct error *err);

/* Ends what runs (it fails, nothing of it stays), tells those who wait. Accepts NULL. */
void job_board_close(struct job_board *board);
void job_board_free(struct job_board *board); /* accepts NULL; after job_board_close */

/* Start what a board before this one left. Once, before anything else is started. */
void job_resume(struct job_board *board);

/* Fine if it is there. -ENOSPC past a limit. */
int job_add(struct job_board *board, const char *name, struct error *err);

/* Fine if it is not there, and if it is running. */
void job_forget(struct job_board *board, const char *name);

bool job_is_known(struct job_board *board, const char *name);

/* Each report of a job goes by itself, and comes again when the job is started again or
 * its manifest written anew. */
bool job_has_report(struct job_board *board, const char *name, enum job_report report);

/* With the last one the job is forgotten. -ENOENT; -EBUSY while it is running. */
int job_remove_report(struct job_board *board, const char *name, enum job_report report,
                      struct error *err);

bool job_is_running(struct job_board *board, const char *name); /* or about to */

/* It will be started soon: what it came to before counts no more. Fine if it runs. */
void job_expect(struct job_board *board, const char *name);

/* Publish it, after an earlier job_add. Fine if it runs. */
int job_start(struct job_board *board, const char *name, struct error *err);

/* The names of all that have such a report, in any order, each with its NUL. */
int job_names(struct job_board *board, enum job_report of, struct bytes *to,
              struct error *err);

/* 1: it has ended (or is not there). 0: done(arg) will run once, when it starts or ends,
 * with no lock held. */
typedef void job_done(void *arg);
int job_await(struct job_board *board, const char *name, job_done *done, void *arg);

/* Is text a manifest? -EINVAL with line and column. Pure but for who and when we are. */
int job_check(const char *text, size_t size, struct error *err);

#endif
