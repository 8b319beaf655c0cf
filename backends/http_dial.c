/* http_dial.c: a connection that is opened before there is a request for it. */
#include "backends/http_dial.h"

#include "common/cleanup.h"
#include "common/sync.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum { KEPT_MAX_MS = 60000 };

void http_dial_init(struct http_dial *dial)
{
    *dial = (struct http_dial){.fd = -1, .given = CURL_SOCKET_BAD};
}

void http_dial_done(struct http_dial *dial)
{
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
}

void http_dial_note(struct http_dial *dial, CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    socklen_t size = sizeof dial->peer;

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD ||
        getpeername(fd, (struct sockaddr *)&dial->peer, &size) < 0)
        size = 0;
    dial->peer_size = size;
}

bool http_dial_begin(struct http_dial *dial, const struct http_dial *like)
{
    const struct sockaddr *peer = (const struct sockaddr *)&like->peer;
    CLEANUP_CLOSE int fd = -1;

    if (like->peer_size == 0)
        return false;
    fd = socket(peer->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (connect(fd, peer, like->peer_size) < 0 && errno != EINPROGRESS))
        return false;
    dial->fd = steal_fd(&fd);
    dial->begun_ms = clock_now_ms();
    dial->peer = like->peer;
    dial->peer_size = like->peer_size;
    return true;
}

enum http_dial_state http_dial_look(const struct http_dial *dial)
{
    struct pollfd look = {.fd = dial->fd, .events = POLLIN | POLLOUT | POLLRDHUP};

    if (dial->fd < 0)
        return HTTP_DIAL_NONE;
    if (dial->begun_ms < clock_now_ms() - KEPT_MAX_MS)
        return HTTP_DIAL_LOST;
    if (poll(&look, 1, 0) == 0)
        return HTTP_DIAL_COMING;
    return look.revents == POLLOUT ? HTTP_DIAL_THERE : HTTP_DIAL_LOST;
}

static bool goes_to(const struct http_dial *dial, const struct curl_sockaddr *address)
{
    return dial->fd >= 0 && dial->peer_size == address->addrlen &&
           memcmp(&dial->peer, &address->addr, address->addrlen) == 0;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct http_dial *dial = arg;

    (void)purpose;
    dial->given = CURL_SOCKET_BAD;
    if (!goes_to(dial, address))
        return socket(address->family, address->socktype | SOCK_CLOEXEC,
                      address->protocol);
    dial->given = steal_fd(&dial->fd);
    return dial->given;
}

static int connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const struct http_dial *dial = arg;

    (void)purpose;
    return fd == dial->given ? CURL_SOCKOPT_ALREADY_CONNECTED : CURL_SOCKOPT_OK;
}

void http_dial_use(struct http_dial *dial, CURL *easy)
{
    /* Every libcurl has them; where they fail it opens a connection of its own. */
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, dial);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, connected);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, dial);
}
