/* s3_sign.c: Amazon's signature version 4. */
#include "backends/s3_sign.h"

#include "backends/digest.h"
#include "backends/url.h"
#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

enum {
    DAY_SIZE = 8,                /* "20130524" */
    CANONICAL_MAX = 2 * URL_MAX, /* session tokens are long too */
    SECRET_MAX = 1024,
};

struct parameter {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};

void s3_sign_date(int64_t time_s, char ret_date[S3_SIGN_DATE_SIZE])
{
    time_t time = time_s;
    struct tm utc;

    gmtime_r(&time, &utc);
    strftime(ret_date, S3_SIGN_DATE_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_parameters(const void *left, const void *right)
{
    const struct parameter *a = left, *b = right;
    int order = compare_bytes(a->name, a->name_size, b->name, b->name_size);

    return order ? order
                 : compare_bytes(a->value, a->value_size, b->value, b->value_size);
}

static int compare_fields(const void *left, const void *right)
{
    const struct http_field *a = left, *b = right;

    return strcmp(a->name, b->name);
}

/* "uploads" counts as "uploads=". */
static struct parameter split_parameter(const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    size_t name_size = equals ? (size_t)(equals - text) : size;

    return (struct parameter){
        .name = text,
        .name_size = name_size,
        .value = equals ? equals + 1 : text + size,
        .value_size = equals ? size - name_size - 1 : 0,
    };
}

static int append_query(const char *query, size_t size, struct bytes *to,
                        struct error *err)
{
    struct parameter parameters[S3_SIGN_PARAMETERS_MAX];
    size_t count = 0;
    int rc = 0;

    for (size_t at = 0; at < size;) {
        const char *end = memchr(query + at, '&', size - at);
        size_t used = end ? (size_t)(end - query) - at : size - at;

        if (count == S3_SIGN_PARAMETERS_MAX)
            return fail(err, EFBIG, "more than %d parameters", S3_SIGN_PARAMETERS_MAX);
        if (used > 0)
            parameters[count++] = split_parameter(query + at, used);
        at += used + 1;
    }
    qsort(parameters, count, sizeof *parameters, compare_parameters);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = bytes_printf(to, err, "%s%.*s=%.*s", i ? "&" : "",
                          (int)parameters[i].name_size, parameters[i].name,
                          (int)parameters[i].value_size, parameters[i].value);
    return rc == 0 ? bytes_append(to, "\n", 1, err) : rc;
}

/* Path and query. */
static int append_target(const struct url *url, struct bytes *to, struct error *err)
{
    size_t query_at =
        url->path_size < url->target_size ? url->path_size + 1 : url->path_size;
    int rc = url->path_size > 0
                 ? bytes_printf(to, err, "%.*s\n", (int)url->path_size, url->target)
                 : bytes_append(to, "/\n", 2, err);

    if (rc < 0)
        return rc;
    return append_query(url->target + query_at, url->target_size - query_at, to, err);
}

/* "name:value" with blanks at the ends left out and runs of them as one. */
static int append_field(const struct http_field *field, struct bytes *to,
                        struct error *err)
{
    const char *value = field->value + strspn(field->value, " ");
    int rc = bytes_printf(to, err, "%s:", field->name);

    while (rc == 0 && *value) {
        size_t size = strcspn(value, " ");
        size_t blanks = strspn(value + size, " ");

        rc = bytes_printf(to, err, "%.*s%s", (int)size, value,
                          blanks && value[size + blanks] ? " " : "");
        value += size + blanks;
    }
    return rc == 0 ? bytes_append(to, "\n", 1, err) : rc;
}

static int append_names(const struct http_field *fields, size_t count, struct bytes *to,
                        struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = bytes_printf(to, err, "%s%s", i ? ";" : "", fields[i].name);
    return rc;
}

/* SHA-256 of the canonical request, as hex. */
static int hash_request(const struct s3_sign_request *request, const struct url *url,
                        const struct http_field *fields, size_t count,
                        char ret_hex[DIGEST_SHA256_SIZE], struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, CANONICAL_MAX);
    rc = bytes_printf(&text, err, "%s\n", request->method);
    if (rc == 0)
        rc = append_target(url, &text, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = append_field(&fields[i], &text, err);
    if (rc == 0)
        rc = bytes_append(&text, "\n", 1, err);
    if (rc == 0)
        rc = append_names(fields, count, &text, err);
    if (rc == 0)
        rc = bytes_printf(&text, err, "\n%s", request->payload_hash);
    return rc == 0 ? digest_sha256(text.data, text.size, ret_hex, err) : rc;
}

/* The key of one day, region and service signs the text. */
static int compute_signature(const struct s3_sign_request *request, const char *service,
                             const char *text, char ret_hex[2 * DIGEST_MAC_SIZE + 1],
                             struct error *err)
{
    const char *const steps[] = {request->region, service, "aws4_request", text};
    unsigned char mac[DIGEST_MAC_SIZE];
    char secret[SECRET_MAX];
    int size = snprintf(secret, sizeof secret, "AWS4%s", request->secret);
    int rc;

    if ((size_t)size >= sizeof secret)
        return fail(err, EFBIG, "a secret key of more than %d bytes", SECRET_MAX - 5);
    rc = digest_mac(secret, (size_t)size, request->date, DAY_SIZE, mac, err);
    explicit_bzero(secret, sizeof secret);
    for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
        rc = digest_mac(mac, sizeof mac, steps[i], strlen(steps[i]), mac, err);
    if (rc == 0)
        text_from_hex(mac, sizeof mac, ret_hex);
    explicit_bzero(mac, sizeof mac);
    return rc;
}

static int append_authorization(const struct s3_sign_request *request,
                                const struct http_field *fields, size_t count,
                                const char *request_hash, struct bytes *to,
                                struct error *err)
{
    const char *service = request->service ? request->service : "s3";
    CLEANUP_BYTES struct bytes text;
    char signature[2 * DIGEST_MAC_SIZE + 1];
    char scope[256];
    int rc;

    snprintf(scope, sizeof scope, "%.*s/%s/%s/aws4_request", DAY_SIZE, request->date,
             request->region, service);
    bytes_init(&text, CANONICAL_MAX);
    rc = bytes_printf(&text, err, ALGORITHM "\n%s\n%s\n%s", request->date, scope,
                      request_hash);
    if (rc == 0)
        rc = compute_signature(request, service, text.data, signature, err);
    if (rc == 0)
        rc = bytes_printf(
            to, err, ALGORITHM " Credential=%s/%s, SignedHeaders=", request->key, scope);
    if (rc == 0)
        rc = append_names(fields, count, to, err);
    return rc == 0 ? bytes_printf(to, err, ", Signature=%s", signature) : rc;
}

int s3_sign(const struct s3_sign_request *request, struct bytes *authorization,
            struct error *err)
{
    struct http_field fields[S3_SIGN_FIELDS_MAX + 1];
    char hash[DIGEST_SHA256_SIZE], host[URL_FIELD_MAX];
    size_t count = request->field_count;
    struct url url;
    int rc = url_parse(request->url, URL_NONE, &url, err);

    if (rc < 0)
        return rc;
    if (count > S3_SIGN_FIELDS_MAX)
        return fail(err, EFBIG, "more than %d fields", S3_SIGN_FIELDS_MAX);
    url_host_field(&url, host);
    if (count > 0)
        memcpy(fields, request->fields, count * sizeof *fields);
    fields[count++] = (struct http_field){"host", host};
    qsort(fields, count, sizeof *fields, compare_fields);
    rc = hash_request(request, &url, fields, count, hash, err);
    return rc == 0
               ? append_authorization(request, fields, count, hash, authorization, err)
               : rc;
}
