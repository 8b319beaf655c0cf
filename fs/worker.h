/* worker.h: the process that serves a mount, as the supervisor and itself see it.
 *
 *     pid = worker_start(&life, handover, WORKER_SERVES, &err);        supervisor
 *     ... worker_tell_prepared, handover_take, worker_tell_ready ...   worker
 *     worker_has_told(&block->ready, pid)                              supervisor
 *
 * Whatever a worker tells stands in the shared block; SIGUSR1 says to look there. */
#ifndef FS_WORKER_H
#define FS_WORKER_H

#include "common/error.h"
#include "fs/handover.h"

#include <stdbool.h>
#include <sys/types.h>

/* What a worker does: fs_run and what it needs. Returns when the mount is gone. */
struct worker_life {
    int (*work)(void *arg, struct handover *handover, struct error *err);
    void *arg;
};

enum worker_kind {
    WORKER_SERVES,
    WORKER_REFUSES, /* refuse.h */
};

/* Fork one. */
pid_t worker_start(const struct worker_life *life, struct handover *handover,
                   enum worker_kind kind, struct error *err);

/* The life of a worker that was started by another program (inherit.h), in this process.
 */
int worker_run(const struct worker_life *life, const int fds[HANDOVER_FDS],
               struct error *err);

/* For the worker: it could serve; it serves now; it serves no more, and the mount may go.
 */
void worker_tell_prepared(struct handover *handover);
void worker_tell_ready(struct handover *handover);
void worker_tell_ended(struct handover *handover);

/* One line: how the last worker ended (as waitpid tells), and why if it could say so. */
void worker_log_end(struct handover_block *block, int status);

/* The same as an error: what it said, or how it ended. */
int worker_fail(const struct handover_block *block, int status, struct error *err);

/* Does one of those fields of the block name that worker? */
bool worker_has_told(const int32_t *field, pid_t worker);

#endif
