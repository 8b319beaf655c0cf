/* http_span.h: which bytes of an object a request is still to bring, over all its tries,
 * and whether a reply brings them. Pure.
 *
 *     rc = http_span_init(&span, HTTP_RANGE, range, 0, if_match, &err);
 *     for each try:
 *         http_span_field(&span, text)         "bytes=512-1023", to be asked for
 *         http_span_condition(&span)           the ETag for If-Match
 *         rc = http_span_begin(&span, &head, &err);         is this what was asked?
 *         size = http_span_take(&span, &data, size)         the part of it that counts
 *         rc = http_span_end(&span, &err);                  was that all? */
#ifndef BACKENDS_HTTP_SPAN_H
#define BACKENDS_HTTP_SPAN_H

#include "backends/http.h"
#include "backends/http_head.h"

enum {
    HTTP_SPAN_FIELD_MAX = 64,
    HTTP_SPAN_SKIP_MAX = 8 << 20, /* bytes thrown away where a server ignores a range */
};

struct http_span {
    enum http_part part;
    uint64_t suffix_size;
    uint64_t first;       /* of the part; known if is_placed */
    uint64_t size;        /* of the part; known if has_size */
    uint64_t done;        /* bytes of it that came */
    uint64_t object_size; /* known if has_object_size */
    uint64_t skip;        /* of the reply: still to be thrown away */
    bool is_placed, has_size, has_object_size;
    bool is_whole_document;     /* etag is not compared: the reply of a POST */
    char etag[BACKEND_TAG_MAX]; /* of the one object that all replies are of; "": any */
};

/* if_match may be NULL. -EINVAL if it is no ETag. */
int http_span_init(struct http_span *span, enum http_part part, struct range range,
                   uint64_t suffix_size, const char *if_match, struct error *err);

/* The value of the Range field; false: there is to be none. */
bool http_span_field(const struct http_span *span, char ret_field[HTTP_SPAN_FIELD_MAX]);

/* The value of If-Match, or NULL. A weak ETag never matches and is only compared. */
const char *http_span_condition(const struct http_span *span);

/* A 2xx reply begins. -ESTALE another object; -EIO not what was asked for, which may
 * pass; -ENOTSUP ranges are ignored. */
int http_span_begin(struct http_span *span, const struct http_head *head,
                    struct error *err);

/* Of size bytes at *data that came: moves *data to the first that counts, returns how
 * many do and counts them. */
size_t http_span_take(struct http_span *span, const char **data, size_t size);

/* All bytes came; false as long as nobody knows how many there are. */
bool http_span_is_done(const struct http_span *span);

/* The reply ended well: was that all? 0 or -EIO. */
int http_span_end(struct http_span *span, struct error *err);

/* Bytes that came cannot be followed by others of the same object for sure. */
bool http_span_is_lost(const struct http_span *span);

/* Forget what came: the part starts anew. */
void http_span_restart(struct http_span *span, const char *if_match);

#endif
