/* job_store.h: the records of publish jobs in a folder, one file a job.
 *
 * Who else writes there is not trusted: what is no record is removed. Local I/O.
 * Thread-safe for different jobs. */
#ifndef PUBLISH_JOB_STORE_H
#define PUBLISH_JOB_STORE_H

#include "publish/job_record.h"

enum job_store_how {
    JOB_STORE_QUICK, /* a power loss may take it */
    JOB_STORE_SYNC,  /* on disk when the call returns */
};

/* folder_fd -1: nothing is kept. What cannot be written is logged: the job goes on. */
void job_store_save(int folder_fd, const char *job, const struct job_record *record,
                    enum job_store_how how);
void job_store_remove(int folder_fd, const char *job);

/* Calls each for every record; it owns the record, which it does job_record_done. */
typedef void job_store_each(void *arg, const char *job, struct job_record *record);
int job_store_load(int folder_fd, job_store_each *each, void *arg, struct error *err);

#endif
