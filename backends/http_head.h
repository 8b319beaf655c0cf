/* http_head.h: the head of a reply: status and the fields that count, with limits. Pure.
 *
 *     http_head_init(&head);
 *     rc = http_head_line(&head, line, size, &err);       each line as it comes
 *     if (head.is_complete && head.status == 206 && head.has_range) ...
 *     http_head_done(&head);
 *
 * Interim replies (1xx) are counted and forgotten. */
#ifndef BACKENDS_HTTP_HEAD_H
#define BACKENDS_HTTP_HEAD_H

#include "backends/backend_types.h"

enum { HTTP_HEAD_MAX = 64 << 10 }; /* bytes of all heads of one try */

struct http_head {
    int status;
    bool is_complete; /* of the final reply */
    bool has_length;
    bool has_range;  /* Content-Range: bytes first-last/... */
    bool has_size;   /* ... and the size behind the slash */
    bool is_chunked; /* some Transfer-Encoding */
    bool is_framed;  /* HTTP/2 or later, which tells the end of a body */
    bool is_encoded; /* a Content-Encoding that changes the bytes */
    bool is_unclear; /* a field that must agree came twice or cannot be read */
    uint64_t length; /* Content-Length */
    struct range range;
    uint64_t size;
    int64_t date_s, modified_s; /* Unix time, 0: unknown */
    int64_t retry_after_ms;     /* -1: not said */
    char etag[BACKEND_TAG_MAX]; /* "" also for one that is too long */
    const char *location;       /* NULL: none; within text */
    /* Fields of the final reply: name NUL value NUL, name in lower case. */
    struct bytes text;
    size_t seen; /* bytes of lines, of interim replies too */
};

void http_head_init(struct http_head *head);
void http_head_done(struct http_head *head);

/* One line with or without its end; an empty one ends a head. -EIO for a status line that
 * is none, -EFBIG past the limit. */
int http_head_line(struct http_head *head, const char *line, size_t size,
                   struct error *err);

void http_head_each(const struct http_head *head,
                    void (*field)(void *arg, const char *name, const char *value),
                    void *arg);

#endif
