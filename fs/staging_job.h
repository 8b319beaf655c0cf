/* staging_job.h: manifests at the top of @staging, and the jobs they stand for. For
 * fs/staging*.c alone. */
#ifndef FS_STAGING_JOB_H
#define FS_STAGING_JOB_H

#include "fs/staging.h"

/* Open the board of publish jobs; manifests that lie there are known to it from now on.
 */
int staging_job_open(struct fs *fs, struct staging *staging, struct error *err);

/* A file of this name is at the top now. True if it is a manifest. */
bool staging_job_appeared(struct fs *fs, const char *name);
void staging_job_vanished(struct fs *fs, const char *name);

/* The manifest of this name is complete, or was touched: publish. Any other name is fine.
 */
void staging_job_start(struct fs *fs, const char *name);

/* A handle of the manifest of this name that may have written is being closed: what an
 * earlier publish came to counts no more. Any other name is fine. */
void staging_job_closing(struct fs *fs, const char *name);

/* Go on with what a worker was publishing when it died, and what was published when a
 * mount ended. */
void staging_job_resume(struct fs *fs);

/* Is it "<job>.status" or "<job>.result" of a job? */
bool staging_job_has_report(struct fs *fs, const char *name, char ret_job[NAME_MAX + 1],
                            enum job_report *ret_report);

extern const char *const staging_job_suffixes[JOB_REPORTS];

/* -EINVAL if fd is no manifest. An empty one is not written yet. */
int staging_job_check(int fd, struct error *err);

/* READ of a report. CALL_WANT_JOB: the result is not there yet. */
call_handler staging_job_read;

#endif
