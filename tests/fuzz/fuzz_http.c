/* fuzz_http.c: whatever a server says, the span never takes a byte that lies outside, and
 * a redirect never leads out of http and https. The first byte chooses what was asked. */
#include "backends/http_head.h"
#include "backends/http_span.h"
#include "backends/url.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_field(void *arg, const char *name, const char *value)
{
    size_t *total = arg;

    assert(name[0]);
    *total += strlen(name) + strlen(value) + 2;
}

/* Lines up to the end of a head, the rest is a body. Returns bytes used. */
static size_t read_head(struct http_head *head, const char *text, size_t size)
{
    size_t at = 0, total = 0;
    struct error err = {0};

    while (at < size && !head->is_complete) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t line = end ? (size_t)(end - text) + 1 - at : size - at;

        if (http_head_line(head, text + at, line, &err) < 0)
            return size;
        at += line;
    }
    http_head_each(head, check_field, &total);
    assert(total == head->text.size);
    assert(!head->has_range || head->range.first <= head->range.last);
    assert(!head->has_size || head->range.last < head->size);
    assert(head->retry_after_ms >= -1);
    return at;
}

static void take_body(struct http_span *span, const char *body, size_t size)
{
    uint64_t before = span->done;
    const char *at = body;
    size_t got = http_span_take(span, &at, size);
    struct error err = {0};

    assert(at >= body && at + got <= body + size);
    assert(span->done == before + got);
    assert(!span->has_size || span->done <= span->size);
    if (http_span_end(span, &err) == 0)
        assert(http_span_is_done(span));
}

static void check_redirect(const struct http_head *head)
{
    CLEANUP_BYTES struct bytes to;
    struct error err = {0};
    struct url url;

    bytes_init(&to, URL_MAX);
    if (!head->location ||
        url_join("https://host/a/b?c", head->location, &to, &err) < 0 ||
        url_parse(to.data, URL_NONE, &url, &err) < 0)
        return;
    assert(url.scheme == URL_HTTP || url.scheme == URL_HTTPS);
    assert(url.host[0] && !strpbrk(url.host, "@/?# \r\n"));
    assert(!strpbrk(to.data, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum http_part part = size > 0 ? (enum http_part)(data[0] % 3) : HTTP_WHOLE;
    const char *if_match = size > 0 && data[0] & 4 ? "\"v1\"" : NULL;
    struct http_span span;
    struct error err = {0};
    size_t at = 1;

    if (http_span_init(&span, part, (struct range){2, 5}, 4, if_match, &err) < 0)
        abort();
    /* Several replies: each goes on where the one before broke off. */
    while (at < size) {
        struct http_head head;
        char field[HTTP_SPAN_FIELD_MAX];

        http_head_init(&head);
        at += read_head(&head, (const char *)data + at, size - at);
        check_redirect(&head);
        (void)http_span_field(&span, field); /* whatever it is */
        if (head.is_complete && head.status / 100 == 2 &&
            http_span_begin(&span, &head, &err) == 0 && at < size) {
            size_t body = size - at < 8 ? size - at : 8;

            take_body(&span, (const char *)data + at, body);
            at += body;
        }
        http_head_done(&head);
    }
    return 0;
}
