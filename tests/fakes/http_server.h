/* http_server.h: a server on loopback that plays raw replies, for tests of the HTTP
 * layer.
 *
 *     struct http_server *server = http_server_open();
 *     http_server_play(server, steps, ARRAY_SIZE(steps));
 *     ... http_server_url(server, "/a", url) ...
 *     assert_string_contains(http_server_request(server, 0), "Range: bytes=0-9\r\n");
 *     http_server_close(server);
 *
 * The n-th request, on whichever connection, gets the n-th step; those behind the last
 * step get the last one again. */
#ifndef TESTS_FAKES_HTTP_SERVER_H
#define TESTS_FAKES_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_SERVER_URL_MAX = 256,
    HTTP_SERVER_REQUESTS_MAX = 256,
};

enum http_then {
    HTTP_THEN_KEEP,  /* the connection waits for the next request */
    HTTP_THEN_CLOSE, /* end of stream */
    HTTP_THEN_RESET,
    HTTP_THEN_STALL,   /* nothing more, and open until the server closes */
    HTTP_THEN_TRICKLE, /* an "x" each 10 ms */
    HTTP_THEN_FLOOD,   /* the reply's last line again and again */
};

struct http_step {
    const char *reply; /* as it stands on the wire */
    enum http_then then;
    bool is_held;   /* until http_server_release */
    bool is_unread; /* the request's body is not read */
};

struct http_server;

struct http_server *http_server_open(void);
void http_server_close(struct http_server *server);

/* steps are lent until the next play or close. Forgets the requests so far. */
void http_server_play(struct http_server *server, const struct http_step *steps,
                      size_t count);
void http_server_url(const struct http_server *server, const char *path,
                     char ret_url[HTTP_SERVER_URL_MAX]);

unsigned http_server_requests(struct http_server *server);
unsigned http_server_connections(struct http_server *server); /* since open */

/* The head of a request as it came; lent until the next play. */
const char *http_server_request(struct http_server *server, unsigned number);
uint64_t http_server_body_size(struct http_server *server, unsigned number);

/* Wait until so many requests are held, for at most 60 s; how many are. */
unsigned http_server_wait_held(struct http_server *server, unsigned count);

/* Lets so many of them go on: they are held no more. */
void http_server_release(struct http_server *server, unsigned count);

#endif
