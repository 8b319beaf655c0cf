/* job_print.h: what people are told of a job on the board (job.h). Thread-safe; never
 * blocks. */
#ifndef PUBLISH_JOB_PRINT_H
#define PUBLISH_JOB_PRINT_H

#include "publish/job.h"

/* State, progress and failure as YAML. -ENOENT. */
int job_print_status(struct job_board *board, const char *name, struct bytes *to,
                     struct error *err);

/* The ID that was published. -EINPROGRESS before the end, -ENOENT; -EALREADY with the
 * sentence of the failure, which was told when it ended. */
int job_print_result(struct job_board *board, const char *name, struct bytes *to,
                     struct error *err);

#endif
