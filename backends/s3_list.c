/* s3_list.c: lists what a bucket has below a folder. */
#include "backends/s3_list.h"

#include "backends/s3_xml.h"
#include "backends/url.h"
#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <string.h>

enum { QUERY_MAX = 3 * (BACKEND_PATH_MAX + S3_XML_TOKEN_MAX) + 256 };

struct listing {
    const struct s3_client *client;
    const char *prefix; /* "" or "folder/" */
    size_t prefix_size;
    int depth;
    backend_each *each;
    void *arg;
    bool is_seen; /* the folder exists */
    char
        last[BACKEND_PATH_MAX]; /* folder that was told, which the next page may repeat */
};

/* "a/b" with no part that is empty, "." or "..". */
static bool is_path(const char *path)
{
    for (;;) {
        size_t size = strcspn(path, "/");

        if (size == 0 || (size == 1 && path[0] == '.') ||
            (size == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        if (path[size] == '\0')
            return true;
        path += size + 1;
    }
}

static int depth_of(const char *path)
{
    int depth = 0;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

static int visit(void *arg, const struct s3_xml_entry *entry, struct error *err)
{
    struct listing *listing = arg;
    size_t size = strlen(entry->key);
    char name[BACKEND_PATH_MAX];

    if (size < listing->prefix_size ||
        memcmp(entry->key, listing->prefix, listing->prefix_size) != 0)
        return fail(err, EIO, "'%s' lists '%.200s', which does not begin with '%s'",
                    s3_client_host(listing->client), entry->key, listing->prefix);
    listing->is_seen = true;
    size -= listing->prefix_size;
    if (size == 0 || size >= sizeof name)
        return 0;
    memcpy(name, entry->key + listing->prefix_size, size + 1);
    if (entry->is_prefix && name[size - 1] == '/')
        name[size - 1] = '\0';
    if (!is_path(name) || (listing->depth >= 0 && depth_of(name) > listing->depth) ||
        (entry->is_prefix && strcmp(name, listing->last) == 0))
        return 0;
    if (entry->is_prefix)
        memcpy(listing->last, name, size);
    return listing->each(listing->arg,
                         &(struct backend_entry){.name = name,
                                                 .is_folder = entry->is_prefix,
                                                 .size = entry->size,
                                                 .mtime_s = entry->time_s},
                         err);
}

/* Parameters in the order of their names. */
static int print_query(const struct listing *listing, const char *token,
                       struct bytes *query, struct error *err)
{
    int rc = 0;

    if (*token) {
        rc = bytes_printf(query, err, "continuation-token=");
        if (rc == 0)
            rc = url_encode_query(query, token, err);
        if (rc == 0)
            rc = bytes_printf(query, err, "&");
    }
    if (rc == 0 && listing->depth == S3_LIST_FLAT)
        rc = bytes_printf(query, err, "delimiter=%%2F&");
    if (rc == 0)
        rc = bytes_printf(query, err,
                          "encoding-type=url&list-type=2&max-keys=1000&prefix=");
    return rc == 0 ? url_encode_query(query, listing->prefix, err) : rc;
}

/* One page; token is that of the next, "" if it was the last. */
static int list_page(struct s3_client *client, struct listing *listing,
                     char token[S3_XML_TOKEN_MAX], struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    CLEANUP_BYTES struct bytes query;
    struct s3_xml_reply document;
    int rc;

    bytes_init(&query, QUERY_MAX);
    rc = print_query(listing, token, &query, err);
    if (rc == 0)
        rc = s3_client_do(
            client, NULL, query.data,
            &(struct http_request){.method = HTTP_GET, .body_max = S3_XML_BYTES_MAX},
            &reply, err);
    if (rc == 0)
        rc = s3_xml_open(visit, listing, &xml, err);
    if (rc == 0)
        rc = s3_xml_feed(xml, reply.body.data, reply.body.size, err);
    if (rc == 0)
        rc = s3_xml_end(xml, &document, err);
    if (rc < 0)
        return rc;
    if (document.kind != S3_XML_LISTING)
        return fail(err, EIO,
                    "'%s' answers no listing when asked for one; is it an S3 "
                    "store?",
                    s3_client_host(client));
    if (document.is_truncated && strcmp(document.token, token) == 0)
        return fail(err, EIO, "'%s' lists the same page again and again",
                    s3_client_host(client));
    memcpy(token, document.is_truncated ? document.token : "",
           document.is_truncated ? sizeof document.token : 1);
    return 0;
}

int s3_list(struct s3_client *client, const char *folder, int depth, backend_each *each,
            void *arg, struct error *err)
{
    CLEANUP_FREE char *prefix = xasprintf("%s%s", folder, *folder ? "/" : "");
    struct listing listing = {.client = client,
                              .prefix = prefix,
                              .prefix_size = strlen(prefix),
                              .depth = depth,
                              .each = each,
                              .arg = arg};
    char token[S3_XML_TOKEN_MAX] = "";
    int rc;

    do
        rc = list_page(client, &listing, token, err);
    while (rc == 0 && *token);
    if (rc == 0 && *folder && !listing.is_seen)
        return fail(err, ENOENT, "'%s' does not exist in '%s' at '%s'", folder,
                    s3_client_bucket(client), s3_client_host(client));
    return rc;
}
