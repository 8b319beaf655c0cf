/* notifier.c: a process of its own that hands notifications to the kernel. */
#include "fs/notifier.h"

#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 4096, /* headers and a name */
    MESSAGES = 0,       /* descriptors in the new process */
    DEVICE = 1,
};

struct notifier {
    int fd;
    pid_t pid;
};

/* There were threads: system calls alone from here on. Whatever the worker has open or
 * locked must not live on with us. A closed socket says that the worker has ended. */
__attribute__((noreturn)) static void pass_on(int messages_fd, int device_fd)
{
    char message[MESSAGE_MAX];
    ssize_t size;

    if (dup2(messages_fd, MESSAGES) < 0 || dup2(device_fd, DEVICE) < 0 ||
        close_range(DEVICE + 1, UINT_MAX, 0) < 0)
        _exit(1);
    (void)prctl(PR_SET_NAME, "notifier");
    while ((size = recv(MESSAGES, message, sizeof message, 0)) > 0) {
        if (write(DEVICE, message, (size_t)size) < 0 && errno == ENODEV)
            break; /* unmounted; all else is about what the kernel has forgotten */
    }
    _exit(0);
}

int notifier_start(int device_fd, struct notifier **ret_notifier, struct error *err)
{
    struct notifier *notifier;
    sigset_t all, before;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return fail_errno(err, "make a socket for notifications");
    /* A signal to all of a terminal's processes is meant for the supervisor. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        pass_on(ends[1], device_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        int rc = fail_errno(err, "start the process that notifies the kernel");

        close(ends[0]);
        return rc;
    }
    notifier = XNEW(struct notifier);
    *notifier = (struct notifier){.fd = ends[0], .pid = pid};
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
    free(notifier);
}

ssize_t notifier_send(struct notifier *notifier, const struct iovec *iov, int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)iov,
                                   .msg_iovlen = (size_t)count};

    return sendmsg(notifier->fd, &message, MSG_NOSIGNAL);
}
