/* notify.c: datagrams to the service manager. */
#include "fs/notify.h"

#include "common/cleanup.h"
#include "fs/inherit.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

bool notify_has_manager(void)
{
    const char *name = getenv("NOTIFY_SOCKET");

    return name && *name;
}

/* false if there is nobody to tell. */
static bool find_manager(struct sockaddr_un *address, socklen_t *ret_size)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name ? strlen(name) : 0;

    if (size == 0 || size >= sizeof address->sun_path || (*name != '/' && *name != '@'))
        return false;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, size);
    if (*name == '@') /* an abstract name, which begins with NUL and has no end */
        address->sun_path[0] = '\0';
    *ret_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (*name == '/'));
    return true;
}

/* kept: a descriptor that goes along, or -1. */
static void send_state(const char *state, int kept)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct sockaddr_un address = {0};
    struct iovec text = {.iov_base = (char *)state, .iov_len = strlen(state)};
    struct msghdr message = {.msg_name = &address, .msg_iov = &text, .msg_iovlen = 1};
    CLEANUP_CLOSE int fd = -1;

    if (!find_manager(&address, &message.msg_namelen))
        return;
    if (kept >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(sizeof kept);
        memcpy(CMSG_DATA(&control.align), &kept, sizeof kept);
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)sendmsg(fd, &message, MSG_NOSIGNAL);
}

void notify_ready(void)
{
    send_state("READY=1", -1);
}

void notify_reloading(void)
{
    struct timespec now;
    char state[80];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    send_state(state, -1);
}

void notify_stopping(void)
{
    send_state("STOPPING=1", -1);
}

void notify_keep(const struct handover *handover)
{
    int fds[HANDOVER_FDS];
    char state[80];

    handover_list(handover, fds);
    for (int i = 0; i < HANDOVER_FDS; i++) {
        snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s",
                 inherit_name((enum handover_fd)i));
        send_state(state, fds[i]);
    }
}

void notify_forget(void)
{
    char state[80];

    for (int i = 0; i < HANDOVER_FDS; i++) {
        snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s",
                 inherit_name((enum handover_fd)i));
        send_state(state, -1);
    }
}
