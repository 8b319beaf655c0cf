/* daemon.c: goes on in the background, and tells the caller how the start went. */
#include "cli/daemon.h"

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { WARN_MS = 5000 }; /* a process that hangs warns of nothing */

#define JOURNAL "/run/systemd/journal/stdout"

/* A stream to the journal as systemd-cat(1) opens it; -1 without one. */
static int open_journal(void)
{
    /* Identifier, unit, priority, prefixes are read, nothing is forwarded. */
    static const char head[] = "modelfs\n\n6\n1\n0\n0\n0\n";
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL};
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct error err = {0}; /* no journal is no failure */
    char name[64];
    struct stat st;

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        files_write_fd(fd, head, sizeof head - 1, &err) < 0 || fstat(fd, &st) < 0)
        return -1;
    /* log.c finds out by this that its lines go there. */
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", name, 1);
    return steal_fd(&fd);
}

static int open_log(const char *log, struct error *err)
{
    int fd;

    if (log) {
        fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        return fd < 0 ? fail_errno(err, "open the log '%s'", log) : fd;
    }
    fd = open_journal();
    if (fd < 0)
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return fd < 0 ? fail_errno(err, "open '/dev/null'") : fd;
}

int daemon_log_to(const char *log, struct error *err)
{
    CLEANUP_CLOSE int fd = open_log(log, err);

    if (fd < 0)
        return fd;
    return dup2(fd, STDERR_FILENO) < 0 ? fail_errno(err, "write to the log '%s'", log)
                                       : 0;
}

static int describe_death(pid_t child, struct error *err)
{
    int status = 0;

    if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
        return fail(err, EIO,
                    "the mount's background process was ended by signal %d before it "
                    "answered",
                    WTERMSIG(status));
    return fail(err, EIO, "the mount's background process ended before it answered");
}

/* What the child says, in records of this one form, each written at once. */
enum {
    CODE_READY = 0,
    CODE_WARNING = -1, /* other codes: it failed */
};

/* The next record. False: there is none, or none before deadline_ms (0: no limit). */
static bool read_report(int fd, int64_t deadline_ms, struct error *ret_report)
{
    size_t used = 0;

    while (used < sizeof *ret_report) {
        struct pollfd said = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms ? deadline_ms - clock_now_ms() : -1;
        ssize_t count;

        if (deadline_ms && left_ms <= 0)
            return false;
        if (poll(&said, 1, (int)left_ms) <= 0)
            continue; /* a signal, or too late */
        count = read(fd, (char *)ret_report + used, sizeof *ret_report - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        used += (size_t)count;
    }
    return true;
}

static int wait_for_report(pid_t child, int fd, struct error *err)
{
    int64_t deadline_ms = 0;
    struct error report;

    while (read_report(fd, deadline_ms, &report)) {
        if (report.code == CODE_READY) {
            deadline_ms = clock_now_ms() + WARN_MS;
        } else if (report.code == CODE_WARNING) {
            command_complain("warning: %s", report.message);
        } else {
            *err = report;
            return -report.code;
        }
    }
    return deadline_ms ? 0 : describe_death(child, err);
}

int daemon_start(const char *log, struct daemon *ret_daemon, struct error *err)
{
    CLEANUP_CLOSE int log_fd = open_log(log, err);
    int ends[2];
    pid_t child;

    if (log_fd < 0)
        return log_fd;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(err, "make a pipe");
    child = fork();
    if (child != 0) {
        int rc = child < 0 ? fail_errno(err, "start the background process") : 0;

        close(ends[1]);
        if (rc == 0)
            rc = wait_for_report(child, ends[0], err);
        close(ends[0]);
        return rc;
    }
    close(ends[0]);
    setsid();
    *ret_daemon = (struct daemon){.report_fd = ends[1], .log_fd = steal_fd(&log_fd)};
    return DAEMON_CHILD;
}

static void say(struct daemon *daemon, const struct error *err)
{
    struct error ignored = {0};

    /* A parent that is gone does not want to know. */
    (void)files_write_fd(daemon->report_fd, err, sizeof *err, &ignored);
}

void daemon_warn(struct daemon *daemon, const char *sentence)
{
    struct error warning = {.code = CODE_WARNING};

    snprintf(warning.message, sizeof warning.message, "%s", sentence);
    say(daemon, &warning);
}

void daemon_dismiss(struct daemon *daemon)
{
    close(daemon->report_fd);
    daemon->report_fd = -1;
}

static void report(struct daemon *daemon, const struct error *err)
{
    say(daemon, err);
    daemon_dismiss(daemon);
}

void daemon_detach(struct daemon *daemon)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* Whoever waits for the end of the caller's output must not wait for us. */
    dup2(null_fd, STDIN_FILENO);
    dup2(null_fd, STDOUT_FILENO);
    dup2(daemon->log_fd, STDERR_FILENO);
    close(null_fd);
    close(daemon->log_fd);
}

void daemon_ready(struct daemon *daemon)
{
    static const struct error ready = {.code = CODE_READY};

    daemon_detach(daemon);
    report(daemon, &ready);
}

bool daemon_is_ready(const struct daemon *daemon)
{
    return daemon->report_fd < 0;
}

void daemon_failed(struct daemon *daemon, const struct error *err)
{
    close(daemon->log_fd);
    report(daemon, err);
}
