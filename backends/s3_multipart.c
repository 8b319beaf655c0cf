/* s3_multipart.c: puts an object in parts. */
#include "backends/s3_multipart.h"

#include "backends/s3_parts.h"
#include "backends/s3_xml.h"
#include "backends/url.h"
#include "common/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    PART_BYTES_MIN = 16 << 20,
    PARTS_MAX = 10000,
    COMPLETE_TRIES = 3,
    COMPLETE_BYTES_MAX = PARTS_MAX * (BACKEND_TAG_MAX + 100),
    QUERY_MAX = 8 << 10,
};

struct upload {
    const struct s3_put *put;
    const char *checksum;
    char id[S3_XML_TOKEN_MAX];
    struct s3_parts *parts;
};

/* Round numbers, as few as the store allows. */
static uint64_t choose_part_size(uint64_t size)
{
    uint64_t needed = size / PARTS_MAX + 1;

    return needed <= PART_BYTES_MIN ? PART_BYTES_MIN : (needed + MIB - 1) / MIB * MIB;
}

static int begin(struct upload *upload, const struct http_field *description,
                 struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct s3_xml_reply document;
    struct http_request request = {
        .method = HTTP_POST,
        .is_repeatable = true, /* an upload more is dropped by the store's own rules */
    };
    int rc;

    memcpy(request.extra, description, S3_PUT_DESCRIPTION_MAX * sizeof *description);
    rc = s3_client_do(upload->put->client, upload->put->key, "uploads=", &request, &reply,
                      err);
    if (rc == 0)
        rc = s3_xml_parse(reply.body.data, reply.body.size, &document, err);
    if (rc < 0)
        return rc;
    if (document.kind != S3_XML_UPLOAD_BEGUN || !document.upload_id[0])
        return fail(err, EIO, "'%s' begins an upload without a name for it",
                    s3_client_host(upload->put->client));
    memcpy(upload->id, document.upload_id, sizeof upload->id);
    return 0;
}

static int print_query(const char *id, struct bytes *query, struct error *err)
{
    int rc = bytes_printf(query, err, "uploadId=");

    return rc == 0 ? url_encode_query(query, id, err) : rc;
}

static int drop(struct s3_client *client, const char *key, const char *id,
                struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    CLEANUP_BYTES struct bytes query;
    int rc;

    bytes_init(&query, QUERY_MAX);
    rc = print_query(id, &query, err);
    return rc == 0
               ? s3_client_do(client, key, query.data,
                              &(struct http_request){.method = HTTP_DELETE}, &reply, err)
               : rc;
}

/* Is what stands at the path now what the condition wants to be there? */
static int check_condition(const struct s3_put *put, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct error unused = {0};
    int rc;

    if (!put->condition.name)
        return 0;
    rc = s3_client_do(put->client, put->key, NULL,
                      &(struct http_request){.method = HTTP_HEAD}, &reply, &unused);
    if (rc < 0 && rc != -ENOENT) {
        *err = unused;
        return rc;
    }
    if (put->expected_tag ? rc == 0 && strcmp(reply.etag, put->expected_tag) == 0
                          : rc == -ENOENT)
        return 0;
    return fail(err, ESTALE, "'%s' is another version by now", put->key);
}

struct seen_checksum {
    char md5[BACKEND_CHECKSUM_MAX];
};

static void see_checksum(void *arg, const char *name, const char *value)
{
    struct seen_checksum *seen = arg;

    if (strcmp(name, "x-amz-meta-checksum") == 0)
        snprintf(seen->md5, sizeof seen->md5, "%s", value);
}

/* After a failure that may have come too late: is our object there? */
static bool has_arrived(const struct upload *upload)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct seen_checksum seen = {""};
    struct error ignored = {0}; /* then it is not known to be */

    return s3_client_do(upload->put->client, upload->put->key, NULL,
                        &(struct http_request){
                            .method = HTTP_HEAD, .field = see_checksum, .arg = &seen},
                        &reply, &ignored) == 0 &&
           reply.object_size == upload->put->content->size &&
           strcmp(seen.md5, upload->checksum) == 0;
}

static int print_parts(const struct upload *upload, struct bytes *text, struct error *err)
{
    size_t count = s3_parts_count(upload->parts);
    int rc = bytes_printf(text, err, "<CompleteMultipartUpload>");

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = bytes_printf(text, err,
                          "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>",
                          i + 1, s3_parts_tag(upload->parts, i));
    return rc == 0 ? bytes_printf(text, err, "</CompleteMultipartUpload>") : rc;
}

/* A store answers 200 early, to keep the connection, and may yet say that it failed. */
static int ask_complete(const struct upload *upload, const char *query,
                        const struct bytes *parts, bool *ret_may_repeat,
                        struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct s3_xml_reply document;
    int rc = s3_client_do(
        upload->put->client, upload->put->key, query,
        &(struct http_request){
            .method = HTTP_POST,
            .extra = {{"content-type", "application/xml"}, upload->put->condition},
            .body = {.data = parts->data,                 .size = parts->size   },
            .is_repeatable = true,
    },
        &reply, err);

    *ret_may_repeat = false;
    if (rc == 0)
        rc = s3_xml_parse(reply.body.data, reply.body.size, &document, err);
    if (rc < 0)
        return rc;
    if (document.kind == S3_XML_UPLOAD_DONE)
        return 0;
    *ret_may_repeat = strcmp(document.code, "InternalError") == 0 ||
                      strcmp(document.code, "SlowDown") == 0;
    return fail(err, strcmp(document.code, "PreconditionFailed") == 0 ? ESTALE : EIO,
                "'%s' could not put the parts of '%s' together: %s %s",
                s3_client_host(upload->put->client), upload->put->key, document.code,
                document.message);
}

static int complete(const struct upload *upload, struct error *err)
{
    CLEANUP_BYTES struct bytes query, parts;
    bool may_repeat = true;
    int rc;

    bytes_init(&query, QUERY_MAX);
    bytes_init(&parts, COMPLETE_BYTES_MAX);
    rc = print_query(upload->id, &query, err);
    if (rc == 0)
        rc = print_parts(upload, &parts, err);
    if (rc == 0)
        rc = check_condition(upload->put, err);
    if (rc < 0)
        return rc;
    rc = -EIO;
    for (int try = 0; rc < 0 && may_repeat && try < COMPLETE_TRIES; try++)
        rc = ask_complete(upload, query.data, &parts, &may_repeat, err);
    return rc < 0 && has_arrived(upload) ? 0 : rc;
}

/* What others began to upload to this path. */
struct others {
    const struct s3_put *put;
};

static int drop_other(void *arg, const struct s3_xml_entry *entry, struct error *err)
{
    const struct s3_put *put = ((struct others *)arg)->put;
    struct error ignored = {0}; /* we may lack the right to: then it is the owner's */

    (void)err; /* never fails */
    if (!entry->is_prefix && strcmp(entry->key, put->key) == 0 && entry->upload_id[0])
        (void)drop(put->client, put->key, entry->upload_id, &ignored);
    return 0;
}

static void drop_others(const struct s3_put *put)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    CLEANUP_BYTES struct bytes query;
    struct others others = {.put = put};
    struct s3_xml_reply document;
    struct error ignored = {0}; /* it only tidies up */
    int rc;

    bytes_init(&query, QUERY_MAX + 3 * BACKEND_PATH_MAX);
    rc = bytes_printf(&query, &ignored, "encoding-type=url&max-uploads=100&prefix=");
    if (rc == 0)
        rc = url_encode_query(&query, put->key, &ignored);
    if (rc == 0)
        rc = bytes_printf(&query, &ignored, "&uploads=");
    if (rc == 0)
        rc = s3_client_do(
            put->client, NULL, query.data,
            &(struct http_request){.method = HTTP_GET, .body_max = S3_XML_BYTES_MAX},
            &reply, &ignored);
    if (rc == 0)
        rc = s3_xml_open(drop_other, &others, &xml, &ignored);
    if (rc == 0)
        rc = s3_xml_feed(xml, reply.body.data, reply.body.size, &ignored);
    if (rc == 0)
        (void)s3_xml_end(xml, &document, &ignored);
}

static int send_parts(struct upload *upload, struct error *err)
{
    CLEANUP_BYTES struct bytes query;
    int rc;

    bytes_init(&query, QUERY_MAX);
    rc = print_query(upload->id, &query, err);
    return rc == 0 ? s3_parts_send(upload->parts, query.data, err) : rc;
}

int s3_multipart_put(const struct s3_put *put,
                     const struct http_field description[S3_PUT_DESCRIPTION_MAX],
                     const char *checksum, struct error *err)
{
    struct upload upload = {.put = put, .checksum = checksum};
    struct error ignored = {0}; /* the store's own rules drop it, see README */
    int rc = s3_parts_open(put->client, put->key, put->content,
                           choose_part_size(put->content->size), &upload.parts, err);

    if (rc == 0)
        rc = check_condition(put, err); /* before all is sent in vain */
    if (rc == 0)
        rc = begin(&upload, description, err);
    if (rc == 0)
        rc = send_parts(&upload, err);
    if (rc == 0)
        rc = complete(&upload, err);
    if (rc < 0 && upload.id[0])
        (void)drop(put->client, put->key, upload.id, &ignored);
    s3_parts_close(upload.parts);
    if (rc == 0 && put->condition.name)
        drop_others(put);
    return rc;
}
