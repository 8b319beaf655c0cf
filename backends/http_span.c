/* http_span.c: which bytes of an object a request is still to bring. */
#include "backends/http_span.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int http_span_init(struct http_span *span, enum http_part part, struct range range,
                   uint64_t suffix_size, const char *if_match, struct error *err)
{
    *span = (struct http_span){.part = part, .suffix_size = suffix_size};
    if (if_match && strlen(if_match) >= sizeof span->etag)
        return fail(err, EINVAL, "an ETag of more than %zu bytes", sizeof span->etag - 1);
    if (if_match)
        memcpy(span->etag, if_match, strlen(if_match) + 1);
    span->is_placed = part != HTTP_SUFFIX;
    if (part == HTTP_RANGE) {
        span->first = range.first;
        span->size = range.last - range.first + 1;
        span->has_size = true;
    }
    return 0;
}

void http_span_restart(struct http_span *span, const char *if_match)
{
    struct error ignored = {0}; /* it was long enough the first time */
    struct range range = {span->first, span->first + span->size - 1};
    bool is_whole_document = span->is_whole_document;

    (void)http_span_init(span, span->part, range, span->suffix_size, if_match, &ignored);
    span->is_whole_document = is_whole_document;
}

bool http_span_field(const struct http_span *span, char ret_field[HTTP_SPAN_FIELD_MAX])
{
    uint64_t next = span->first + span->done;

    if (span->part == HTTP_WHOLE && span->done == 0)
        return false;
    if (!span->is_placed)
        snprintf(ret_field, HTTP_SPAN_FIELD_MAX, "bytes=-%" PRIu64, span->suffix_size);
    else if (span->has_size)
        snprintf(ret_field, HTTP_SPAN_FIELD_MAX, "bytes=%" PRIu64 "-%" PRIu64, next,
                 span->first + span->size - 1);
    else
        snprintf(ret_field, HTTP_SPAN_FIELD_MAX, "bytes=%" PRIu64 "-", next);
    return true;
}

const char *http_span_condition(const struct http_span *span)
{
    bool is_strong = span->etag[0] && strncmp(span->etag, "W/", 2) != 0;

    return is_strong ? span->etag : NULL;
}

static int check_object(struct http_span *span, const struct http_head *head,
                        uint64_t object_size, bool has_object_size, struct error *err)
{
    if (head->is_unclear)
        return fail(err, EIO,
                    "the reply's Content-Length, Content-Range or ETag "
                    "cannot be understood");
    if (head->is_encoded)
        return fail(err, EIO, "the reply is compressed, which was not asked for");
    if (span->is_whole_document)
        return 0;
    if (span->etag[0] && !head->etag[0])
        return fail(err, EIO, "the reply does not say of which version it is (ETag)");
    if (span->etag[0] && strcmp(span->etag, head->etag) != 0)
        return fail(err, ESTALE, "the object was replaced meanwhile (ETag %s, was %s)",
                    head->etag, span->etag);
    if (span->has_object_size && has_object_size && span->object_size != object_size)
        return fail(err, ESTALE,
                    "the object was replaced meanwhile (%" PRIu64 " bytes, were %" PRIu64
                    ")",
                    object_size, span->object_size);
    if (!span->etag[0])
        memcpy(span->etag, head->etag, sizeof span->etag);
    if (has_object_size) {
        span->object_size = object_size;
        span->has_object_size = true;
    }
    return 0;
}

/* The object's size is known: where the part lies in it. */
static int set_bounds(struct http_span *span, struct error *err)
{
    uint64_t size = span->object_size;

    if (!span->is_placed) {
        span->size = span->suffix_size < size ? span->suffix_size : size;
        span->first = size - span->size;
        span->is_placed = true;
    } else if (span->part == HTTP_WHOLE && size < span->done) {
        return fail(err, ESTALE, "the object was replaced meanwhile by a shorter one");
    } else if (span->part == HTTP_WHOLE) {
        span->size = size;
    } else if (span->first >= size || span->size > size - span->first) {
        return fail(err, EIO, "the object has %" PRIu64 " bytes, too few for the range",
                    size);
    }
    span->has_size = true;
    return 0;
}

static int begin_part(struct http_span *span, const struct http_head *head,
                      struct error *err)
{
    char field[HTTP_SPAN_FIELD_MAX];
    uint64_t next, left, got = head->range.last - head->range.first + 1;
    int rc = check_object(span, head, head->size, head->has_size, err);

    if (rc < 0)
        return rc;
    if (!http_span_field(span, field))
        return fail(err, EIO, "the reply is a part that was not asked for");
    if (!head->has_range || (!span->has_object_size && !span->is_placed))
        return fail(err, EIO, "the reply does not say which part it is (Content-Range)");
    if (span->has_object_size)
        rc = set_bounds(span, err);
    if (rc < 0)
        return rc;
    next = span->first + span->done;
    left = span->has_size ? span->size - span->done : got;
    if (head->range.first != next || got != left)
        return fail(err, EIO,
                    "the reply brings bytes %" PRIu64 " to %" PRIu64
                    ", asked for were %s",
                    head->range.first, head->range.last, field);
    if (head->has_length && head->length != got)
        return fail(err, EIO,
                    "the reply has %" PRIu64 " bytes, not the %" PRIu64 " of its range",
                    head->length, got);
    if (!span->has_size) {
        span->size = span->done + got;
        span->has_size = true;
    }
    return 0;
}

static int begin_whole(struct http_span *span, const struct http_head *head,
                       struct error *err)
{
    int rc = check_object(span, head, head->length, head->has_length, err);

    if (rc < 0)
        return rc;
    if (!head->has_length && !head->is_chunked && !head->is_framed && head->status != 204)
        return fail(err, EIO, "the reply does not say where it ends");
    if (span->has_object_size)
        rc = set_bounds(span, err);
    else if (!span->is_placed)
        rc = fail(err, ENOTSUP,
                  "the server ignores ranges and does not say how large "
                  "the object is");
    if (rc < 0)
        return rc;
    span->skip = span->first + span->done;
    if (span->skip > HTTP_SPAN_SKIP_MAX)
        return fail(err, ENOTSUP, "the server ignores ranges");
    return 0;
}

int http_span_begin(struct http_span *span, const struct http_head *head,
                    struct error *err)
{
    span->skip = 0;
    return head->status == 206 ? begin_part(span, head, err)
                               : begin_whole(span, head, err);
}

size_t http_span_take(struct http_span *span, const char **data, size_t size)
{
    size_t skipped = span->skip < size ? (size_t)span->skip : size;

    *data += skipped;
    size -= skipped;
    span->skip -= skipped;
    if (span->has_size && span->size - span->done < size)
        size = (size_t)(span->size - span->done);
    span->done += size;
    return size;
}

bool http_span_is_done(const struct http_span *span)
{
    return span->has_size && span->done == span->size;
}

int http_span_end(struct http_span *span, struct error *err)
{
    if (span->skip > 0 || (span->has_size && span->done < span->size))
        return fail(err, EIO, "the reply ended after %" PRIu64 " of %" PRIu64 " bytes",
                    span->done, span->has_size ? span->size : span->first);
    if (!span->has_size) {
        span->size = span->done;
        span->has_size = true;
    }
    return 0;
}

bool http_span_is_lost(const struct http_span *span)
{
    return span->done > 0 && (span->is_whole_document || !http_span_condition(span));
}
