/* http_head.c: the head of a reply: status and the fields that count. */
#include "backends/http_head.h"

#include "backends/http_fields.h"
#include "common/text.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum {
    DATE_BYTES_MAX = 64,
    INTERIM_END = 200, /* statuses below are interim */
    RETRY_AFTER_MAX_S = 7 * 24 * 3600,
};

void http_head_init(struct http_head *head)
{
    *head = (struct http_head){.retry_after_ms = -1};
    bytes_init(&head->text, HTTP_HEAD_MAX);
}

void http_head_done(struct http_head *head)
{
    bytes_done(&head->text);
}

/* A new reply begins; what was seen so far stays counted. */
static void start_over(struct http_head *head, int status)
{
    size_t seen = head->seen;

    http_head_done(head);
    http_head_init(head);
    head->seen = seen;
    head->status = status;
}

static bool read_u64(const char *text, size_t size, uint64_t *ret_value)
{
    char digits[24];
    struct error ignored = {0}; /* the caller's sentence says more */

    if (size == 0 || size >= sizeof digits)
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    return text_to_u64(digits, ret_value, &ignored) == 0;
}

/* "bytes 0-99/1000", or a star in place of the size. false: it is none. */
static bool parse_range(const char *text, struct range *ret_range, bool *ret_has_size,
                        uint64_t *ret_size)
{
    struct range range;
    uint64_t size = 0;
    size_t dash, slash;
    bool has_size;

    if (strncasecmp(text, "bytes ", 6) != 0)
        return false;
    text += 6 + strspn(text + 6, " ");
    dash = strcspn(text, "-");
    slash = strcspn(text, "/");
    if (dash >= slash || text[slash] == '\0' || !read_u64(text, dash, &range.first) ||
        !read_u64(text + dash + 1, slash - dash - 1, &range.last) ||
        range.first > range.last || range.last == UINT64_MAX)
        return false;
    text += slash + 1;
    has_size = strcmp(text, "*") != 0;
    if (has_size && (!read_u64(text, strlen(text), &size) || range.last >= size))
        return false;
    *ret_range = range;
    *ret_has_size = has_size;
    *ret_size = size;
    return true;
}

/* A date as RFC 9110 has it, also its two old forms. Unix time, or 0. */
static int64_t parse_date(const char *text)
{
    time_t date;

    if (strlen(text) > DATE_BYTES_MAX)
        return 0;
    date = curl_getdate(text, NULL);
    return date > 0 ? (int64_t)date : 0;
}

static void read_length(struct http_head *head, const char *value)
{
    uint64_t length;

    if (!read_u64(value, strlen(value), &length) ||
        (head->has_length && head->length != length)) {
        head->is_unclear = true;
        return;
    }
    head->length = length;
    head->has_length = true;
}

static void read_range(struct http_head *head, const char *value)
{
    if (strncasecmp(value, "bytes */", 8) == 0) /* of 416: nothing was sent */
        return;
    if (head->has_range ||
        !parse_range(value, &head->range, &head->has_size, &head->size))
        head->is_unclear = true;
    else
        head->has_range = true;
}

static void read_etag(struct http_head *head, const char *value)
{
    if (head->etag[0] && strcmp(head->etag, value) != 0)
        head->is_unclear = true;
    else if (strlen(value) < sizeof head->etag)
        memcpy(head->etag, value, strlen(value) + 1);
}

static void read_encoding(struct http_head *head, const char *value)
{
    /* aws-chunked is about how an object was sent, and stays with it on some stores. */
    head->is_encoded |= strcasecmp(value, "identity") != 0 &&
                        strcasecmp(value, "aws-chunked") != 0 && value[0];
}

static void read_chunked(struct http_head *head, const char *value)
{
    (void)value; /* whichever it is, it says where the body ends */
    head->is_chunked = true;
}

static void read_date(struct http_head *head, const char *value)
{
    head->date_s = parse_date(value);
}

static void read_modified(struct http_head *head, const char *value)
{
    head->modified_s = parse_date(value);
}

static const struct {
    const char *name;
    void (*read)(struct http_head *head, const char *value);
} known[] = {
    {"content-length",    read_length  },
    {"content-range",     read_range   },
    {"content-encoding",  read_encoding},
    {"transfer-encoding", read_chunked },
    {"etag",              read_etag    },
    {"date",              read_date    },
    {"last-modified",     read_modified},
};

/* Keep a field; what is none is left out, as others do. */
static int add_field(struct http_head *head, const char *line, size_t size,
                     struct error *err)
{
    const char *colon = memchr(line, ':', size);
    size_t name_size = colon ? (size_t)(colon - line) : 0;
    size_t at = head->text.size;
    const char *value;
    int rc;

    if (!http_fields_is_name(line, name_size) || memchr(line, '\0', size))
        return 0;
    value = colon + 1;
    size -= name_size + 1;
    while (size > 0 && (*value == ' ' || *value == '\t'))
        value++, size--;
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    rc = bytes_append(&head->text, line, name_size, err);
    if (rc == 0)
        rc = bytes_append(&head->text, "", 1, err);
    if (rc == 0)
        rc = bytes_append(&head->text, value, size, err);
    if (rc == 0)
        rc = bytes_append(&head->text, "", 1, err);
    for (size_t i = 0; rc == 0 && i < name_size; i++)
        head->text.data[at + i] = (char)tolower((unsigned char)head->text.data[at + i]);
    for (size_t i = 0; rc == 0 && i < sizeof known / sizeof *known; i++)
        if (strcmp(head->text.data + at, known[i].name) == 0)
            known[i].read(head, head->text.data + at + name_size + 1);
    return rc;
}

void http_head_each(const struct http_head *head,
                    void (*field)(void *arg, const char *name, const char *value),
                    void *arg)
{
    const char *at = head->text.data, *end = at + head->text.size;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        field(arg, at, value);
        at = value + strlen(value) + 1;
    }
}

/* Seconds, or a date, which counts from the server's own. */
static int64_t parse_retry_after(const char *value, int64_t date_s)
{
    uint64_t delay = 0;
    int64_t then;

    if (read_u64(value, strlen(value), &delay))
        return delay < RETRY_AFTER_MAX_S ? (int64_t)delay * 1000
                                         : (int64_t)RETRY_AFTER_MAX_S * 1000;
    then = parse_date(value);
    if (then == 0 || date_s == 0)
        return -1;
    if (then <= date_s)
        return 0;
    return then - date_s < RETRY_AFTER_MAX_S ? (then - date_s) * 1000
                                             : (int64_t)RETRY_AFTER_MAX_S * 1000;
}

/* What points into the text or depends on several fields. */
static void finish_field(void *arg, const char *name, const char *value)
{
    struct http_head *head = arg;

    if (strcmp(name, "location") == 0)
        head->location = value;
    if (strcmp(name, "retry-after") == 0)
        head->retry_after_ms = parse_retry_after(value, head->date_s);
}

static int parse_status(struct http_head *head, const char *line, size_t size,
                        struct error *err)
{
    const char *space = memchr(line, ' ', size);
    size_t at = space ? (size_t)(space - line) + 1 : size;
    int status = 0;

    if (size < at + 3)
        return fail(err, EIO, "a status line without a status");
    for (size_t i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)line[at + i]))
            return fail(err, EIO, "a status line without a status");
        status = status * 10 + (line[at + i] - '0');
    }
    if (status < 100 || (size > at + 3 && line[at + 3] != ' '))
        return fail(err, EIO, "a status line without a status");
    start_over(head, status);
    head->is_framed = line[5] != '1';
    return 0;
}

int http_head_line(struct http_head *head, const char *line, size_t size,
                   struct error *err)
{
    if (head->seen > HTTP_HEAD_MAX - size || size > HTTP_HEAD_MAX)
        return fail(err, EFBIG, "the head of the reply has more than %d bytes",
                    HTTP_HEAD_MAX);
    head->seen += size;
    if (head->is_complete) /* fields after a chunked body */
        return 0;
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        size--;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0)
        return parse_status(head, line, size, err);
    if (size > 0)
        return add_field(head, line, size, err);
    if (head->status >= INTERIM_END) {
        head->is_complete = true;
        http_head_each(head, finish_field, head);
    }
    return 0;
}
