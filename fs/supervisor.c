/* supervisor.c: owns the mount and starts a worker when there is none. */
#include "fs/supervisor.h"

#include "common/log.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    DEATHS_MAX = 5, /* in succession, without an answer in between */
    STOP_S = 10,    /* for a worker to end when it is told to */
};

struct supervisor {
    const struct supervisor_options *options;
    struct device *device; /* NULL once it is unmounted */
    struct handover *handover;
    sigset_t signals; /* those we wait for */
    pid_t worker;
    int status; /* of the worker that ended last, as waitpid tells */
    bool is_stopping;
    bool is_ready;
    unsigned deaths;
    uint64_t answered; /* when the last worker started */
};

void supervisor_tell_ready(struct handover *handover)
{
    __atomic_store_n(&handover->block->is_ready, 1, __ATOMIC_RELEASE);
    kill(getppid(), SIGUSR1);
}

void supervisor_tell_ended(struct handover *handover)
{
    __atomic_store_n(&handover->block->is_ended, 1, __ATOMIC_RELEASE);
    kill(getppid(), SIGUSR1);
}

/* If the supervisor is killed the worker goes on serving until somebody unmounts. */
static void be_worker(struct supervisor *supervisor)
{
    struct error *failure = &supervisor->handover->block->failure;
    struct error err = {0};
    sigset_t none;
    int rc;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    rc = supervisor->options->work(supervisor->options->arg, supervisor->handover, &err);
    if (rc < 0)
        *failure = err;
    _exit(rc < 0);
}

static int start_worker(struct supervisor *supervisor, struct error *err)
{
    supervisor->answered =
        __atomic_load_n(&supervisor->handover->block->answered, __ATOMIC_RELAXED);
    supervisor->worker = fork();
    if (supervisor->worker < 0)
        return fail_errno(err, "start a worker");
    if (supervisor->worker == 0)
        be_worker(supervisor);
    return 0;
}

static void note_ready(struct supervisor *supervisor)
{
    if (supervisor->is_ready ||
        !__atomic_load_n(&supervisor->handover->block->is_ready, __ATOMIC_ACQUIRE))
        return;
    supervisor->is_ready = true;
    supervisor->options->ready(supervisor->options->arg);
}

/* Nobody answers any more: who comes now shall find the folder below. */
static void note_ended(struct supervisor *supervisor)
{
    if (!__atomic_load_n(&supervisor->handover->block->is_ended, __ATOMIC_ACQUIRE))
        return;
    device_unmount(supervisor->device);
    supervisor->device = NULL;
}

/* Wait until the worker ends; pass on what tells us to stop. */
static void watch_worker(struct supervisor *supervisor)
{
    static const struct timespec limit = {.tv_sec = STOP_S};

    while (waitpid(supervisor->worker, &supervisor->status, WNOHANG) == 0) {
        int signal = supervisor->is_stopping
                         ? sigtimedwait(&supervisor->signals, NULL, &limit)
                         : sigwaitinfo(&supervisor->signals, NULL);

        if (signal == SIGUSR1) {
            note_ready(supervisor);
            note_ended(supervisor);
        } else if (signal < 0 && errno == EAGAIN) {
            kill(supervisor->worker, SIGKILL);
        } else if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) {
            supervisor->is_stopping = true;
            kill(supervisor->worker, SIGTERM);
        }
    }
    note_ready(supervisor);
}

static bool can_send_again(const struct handover_block *block)
{
    struct kernel_init_in init;

    memcpy(&init, block->init + sizeof(struct kernel_in_header), sizeof init);
    return block->init_size > 0 && (init.flags & KERNEL_INIT_EXT) &&
           (init.flags2 & KERNEL_HAS_RESEND);
}

/* 1: start another; 0: the mount is to end; -errno: it has to. */
static int judge_end(struct supervisor *supervisor, struct error *err)
{
    const struct handover_block *block = supervisor->handover->block;
    int status = supervisor->status;

    if (supervisor->is_stopping || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return 0;
    if (WIFEXITED(status)) {
        *err = block->failure;
        return err->code ? -err->code : fail(err, EIO, "the worker failed");
    }
    if (!supervisor->is_ready || !can_send_again(block))
        return fail(err, EIO, "the worker was ended by signal %d (%s)", WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
    supervisor->deaths =
        block->answered != supervisor->answered ? 0 : supervisor->deaths + 1;
    if (supervisor->deaths >= DEATHS_MAX)
        return fail(
            err, EIO,
            "%d workers in succession were ended by a signal (the last by %d, %s) "
            "before they answered a single request",
            DEATHS_MAX, WTERMSIG(status), strsignal(WTERMSIG(status)));
    log_warning("the worker was ended by signal %d (%s); starting the next",
                WTERMSIG(status), strsignal(WTERMSIG(status)));
    return 1;
}

static int supervise(struct supervisor *supervisor, struct error *err)
{
    int rc = 1;

    while (rc > 0) {
        rc = start_worker(supervisor, err);
        if (rc < 0)
            return rc;
        watch_worker(supervisor);
        rc = judge_end(supervisor, err);
    }
    return rc;
}

static void wait_for_signals(struct supervisor *supervisor)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1};

    sigemptyset(&supervisor->signals);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        sigaddset(&supervisor->signals, wanted[i]);
    sigprocmask(SIG_BLOCK, &supervisor->signals, NULL);
}

int supervisor_run(const struct supervisor_options *options, struct error *err)
{
    struct supervisor supervisor = {.options = options};
    int rc = handover_new(&supervisor.handover, err);

    if (rc == 0)
        rc = device_mount(&options->device, &supervisor.device, err);
    if (rc == 0) {
        supervisor.handover->device_fd = device_fd(supervisor.device);
        wait_for_signals(&supervisor);
        rc = supervise(&supervisor, err);
    }
    device_unmount(supervisor.device);
    handover_free(supervisor.handover);
    return rc;
}
