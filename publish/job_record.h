/* job_record.h: what is known of one publish job, as a value and as text.
 *
 *     rc = job_record_print(&record, &text, &err);              to keep
 *     rc = job_record_parse(text.data, text.size, &record, &err);
 *     job_record_done(&record);
 *
 * Pure. */
#ifndef PUBLISH_JOB_RECORD_H
#define PUBLISH_JOB_RECORD_H

#include "common/bytes.h"
#include "common/defaults.h"
#include "common/error.h"
#include "publish/process.h"
#include "resolver/release.h"
#include "resolver/uid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOB_WARNINGS_MAX = 20,
    JOB_RECORD_BYTES_MAX = 256 << 10,
};

enum job_state {
    JOB_WAITING, /* for its manifest to be complete */
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_FINISHING, /* the model is there; what was staged is to be taken over */
    JOB_PUBLISHED,
    JOB_FAILED,
};

/* The files that tell of a job. */
enum job_report {
    JOB_STATUS,
    JOB_RESULT,
    JOB_REPORTS,
};

struct job_record {
    enum job_state state;
    bool is_removed[JOB_REPORTS];
    bool is_attempted;             /* the header of release may have been written */
    struct release release;        /* id "": none yet; what is or was published */
    char alias[ALIAS_SIZE];        /* that is to name it; "" */
    char owner[PROCESS_NAME_SIZE]; /* of process.h; who runs it, or did */
    char date[DEFAULTS_DATE_SIZE]; /* where the manifest gives none; "" */
    int64_t ended_s;               /* Unix time; 0: never ended */
    char failure[ERROR_MESSAGE_MAX];
    char *warnings[JOB_WARNINGS_MAX]; /* owned */
    size_t warning_count;
};

/* All that is to be known again later. */
int job_record_print(const struct job_record *record, struct bytes *to,
                     struct error *err);

/* Hostile text: -EINVAL for what job_record_print never prints. job_record_done the
 * result. */
int job_record_parse(const char *text, size_t size, struct job_record *ret_record,
                     struct error *err);

void job_record_done(struct job_record *record); /* also of a zeroed one */

/* Past JOB_WARNINGS_MAX it is dropped. */
void job_record_warn(struct job_record *record, const char *sentence);
void job_record_drop_warnings(struct job_record *record);

/* For people: state, what was published, why not, warnings; without progress. */
int job_record_describe(const struct job_record *record, struct bytes *to,
                        struct error *err);

#endif
