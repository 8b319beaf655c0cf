/* notifier.c: a process of its own that hands notifications to the kernel. */
#include "fs/notifier.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 4096, /* headers and a name */
    MESSAGES = 0,       /* descriptors in the new process */
    DEVICE = 1,
    LOOK_MS = 1, /* whoever waits for that process looks again */
};

struct notifier {
    int fd;
    pid_t pid;
    atomic_ulong sent;
    atomic_ulong *done;  /* of these; shared with that process */
    atomic_bool is_told; /* that there is no such process any more */
};

/* There were threads: system calls alone from here on. Whatever the worker has open or
 * locked must not live on with us. A closed socket says that the worker has ended. */
__attribute__((noreturn)) static void pass_on(int messages_fd, int device_fd,
                                              atomic_ulong *done)
{
    char message[MESSAGE_MAX];
    ssize_t size;

    if (dup2(messages_fd, MESSAGES) < 0 || dup2(device_fd, DEVICE) < 0 ||
        close_range(DEVICE + 1, UINT_MAX, 0) < 0)
        _exit(1);
    (void)prctl(PR_SET_NAME, "notifier");
    while ((size = recv(MESSAGES, message, sizeof message, 0)) > 0) {
        /* Fails for what the kernel has forgotten, or after the mount is gone. */
        (void)!write(DEVICE, message, (size_t)size);
        atomic_fetch_add(done, 1);
    }
    _exit(0);
}

int notifier_start(int device_fd, struct notifier **ret_notifier, struct error *err)
{
    struct notifier *notifier;
    sigset_t all, before;
    atomic_ulong *done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    pid_t pid;

    if (done == MAP_FAILED)
        return fail_errno(err, "share memory with the process that notifies the kernel");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        int rc = fail_errno(err, "make a socket for notifications");

        munmap(done, sizeof *done);
        return rc;
    }
    /* A signal to all of a terminal's processes is meant for the supervisor. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        pass_on(ends[1], device_fd, done);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        int rc = fail_errno(err, "start the process that notifies the kernel");

        close(ends[0]);
        munmap(done, sizeof *done);
        return rc;
    }
    notifier = XNEW(struct notifier);
    notifier->fd = ends[0];
    notifier->pid = pid;
    notifier->done = done;
    *ret_notifier = notifier;
    return 0;
}

void notifier_stop(struct notifier *notifier)
{
    if (!notifier)
        return;
    close(notifier->fd);
    while (waitpid(notifier->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    munmap(notifier->done, sizeof *notifier->done);
    free(notifier);
}

ssize_t notifier_send(struct notifier *notifier, const struct iovec *iov, int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)iov,
                                   .msg_iovlen = (size_t)count};
    ssize_t size = sendmsg(notifier->fd, &message, MSG_NOSIGNAL);

    if (size >= 0)
        atomic_fetch_add(&notifier->sent, 1);
    else if (errno == EPIPE && !atomic_exchange(&notifier->is_told, true))
        log_warning(
            "the process that notifies the kernel has ended; going on without it");
    return size;
}

/* Was it killed? It takes nothing any more of what it was handed. */
static bool is_gone(const struct notifier *notifier)
{
    struct pollfd messages = {.fd = notifier->fd};

    return poll(&messages, 1, 0) > 0 && messages.revents & POLLHUP;
}

bool notifier_wait(struct notifier *notifier, int64_t deadline_ms)
{
    unsigned long wanted = atomic_load(&notifier->sent);

    while (atomic_load(notifier->done) < wanted) {
        if (clock_now_ms() >= deadline_ms || is_gone(notifier))
            return false;
        clock_sleep_ms(LOOK_MS);
    }
    return true;
}
