/* http_dial.h: a connection that is opened before there is a request for it.
 *
 *     http_dial_note(&kept->dial, kept->easy);         after a transfer of kept
 *     if (http_dial_begin(&dial, &kept->dial)) ...     another one to the same place
 *     if (http_dial_look(&dial) == HTTP_DIAL_THERE)
 *         http_dial_use(&dial, easy);                  easy opens no other
 *     http_dial_done(&dial);
 *
 * TCP alone: libcurl keeps no connection that never had a request, but takes the socket
 * of one. Nothing here waits. Not thread-safe. */
#ifndef BACKENDS_HTTP_DIAL_H
#define BACKENDS_HTTP_DIAL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum http_dial_state {
    HTTP_DIAL_NONE, /* nothing was begun, or libcurl has it */
    HTTP_DIAL_COMING,
    HTTP_DIAL_THERE,
    HTTP_DIAL_LOST, /* refused, closed by the other side, or a minute old: what lies
                       between forgets, and tells nobody */
};

struct http_dial {
    int fd;                       /* -1: none */
    int64_t begun_ms;             /* when it was begun */
    curl_socket_t given;          /* what libcurl got of us last */
    struct sockaddr_storage peer; /* where connections go */
    socklen_t peer_size;          /* 0: not known */
};

void http_dial_init(struct http_dial *dial);
void http_dial_done(struct http_dial *dial);

/* Remember where the connection of easy goes, which is in its multi handle. */
void http_dial_note(struct http_dial *dial, CURL *easy);

/* Begin a connection to where that of like goes. false: that is not known, or fails. */
bool http_dial_begin(struct http_dial *dial, const struct http_dial *like);

enum http_dial_state http_dial_look(const struct http_dial *dial);

/* Let the next transfer of easy have it, if that is to go there. dial must live on until
 * the transfer ended. */
void http_dial_use(struct http_dial *dial, CURL *easy);

#endif
