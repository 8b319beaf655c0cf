/* notify.c: tells systemd how the service is. */
#include "fs/notify.h"

#include "common/cleanup.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static void send_state(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_CLOSE int fd = -1;
    size_t size = name ? strlen(name) : 0;

    if (size == 0 || size >= sizeof address.sun_path || (*name != '/' && *name != '@'))
        return;
    memcpy(address.sun_path, name, size);
    if (*name == '@') /* an abstract name, which begins with NUL and has no end */
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)sendto(
            fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (*name == '/')));
}

void notify_ready(void)
{
    send_state("READY=1");
}

void notify_stopping(void)
{
    send_state("STOPPING=1");
}
