/* inherit.c: descriptors of a mount, by number, through exec and service managers. */
#include "fs/inherit.h"

#include "common/files.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE "MODELFS_HANDOVER"
#define REPORT_VARIABLE "MODELFS_REPORT"

enum {
    LISTEN_FIRST = 3, /* sd_listen_fds(3) */
    LISTEN_MAX = 64,
};

static const char *const names[HANDOVER_FDS] = {
    [HANDOVER_DEVICE] = "modelfs-device",
    [HANDOVER_BLOCK] = "modelfs-block",
    [HANDOVER_SLOTS] = "modelfs-slots",
    [HANDOVER_STAGED] = "modelfs-staged",
};

static const struct {
    const char *name;
    enum inherit_role role;
} roles[] = {
    {"worker",     INHERIT_AS_WORKER    },
    {"supervisor", INHERIT_AS_SUPERVISOR},
};
enum { ROLE_COUNT = sizeof roles / sizeof *roles };

const char *inherit_name(enum handover_fd which)
{
    return names[which];
}

static int set_inheritance(const int fds[HANDOVER_FDS], int flag)
{
    for (int i = 0; i < HANDOVER_FDS; i++) {
        if (fcntl(fds[i], F_SETFD, flag) < 0)
            return -errno;
    }
    return 0;
}

/* The text up to the next separator goes to part; the rest is returned. */
static const char *next_part(const char *text, char separator, char *part, size_t size)
{
    size_t length = strcspn(text, (char[]){separator, '\0'});

    snprintf(part, size, "%.*s", (int)(length < size ? length : size - 1), text);
    return text[length] ? text + length + 1 : text + length;
}

/* -1 for what is no number. */
static int read_number(const char *text)
{
    struct error ignored = {0};
    uint64_t number;

    return text_to_u64(text, &number, &ignored) == 0 && number <= INT_MAX ? (int)number
                                                                          : -1;
}

static int read_fds(const char *text, int ret_fds[HANDOVER_FDS])
{
    char part[16];

    for (int i = 0; i < HANDOVER_FDS; i++) {
        text = next_part(text, ' ', part, sizeof part);
        ret_fds[i] = read_number(part);
        if (fcntl(ret_fds[i], F_GETFD) < 0)
            return -EPROTO;
    }
    return *text ? -EPROTO : 0;
}

/* "worker 5 6 7 8" */
static int find_passed(const char *text, struct inherited *inherited, struct error *err)
{
    char role[16];
    const char *numbers = next_part(text, ' ', role, sizeof role);

    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(role, roles[i].name) == 0)
            inherited->role = roles[i].role;
    }
    if (inherited->role == INHERIT_NOTHING || read_fds(numbers, inherited->fds) < 0)
        return fail(err, EPROTO, "'%.80s' in $" VARIABLE " passes no mount on", text);
    return 0;
}

static int listened_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *text = getenv("LISTEN_FDS");
    int count = text && pid && read_number(pid) == getpid() ? read_number(text) : 0;

    return count > 0 && count <= LISTEN_MAX ? count : 0;
}

/* Descriptors of other names, or of one name again, are not for us. */
static void take_listened(int count, const char *listed, int fds[HANDOVER_FDS])
{
    char name[32];

    for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + count; fd++) {
        int which = 0;

        listed = next_part(listed, ':', name, sizeof name);
        while (which < HANDOVER_FDS && strcmp(name, names[which]) != 0)
            which++;
        if (which < HANDOVER_FDS && fds[which] < 0)
            fds[which] = fd;
        else
            close(fd);
    }
}

static void find_kept(struct inherited *inherited)
{
    const char *listed = getenv("LISTEN_FDNAMES");
    int fds[HANDOVER_FDS] = {-1, -1, -1, -1};
    bool is_whole = true;

    take_listened(listed ? listened_count() : 0, listed, fds);
    for (int i = 0; i < HANDOVER_FDS; i++)
        is_whole &= fds[i] >= 0;
    for (int i = 0; i < HANDOVER_FDS && !is_whole; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    if (is_whole) {
        inherited->role = INHERIT_FROM_MANAGER;
        memcpy(inherited->fds, fds, sizeof fds);
    }
}

/* The descriptor to say on why we cannot be the next worker. */
static int find_report(void)
{
    const char *text = getenv(REPORT_VARIABLE);
    int fd = text ? read_number(text) : -1;

    return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

int inherit_find(struct inherited *ret_inherited, struct error *err)
{
    const char *passed = getenv(VARIABLE);
    struct inherited inherited = {.role = INHERIT_NOTHING, .report_fd = find_report()};
    int rc = passed ? find_passed(passed, &inherited, err) : 0;

    if (!passed)
        find_kept(&inherited);
    unsetenv(VARIABLE);
    unsetenv(REPORT_VARIABLE);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (rc < 0) {
        inherit_tell(&inherited, err);
        return rc;
    }
    if (inherited.role != INHERIT_NOTHING)
        (void)set_inheritance(inherited.fds, FD_CLOEXEC); /* they are open */
    *ret_inherited = inherited;
    return 0;
}

void inherit_tell(const struct inherited *inherited, const struct error *err)
{
    struct error ignored; /* who does not listen does not want to know */

    if (inherited->report_fd >= 0)
        (void)files_write_fd(inherited->report_fd, err->message, strlen(err->message),
                             &ignored);
}

static void print_variable(char *to, size_t size, const char *role, const int *fds)
{
    snprintf(to, size, VARIABLE "=%s %d %d %d %d", role, fds[HANDOVER_DEVICE],
             fds[HANDOVER_BLOCK], fds[HANDOVER_SLOTS], fds[HANDOVER_STAGED]);
}

void inherit_prepare(struct successor *successor, const struct handover *handover,
                     char *const *command)
{
    size_t count = 0;

    while (environ[count])
        count++;
    successor->command = command;
    successor->environment = xcalloc(count + 3, sizeof *successor->environment);
    memcpy(successor->environment, environ, count * sizeof *successor->environment);
    handover_list(handover, successor->fds);
    print_variable(successor->as_supervisor, sizeof successor->as_supervisor,
                   "supervisor", successor->fds);
    print_variable(successor->as_worker, sizeof successor->as_worker, "worker",
                   successor->fds);
    successor->environment[count] = successor->as_supervisor;
    successor->report_fd = -1;
}

void inherit_done(struct successor *successor)
{
    free(successor->environment);
    if (successor->report_fd >= 0)
        close(successor->report_fd);
}

static int run(const struct successor *successor, struct error *err)
{
    int rc;

    if (set_inheritance(successor->fds, 0) < 0)
        return fail_errno(err, "pass on the mount");
    execve(successor->command[0], successor->command, successor->environment);
    rc = fail_errno(err, "run '%s'", successor->command[0]);
    (void)set_inheritance(successor->fds, FD_CLOEXEC); /* they are open */
    return rc;
}

/* In the child the last variable may become another, and there is room for one more. */
static void be_new_worker(const struct successor *successor, int report_fd)
{
    const struct inherited inherited = {.report_fd = report_fd};
    struct successor worker = *successor;
    struct error err = {0};
    char report[32];
    sigset_t none;
    size_t last = 0;

    while (worker.environment[last + 1])
        last++;
    worker.environment[last] = worker.as_worker;
    snprintf(report, sizeof report, REPORT_VARIABLE "=%d", report_fd);
    worker.environment[last + 1] = report;
    (void)fcntl(report_fd, F_SETFD, 0); /* it is open */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)run(&worker, &err);
    log_error("%s", err.message);
    inherit_tell(&inherited, &err);
    _exit(1);
}

pid_t inherit_start_worker(struct successor *successor, struct error *err)
{
    int ends[2];
    pid_t child;

    /* A child that another program takes the place of may leave children of its own. */
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return fail_errno(err, "make a pipe");
    child = fork();
    if (child == 0)
        be_new_worker(successor, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return fail_errno(err, "start a process");
    }
    if (successor->report_fd >= 0)
        close(successor->report_fd);
    successor->report_fd = ends[0];
    return child;
}

void inherit_hear(struct successor *successor, char ret_text[ERROR_MESSAGE_MAX])
{
    ssize_t size = read(successor->report_fd, ret_text, ERROR_MESSAGE_MAX - 1);

    ret_text[size > 0 ? size : 0] = '\0';
}

int inherit_become(const struct successor *successor, struct error *err)
{
    return run(successor, err);
}
