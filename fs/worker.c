/* worker.c: starts workers, what they tell the supervisor, and how they end. */
#include "fs/worker.h"

#include "common/log.h"
#include "fs/oom.h"
#include "fs/refuse.h"
#include "fs/verdict.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static void tell(struct handover *handover, int32_t *field)
{
    pid_t parent = getppid();

    __atomic_store_n(field, getpid(), __ATOMIC_RELEASE);
    if (parent == handover->block->supervisor) /* else it is dead */
        kill(parent, SIGUSR1);
}

void worker_tell_prepared(struct handover *handover)
{
    tell(handover, &handover->block->prepared);
}

void worker_tell_ready(struct handover *handover)
{
    handover->block->is_ready = 1;
    tell(handover, &handover->block->ready);
}

void worker_tell_ended(struct handover *handover)
{
    tell(handover, &handover->block->ended);
}

bool worker_has_told(const int32_t *field, pid_t worker)
{
    return worker > 0 && __atomic_load_n(field, __ATOMIC_ACQUIRE) == worker;
}

/* If the supervisor is killed the worker goes on serving until somebody unmounts. */
static void be_worker(const struct worker_life *life, struct handover *handover,
                      enum worker_kind kind)
{
    struct error err = {0};
    sigset_t none;
    int rc;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    oom_expose(handover->block->oom_score_adj);
    rc = kind == WORKER_REFUSES ? refuse_all(handover, worker_tell_prepared, &err)
                                : life->work(life->arg, handover, &err);
    if (rc < 0)
        handover->block->failure = err;
    _exit(rc < 0);
}

pid_t worker_start(const struct worker_life *life, struct handover *handover,
                   enum worker_kind kind, struct error *err)
{
    pid_t worker = fork();

    if (worker < 0)
        return fail_errno(err, "start a worker");
    if (worker == 0)
        be_worker(life, handover, kind);
    return worker;
}

void worker_log_end(struct handover_block *block, int status)
{
    log_warning("the worker %s%s%s; starting the next", verdict_describe(status),
                block->failure.code ? ": " : "", block->failure.message);
    block->failure = (struct error){0};
}

int worker_fail(const struct handover_block *block, int status, struct error *err)
{
    if (block->failure.code == 0)
        return fail(err, EIO, "the worker %s", verdict_describe(status));
    *err = block->failure;
    return -err->code;
}

int worker_run(const struct worker_life *life, const int fds[HANDOVER_FDS],
               struct error *err)
{
    struct handover *handover = NULL;
    int rc = handover_adopt(fds, &handover, err);

    if (rc < 0)
        return rc;
    oom_expose(handover->block->oom_score_adj);
    rc = life->work(life->arg, handover, err);
    handover_free(handover);
    return rc;
}
