/* supervisor.c: owns the mount and starts a worker when there is none. */
#include "fs/supervisor.h"

#include "common/log.h"
#include "common/sync.h"
#include "fs/notify.h"
#include "fs/takeover.h"
#include "fs/verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STOP_MS = 10 * 1000,    /* for a worker to end when it is told to */
    UPGRADE_MS = 30 * 1000, /* for a new program to prepare, and to serve */
    FORK_MS = 200,          /* until it is tried again */
};

struct supervisor {
    const struct supervisor_options *options;
    struct device *device; /* NULL once it is unmounted */
    struct handover *handover;
    struct handover_block *block;
    struct successor successor;
    sigset_t signals;    /* those we wait for */
    pid_t worker;        /* 0: it ended */
    pid_t standby;       /* the new program, which prepares to be the worker; or 0 */
    int64_t patience_ms; /* when what we wait for is late; 0: we wait for nothing */
    int status;          /* of the worker that ended last, as waitpid tells */
    bool is_ready;       /* a worker began to serve */
    bool is_new;         /* the worker is the new program's and does not serve yet */
    bool is_stopping;
    bool is_left; /* the mount, to the next supervisor */
    enum worker_kind kind;
    unsigned deaths;
    uint64_t answered; /* when the last worker started */
};

static void kill_worker(const struct supervisor *supervisor, int signal)
{
    if (supervisor->worker > 0)
        kill(supervisor->worker, signal);
}

static void note_worker(struct supervisor *supervisor, pid_t worker)
{
    supervisor->worker = worker;
    supervisor->block->worker = worker;
    supervisor->answered =
        __atomic_load_n(&supervisor->block->answered, __ATOMIC_RELAXED);
}

/* 1, or -errno. */
static int start_worker(struct supervisor *supervisor, struct error *err)
{
    pid_t worker = worker_start(&supervisor->options->life, supervisor->handover,
                                supervisor->kind, err);

    if (worker < 0)
        return worker;
    note_worker(supervisor, worker);
    return 1;
}

/* For @status. */
static void note_refusal(struct supervisor *supervisor, const char *what,
                         const char *reason)
{
    struct handover_block *block = supervisor->block;

    __atomic_store_n(&block->is_refused, 0, __ATOMIC_RELEASE);
    snprintf(block->refused, sizeof block->refused, "%.40s%.980s", what, reason);
    __atomic_store_n(&block->is_refused, 1, __ATOMIC_RELEASE);
}

static void start_upgrade(struct supervisor *supervisor)
{
    struct error err = {0};
    pid_t standby;

    if (supervisor->is_stopping || supervisor->standby > 0 || supervisor->is_new)
        return;
    notify_reloading();
    standby = inherit_start_worker(&supervisor->successor, &err);
    if (standby < 0) {
        note_refusal(supervisor, "", err.message);
        log_error("no upgrade: %s; the mount goes on as before", err.message);
        notify_ready();
        return;
    }
    supervisor->standby = standby;
    supervisor->patience_ms = clock_now_ms() + UPGRADE_MS;
}

static void fail_upgrade(struct supervisor *supervisor, int status)
{
    char reason[ERROR_MESSAGE_MAX];

    supervisor->standby = 0;
    supervisor->is_new = false;
    if (supervisor->is_stopping)
        return;
    supervisor->patience_ms = 0;
    inherit_hear(&supervisor->successor, reason);
    note_refusal(supervisor, *reason ? "" : "the new program ",
                 *reason ? reason : verdict_describe(status));
    log_error("no upgrade: '%s' %s; the mount goes on with the program it had",
              supervisor->successor.command[0], verdict_describe(status));
    notify_ready();
}

/* The new program serves: become it. */
static void finish_upgrade(struct supervisor *supervisor)
{
    struct error err = {0};

    supervisor->is_new = false;
    supervisor->patience_ms = 0;
    supervisor->block->upgrades++;
    supervisor->block->is_refused = 0;
    (void)inherit_become(&supervisor->successor, &err);
    log_error("%s; the supervisor stays the program it was", err.message);
    notify_ready();
}

static void hear_worker(struct supervisor *supervisor)
{
    const struct handover_block *block = supervisor->block;

    if (worker_has_told(&block->prepared, supervisor->standby))
        kill_worker(supervisor, SIGKILL); /* its requests go to the next */
    if (supervisor->is_new && worker_has_told(&block->ready, supervisor->worker))
        finish_upgrade(supervisor);
    if (!supervisor->is_ready && worker_has_told(&block->ready, block->worker)) {
        supervisor->is_ready = true;
        supervisor->options->ready(supervisor->options->arg);
    }
    /* Nobody answers any more: who comes now shall find the folder below. */
    if (worker_has_told(&block->ended, block->worker)) {
        device_unmount(supervisor->device);
        supervisor->device = NULL;
    }
}

static void stop(struct supervisor *supervisor, int signal)
{
    supervisor->is_left = signal == SIGQUIT && notify_has_manager();
    supervisor->is_stopping = true;
    supervisor->patience_ms = clock_now_ms() + STOP_MS;
    kill_worker(supervisor, supervisor->is_left ? SIGKILL : SIGTERM);
}

static void lose_patience(struct supervisor *supervisor)
{
    supervisor->patience_ms = 0;
    if (supervisor->standby > 0 && !supervisor->is_stopping)
        kill(supervisor->standby, SIGKILL);
    else
        kill_worker(supervisor, SIGKILL);
}

/* Take note of children that ended. */
static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t child;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (child == supervisor->worker) {
            supervisor->worker = 0;
            supervisor->status = status;
        } else if (child == supervisor->standby) {
            fail_upgrade(supervisor, status);
        }
    }
}

/* Do what the next signal says; none until until_ms: false. 0 is no limit. */
static bool handle_signal(struct supervisor *supervisor, int64_t until_ms)
{
    int64_t left_ms = until_ms - clock_now_ms();
    struct timespec limit = {0};
    int signal;

    if (left_ms > 0)
        limit = (struct timespec){.tv_sec = left_ms / 1000,
                                  .tv_nsec = left_ms % 1000 * 1000000};
    signal = sigtimedwait(&supervisor->signals, NULL, until_ms ? &limit : NULL);
    if (signal == SIGUSR2)
        start_upgrade(supervisor);
    else if (signal > 0 && signal != SIGCHLD && signal != SIGUSR1)
        stop(supervisor, signal);
    return signal > 0 || errno != EAGAIN;
}

static void watch_worker(struct supervisor *supervisor)
{
    reap(supervisor);
    while (supervisor->worker > 0) {
        hear_worker(supervisor);
        if (!handle_signal(supervisor, supervisor->patience_ms))
            lose_patience(supervisor);
        reap(supervisor);
    }
    hear_worker(supervisor); /* its last words */
}

/* It may be that there is no memory just now. */
static void pause_until(struct supervisor *supervisor, int64_t until_ms)
{
    while (!supervisor->is_stopping && handle_signal(supervisor, until_ms))
        reap(supervisor);
}

/* 1: start another; 0: the mount is to end; -errno: it has to. */
static int judge_end(struct supervisor *supervisor, struct error *err)
{
    struct handover_block *block = supervisor->block;
    struct verdict verdict = verdict_of(&(struct verdict_case){
        .status = supervisor->status,
        .is_stopping = supervisor->is_stopping,
        .is_mounted = supervisor->is_ready,
        .has_answered = block->answered != supervisor->answered,
        .deaths = supervisor->deaths,
    });

    if (verdict.kind == VERDICT_END)
        return 0;
    if (verdict.kind == VERDICT_FAIL)
        return worker_fail(block, supervisor->status, err);
    if (verdict.kind == VERDICT_REFUSE && supervisor->kind == WORKER_SERVES)
        log_error("%d workers in succession ended before they answered a single request: "
                  "every request now fails with EIO; mend the cause (next line), then "
                  "send SIGUSR2 to process %d, or mount anew",
                  VERDICT_DEATHS_MAX, getpid());
    worker_log_end(block, supervisor->status);
    block->restarts++;
    block->death_signal =
        WIFSIGNALED(supervisor->status) ? WTERMSIG(supervisor->status) : 0;
    supervisor->deaths = verdict.deaths;
    supervisor->kind = verdict.kind == VERDICT_REFUSE ? WORKER_REFUSES : WORKER_SERVES;
    pause_until(supervisor, clock_now_ms() + verdict.delay_ms);
    return !supervisor->is_stopping;
}

/* As start_worker; where there can be no more processes just now it is tried again, for
 * the mount would be gone. 0: it is to end. */
static int start_next(struct supervisor *supervisor, struct error *err)
{
    int rc = start_worker(supervisor, err);

    if (rc < 0)
        log_error("%s; trying again until it works", err->message);
    while (rc < 0 && !supervisor->is_stopping) {
        pause_until(supervisor, clock_now_ms() + FORK_MS);
        rc = supervisor->is_stopping ? 0 : start_worker(supervisor, err);
    }
    return rc;
}

/* 1: there is another; 0 and -errno as judge_end. */
static int replace_worker(struct supervisor *supervisor, struct error *err)
{
    bool is_over = supervisor->is_stopping || supervisor->status == 0;
    int rc = 1;

    if (!supervisor->device) /* whatever it died of then */
        return 0;
    if (!is_over && supervisor->standby > 0) {
        note_worker(supervisor, supervisor->standby);
        supervisor->standby = 0;
        supervisor->is_new = true;
        return rc;
    }
    if (!is_over && supervisor->is_new)
        fail_upgrade(supervisor, supervisor->status);
    else
        rc = judge_end(supervisor, err);
    return rc > 0 ? start_next(supervisor, err) : rc;
}

static int supervise(struct supervisor *supervisor, struct error *err)
{
    int rc = supervisor->worker > 0 ? 1 : start_worker(supervisor, err);

    while (rc > 0) {
        watch_worker(supervisor);
        rc = replace_worker(supervisor, err);
    }
    if (supervisor->standby > 0)
        kill(supervisor->standby, SIGKILL);
    return rc;
}

static void block_signals(struct supervisor *supervisor)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP,
                                 SIGQUIT, SIGUSR1, SIGUSR2};

    sigemptyset(&supervisor->signals);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        sigaddset(&supervisor->signals, wanted[i]);
    sigprocmask(SIG_BLOCK, &supervisor->signals, NULL);
}

int supervisor_run(const struct supervisor_options *options, struct error *err)
{
    struct supervisor supervisor = {.options = options};
    int rc = takeover_open(&options->device, options->inherited, &supervisor.device,
                           &supervisor.handover, err);

    if (rc < 0)
        return rc;
    supervisor.block = supervisor.handover->block;
    supervisor.block->supervisor = getpid();
    if (options->inherited->role == INHERIT_AS_SUPERVISOR)
        note_worker(&supervisor, supervisor.block->worker);
    inherit_prepare(&supervisor.successor, supervisor.handover, options->command);
    block_signals(&supervisor);
    rc = supervise(&supervisor, err);
    if (supervisor.is_left)
        _exit(0); /* as it is: the manager has the descriptors */
    notify_forget();
    device_unmount(supervisor.device);
    handover_free(supervisor.handover);
    inherit_done(&supervisor.successor);
    return rc;
}
