/* job_run.h: one publish job on its thread, from the manifest to the end. For
 * publish/job.c alone. */
#ifndef PUBLISH_JOB_RUN_H
#define PUBLISH_JOB_RUN_H

#include "publish/job_board.h"
#include "publish/manifest.h"

/* arg is a job that is busy: queued, or published and to be finished. When it returns the
 * job may be gone. */
void job_run(void *arg);

/* A job that is busy but could not be given to a thread. */
void job_run_fail(struct job *job, const struct error *err);

/* Empties the queue; with no lock held. */
void job_run_tell(struct waiter_queue *waiters);

/* A manifest, with who we are, and a date, where it says nothing. */
int job_run_parse(const char *text, size_t size, const char *date,
                  struct manifest **ret_manifest, struct error *err);

#endif
