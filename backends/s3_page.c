/* s3_page.c: one page of a listing. */
#include "backends/s3_page.h"

#include "backends/url.h"
#include "common/cleanup.h"

#include <errno.h>
#include <string.h>

enum { QUERY_MAX = 3 * (2 * BACKEND_PATH_MAX + S3_XML_TOKEN_MAX) + 256 };

/* Before each name. */
struct fixed {
    uint64_t size;
    int64_t time_s;
    bool is_prefix;
};

struct reader {
    const struct s3_page_ask *ask;
    size_t prefix_size;
    struct bytes *entries;
};

void s3_page_init(struct s3_page *page)
{
    bytes_init(&page->entries, S3_XML_BYTES_MAX);
    page->token[0] = '\0';
}

void s3_page_done(struct s3_page *page)
{
    bytes_done(&page->entries);
}

static int pack(void *arg, const struct s3_xml_entry *entry, struct error *err)
{
    struct reader *reader = arg;
    struct fixed fixed = {
        .size = entry->size, .time_s = entry->time_s, .is_prefix = entry->is_prefix};
    const char *name = entry->key + reader->prefix_size;
    int rc;

    if (strncmp(entry->key, reader->ask->prefix, reader->prefix_size) != 0)
        return fail(err, EIO, "'%s' lists '%.200s', which does not begin with '%s'",
                    s3_client_host(reader->ask->client), entry->key, reader->ask->prefix);
    rc = bytes_append(reader->entries, &fixed, sizeof fixed, err);
    return rc < 0 ? rc : bytes_append(reader->entries, name, strlen(name) + 1, err);
}

bool s3_page_next(const struct s3_page *page, size_t *position,
                  struct s3_xml_entry *ret_entry)
{
    const char *at = page->entries.data + *position;
    struct fixed fixed;

    if (*position >= page->entries.size)
        return false;
    memcpy(&fixed, at, sizeof fixed);
    *ret_entry = (struct s3_xml_entry){.key = at + sizeof fixed,
                                       .is_prefix = fixed.is_prefix,
                                       .size = fixed.size,
                                       .time_s = fixed.time_s,
                                       .upload_id = ""};
    *position += sizeof fixed + strlen(ret_entry->key) + 1;
    return true;
}

/* Parameters in the order of their names. */
static int print_query(const struct s3_page_ask *ask, struct bytes *query,
                       struct error *err)
{
    int rc = 0;

    if (*ask->token) {
        rc = bytes_printf(query, err, "continuation-token=");
        if (rc == 0)
            rc = url_encode_query(query, ask->token, err);
        if (rc == 0)
            rc = bytes_printf(query, err, "&");
    }
    if (rc == 0 && ask->is_flat)
        rc = bytes_printf(query, err, "delimiter=%%2F&");
    if (rc == 0)
        rc = bytes_printf(query, err,
                          "encoding-type=url&list-type=2&max-keys=1000&prefix=");
    if (rc == 0)
        rc = url_encode_query(query, ask->prefix, err);
    if (rc == 0 && *ask->first && !*ask->token) {
        rc = bytes_printf(query, err, "&start-after=");
        if (rc == 0)
            rc = url_encode_query(query, ask->prefix, err);
        if (rc == 0)
            rc = url_encode_query(query, ask->first, err);
    }
    return rc;
}

static int parse(struct reader *reader, const struct http_reply *reply,
                 struct s3_xml_reply *ret_document, struct error *err)
{
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    int rc = s3_xml_open(pack, reader, &xml, err);

    if (rc == 0)
        rc = s3_xml_feed(xml, reply->body.data, reply->body.size, err);
    return rc < 0 ? rc : s3_xml_end(xml, ret_document, err);
}

int s3_page_get(const struct s3_page_ask *ask, struct s3_page *page, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    CLEANUP_BYTES struct bytes query;
    const char *host = s3_client_host(ask->client);
    struct reader reader = {
        .ask = ask, .prefix_size = strlen(ask->prefix), .entries = &page->entries};
    struct s3_xml_reply document;
    int rc;

    bytes_init(&query, QUERY_MAX);
    bytes_cut(&page->entries, 0, 0);
    rc = print_query(ask, &query, err);
    if (rc == 0)
        rc = s3_client_do(
            ask->client, NULL, query.data,
            &(struct http_request){.method = HTTP_GET, .body_max = ask->body_max}, &reply,
            err);
    if (rc == 0)
        rc = parse(&reader, &reply, &document, err);
    if (rc < 0)
        return rc;
    if (document.kind != S3_XML_LISTING)
        return fail(err, EIO,
                    "'%s' answers no listing when asked for one; is it an S3 store?",
                    host);
    if (document.is_truncated && strcmp(document.token, ask->token) == 0)
        return fail(err, EIO, "'%s' lists the same page again and again", host);
    memcpy(page->token, document.is_truncated ? document.token : "",
           document.is_truncated ? sizeof document.token : 1);
    return 0;
}
