/* inherit.c: descriptors of a mount, by number, through exec and service managers. */
#include "fs/inherit.h"

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

int inherit_find(struct inherited *ret_inherited, struct error *err)
{
    const char *passed = getenv(VARIABLE);
    struct inherited inherited = {.role = INHERIT_NOTHING};
    int rc = passed ? find_passed(passed, &inherited, err) : 0;

    if (!passed)
        find_kept(&inherited);
    unsetenv(VARIABLE);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (rc < 0)
        return rc;
    if (inherited.role != INHERIT_NOTHING)
        (void)set_inheritance(inherited.fds, FD_CLOEXEC); /* they are open */
    *ret_inherited = inherited;
    return 0;
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
    successor->environment = xcalloc(count + 2, sizeof *successor->environment);
    memcpy(successor->environment, environ, count * sizeof *successor->environment);
    handover_list(handover, successor->fds);
    print_variable(successor->as_supervisor, sizeof successor->as_supervisor,
                   "supervisor", successor->fds);
    print_variable(successor->as_worker, sizeof successor->as_worker, "worker",
                   successor->fds);
    successor->environment[count] = successor->as_supervisor;
}

void inherit_done(struct successor *successor)
{
    free(successor->environment);
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

/* In the child the last variable may become another. */
static void be_new_worker(const struct successor *successor)
{
    struct successor worker = *successor;
    struct error err = {0};
    sigset_t none;
    size_t last = 0;

    while (worker.environment[last + 1])
        last++;
    worker.environment[last] = worker.as_worker;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)run(&worker, &err);
    log_error("%s", err.message);
    _exit(1);
}

pid_t inherit_start_worker(const struct successor *successor, struct error *err)
{
    pid_t child = fork();

    if (child < 0)
        return fail_errno(err, "start a process");
    if (child == 0)
        be_new_worker(successor);
    return child;
}

int inherit_become(const struct successor *successor, struct error *err)
{
    return run(successor, err);
}
