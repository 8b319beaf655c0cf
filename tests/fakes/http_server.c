/* http_server.c: a server on loopback that plays raw replies. */
#include "tests/fakes/http_server.h"

#include "common/memory.h"
#include "common/sync.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_MAX = 64 << 10,
    CONNECTIONS_MAX = 256,
    TRICKLE_MS = 10,
    WAIT_MS = 60000,
};

struct seen {
    char *head;
    uint64_t body_size;
};

struct connection {
    struct http_server *server;
    pthread_t thread;
    int fd;
};

struct http_server {
    int listen_fd, stop_fd;
    uint16_t port;
    pthread_t thread;
    struct lock lock;
    struct condition changed;
    const struct http_step *steps; /* guarded by lock, as all below */
    size_t step_count;
    struct seen seen[HTTP_SERVER_REQUESTS_MAX];
    unsigned seen_count, held, released;
    bool is_stopped;
    struct connection connections[CONNECTIONS_MAX];
    unsigned connection_count;
};

/* Wait until fd can be read; false when the server stops. */
static bool wait_readable(const struct http_server *server, int fd, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = fd,              .events = POLLIN},
        {.fd = server->stop_fd, .events = POLLIN}
    };

    poll(fds, 2, timeout_ms);
    return !fds[1].revents;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Up to the empty line, byte by byte: what follows is the body's. false at the end, and
 * of what is not HTTP. */
static bool read_head(const struct connection *connection, char *head)
{
    size_t size = 0;

    while (size < HEAD_MAX - 1) {
        if (!wait_readable(connection->server, connection->fd, -1) ||
            recv(connection->fd, head + size, 1, 0) != 1 ||
            (size == 0 && !isupper((unsigned char)head[0])))
            return false;
        head[++size] = '\0';
        if (size >= 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static uint64_t length_of(const char *head)
{
    const char *field = strcasestr(head, "\r\nContent-Length:");
    unsigned long long length = 0;

    return field && sscanf(field + 17, "%llu", &length) == 1 ? length : 0;
}

static bool read_body(const struct connection *connection, uint64_t size)
{
    char buffer[64 << 10];

    while (size > 0) {
        ssize_t got;

        if (!wait_readable(connection->server, connection->fd, -1))
            return false;
        got =
            recv(connection->fd, buffer, size < sizeof buffer ? size : sizeof buffer, 0);
        if (got <= 0)
            return false;
        size -= (uint64_t)got;
    }
    return true;
}

/* Notes the request and holds it if its step says so. Its reply is the caller's. */
static struct http_step next_step(struct http_server *server, const char *head,
                                  uint64_t body_size)
{
    struct http_step step = {.reply = "", .then = HTTP_THEN_CLOSE};

    lock_acquire(&server->lock);
    if (server->step_count > 0)
        step =
            server
                ->steps[server->seen_count < server->step_count ? server->seen_count
                                                                : server->step_count - 1];
    if (server->seen_count < HTTP_SERVER_REQUESTS_MAX)
        server->seen[server->seen_count++] =
            (struct seen){.head = xstrdup(head), .body_size = body_size};
    server->held += step.is_held;
    condition_broadcast(&server->changed);
    while (step.is_held && server->released == 0 && !server->is_stopped)
        condition_wait(&server->changed, &server->lock);
    server->released -= step.is_held && !server->is_stopped;
    step.reply = xstrdup(step.reply); /* the test may play another one now */
    lock_release(&server->lock);
    return step;
}

static void flood(const struct connection *connection, const char *reply)
{
    const char *line = reply + strlen(reply) - 2; /* before its end */

    while (line > reply && line[-1] != '\n')
        line--;
    while (send_all(connection->fd, line, strlen(line)))
        continue;
}

/* What comes after the reply; true: the next request. */
static bool go_on(const struct connection *connection, const struct http_step *step)
{
    switch (step->then) {
    case HTTP_THEN_KEEP:
        return true;
    case HTTP_THEN_CLOSE:
        break;
    case HTTP_THEN_RESET:
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                   sizeof(struct linger));
        break;
    case HTTP_THEN_STALL:
        while (wait_readable(connection->server, -1, -1))
            continue;
        break;
    case HTTP_THEN_TRICKLE:
        while (wait_readable(connection->server, -1, TRICKLE_MS) &&
               send_all(connection->fd, "x", 1))
            continue;
        break;
    case HTTP_THEN_FLOOD:
        flood(connection, step->reply);
        break;
    }
    return false;
}

static void *serve(void *arg)
{
    struct connection *connection = arg;
    char *head = xcalloc(1, HEAD_MAX);
    bool is_open = true;

    while (is_open && read_head(connection, head)) {
        uint64_t size = length_of(head);
        struct http_step step;

        if (strcasestr(head, "\r\nExpect: 100-continue"))
            send_all(connection->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        step = next_step(connection->server, head, size);
        is_open = (step.is_unread || read_body(connection, size)) &&
                  send_all(connection->fd, step.reply, strlen(step.reply)) &&
                  go_on(connection, &step);
        free((char *)step.reply);
    }
    free(head);
    close(connection->fd);
    return NULL;
}

static void *listen_for_all(void *arg)
{
    struct http_server *server = arg;

    while (wait_readable(server, server->listen_fd, -1)) {
        int fd = accept(server->listen_fd, NULL, NULL);

        lock_acquire(&server->lock);
        if (fd >= 0 && server->connection_count < CONNECTIONS_MAX) {
            struct connection *connection =
                &server->connections[server->connection_count];

            *connection = (struct connection){.server = server, .fd = fd};
            server->connection_count +=
                thread_start(&connection->thread, "http-server", serve, connection) == 0;
        }
        lock_release(&server->lock);
    }
    return NULL;
}

struct http_server *http_server_open(void)
{
    struct http_server *server = XNEW(struct http_server);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    lock_init(&server->lock);
    condition_init(&server->changed);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->stop_fd < 0 || server->listen_fd < 0 ||
        bind(server->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(server->listen_fd, CONNECTIONS_MAX) < 0 ||
        getsockname(server->listen_fd, (struct sockaddr *)&address, &size) < 0 ||
        thread_start(&server->thread, "http-listen", listen_for_all, server) < 0)
        abort();
    server->port = ntohs(address.sin_port);
    return server;
}

void http_server_close(struct http_server *server)
{
    lock_acquire(&server->lock);
    server->is_stopped = true;
    condition_broadcast(&server->changed);
    lock_release(&server->lock);
    eventfd_write(server->stop_fd, 1);
    pthread_join(server->thread, NULL);
    for (unsigned i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i].thread, NULL);
    http_server_play(server, NULL, 0);
    close(server->listen_fd);
    close(server->stop_fd);
    condition_done(&server->changed);
    lock_done(&server->lock);
    free(server);
}

void http_server_play(struct http_server *server, const struct http_step *steps,
                      size_t count)
{
    lock_acquire(&server->lock);
    server->steps = steps;
    server->step_count = count;
    for (unsigned i = 0; i < server->seen_count; i++)
        free(server->seen[i].head);
    server->seen_count = 0;
    lock_release(&server->lock);
}

void http_server_url(const struct http_server *server, const char *path,
                     char ret_url[HTTP_SERVER_URL_MAX])
{
    snprintf(ret_url, HTTP_SERVER_URL_MAX, "http://127.0.0.1:%u%s", server->port, path);
}

unsigned http_server_requests(struct http_server *server)
{
    unsigned count;

    lock_acquire(&server->lock);
    count = server->seen_count;
    lock_release(&server->lock);
    return count;
}

unsigned http_server_connections(struct http_server *server)
{
    unsigned count;

    lock_acquire(&server->lock);
    count = server->connection_count;
    lock_release(&server->lock);
    return count;
}

const char *http_server_request(struct http_server *server, unsigned number)
{
    const char *head;

    lock_acquire(&server->lock);
    head = number < server->seen_count ? server->seen[number].head : "";
    lock_release(&server->lock);
    return head;
}

uint64_t http_server_body_size(struct http_server *server, unsigned number)
{
    uint64_t size;

    lock_acquire(&server->lock);
    size = number < server->seen_count ? server->seen[number].body_size : 0;
    lock_release(&server->lock);
    return size;
}

unsigned http_server_wait_held(struct http_server *server, unsigned count)
{
    int64_t deadline_ms = clock_now_ms() + WAIT_MS;
    unsigned held;

    lock_acquire(&server->lock);
    while (server->held < count &&
           condition_wait_until(&server->changed, &server->lock, deadline_ms) == 0)
        continue;
    held = server->held;
    lock_release(&server->lock);
    return held;
}

void http_server_release(struct http_server *server, unsigned count)
{
    lock_acquire(&server->lock);
    server->released += count;
    server->held -= count < server->held ? count : server->held;
    condition_broadcast(&server->changed);
    lock_release(&server->lock);
}
