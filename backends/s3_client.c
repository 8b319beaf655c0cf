/* s3_client.c: requests to one bucket. */
#include "backends/s3_client.h"

#include "backends/credentials.h"
#include "backends/digest.h"
#include "backends/s3_error.h"
#include "backends/s3_place.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { AUTHORIZATION_MAX = 8 << 10 };

struct s3_client {
    struct http *http; /* constant after open, as all but region */
    struct credentials *credentials;
    struct s3_place place;
    char host[URL_FIELD_MAX];
    struct lock lock;
    char region[S3_PLACE_REGION_MAX]; /* guarded by lock; "" until a store named it */
};

/* One way of asking: with this login, in this region. */
struct attempt {
    const struct s3_call *call;
    struct login login;
    char region[S3_PLACE_REGION_MAX];
    char hash[DIGEST_SHA256_SIZE + 16];
    struct bytes url;
    char named_region[S3_PLACE_REGION_MAX]; /* x-amz-bucket-region of the reply */
};

static const char *const method_names[] = {
    [HTTP_GET] = "GET",   [HTTP_HEAD] = "HEAD",     [HTTP_PUT] = "PUT",
    [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE",
};

int s3_client_open(const char *host, const char *bucket, struct http *http,
                   struct s3_client **ret_client, struct error *err)
{
    struct s3_client *client = XNEW(struct s3_client);
    struct url url;
    int rc = s3_place_parse(host, bucket, &client->place, err);

    lock_init(&client->lock);
    client->http = http;
    if (rc == 0)
        rc = url_parse(host, URL_HTTPS, &url, err);
    if (rc == 0)
        rc = credentials_open(CREDENTIALS_S3, host, http, &client->credentials, err);
    if (rc < 0) {
        s3_client_close(client);
        return rc;
    }
    url_host_field(&url, client->host);
    *ret_client = client;
    return 0;
}

void s3_client_close(struct s3_client *client)
{
    if (!client)
        return;
    credentials_close(client->credentials);
    lock_done(&client->lock);
    free(client);
}

int s3_client_login(struct s3_client *client, struct login *ret_login, struct error *err)
{
    return credentials_get(client->credentials, ret_login, err);
}

const char *s3_client_host(const struct s3_client *client)
{
    return client->host;
}

const char *s3_client_bucket(const struct s3_client *client)
{
    return client->place.bucket;
}

/* What a store named counts more than what was configured: it was told after that. */
static void choose_region(struct s3_client *client, const struct login *login,
                          char region[S3_PLACE_REGION_MAX])
{
    const char *chosen;

    lock_acquire(&client->lock);
    chosen = client->region[0]         ? client->region
             : client->place.region[0] ? client->place.region
             : login->region           ? login->region
                                       : S3_PLACE_REGION_FIRST;
    snprintf(region, S3_PLACE_REGION_MAX, "%s", chosen);
    lock_release(&client->lock);
}

static void note_region(struct s3_client *client, const char *region)
{
    lock_acquire(&client->lock);
    snprintf(client->region, sizeof client->region, "%s", region);
    lock_release(&client->lock);
}

static enum url_scheme scheme_of(const struct s3_client *client,
                                 const struct login *login)
{
    if (client->place.scheme != URL_NONE)
        return client->place.scheme;
    return login->is_plain ? URL_HTTP : URL_HTTPS;
}

/* Over TLS nobody can change what is sent, so that a file need not be read twice. Without
 * it the hash is all that protects the body, and stores want it there. */
static int hash_body(const struct http_body *body, bool is_plain, char *hash,
                     struct error *err)
{
    if (body->size == 0)
        memcpy(hash, S3_SIGN_EMPTY, sizeof S3_SIGN_EMPTY);
    else if (!is_plain)
        memcpy(hash, S3_SIGN_UNSIGNED, sizeof S3_SIGN_UNSIGNED);
    else if (body->data)
        return digest_sha256(body->data, (size_t)body->size, hash, err);
    else
        return digest_sha256_fd(body->fd, body->offset, body->size, hash, err);
    return 0;
}

static int set_fields(const struct s3_sign_field *fields, size_t count,
                      struct http_fields *to, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = http_fields_set(to, fields[i].name, fields[i].value, err);
    return rc;
}

static int authorize(void *arg, struct http_fields *to, struct error *err)
{
    const struct attempt *attempt = arg;
    const struct s3_call *call = attempt->call;
    struct s3_sign_field fields[S3_CLIENT_FIELDS_MAX + 3];
    CLEANUP_BYTES struct bytes authorization;
    char date[S3_SIGN_DATE_SIZE];
    size_t count = 0;
    int rc;

    while (count < S3_CLIENT_FIELDS_MAX && call->fields[count].name) {
        fields[count] = call->fields[count];
        count++;
    }
    if (attempt->login.is_anonymous)
        return set_fields(fields, count, to, err);
    s3_sign_date(time(NULL), date);
    fields[count++] = (struct s3_sign_field){"x-amz-date", date};
    fields[count++] = (struct s3_sign_field){"x-amz-content-sha256", attempt->hash};
    if (attempt->login.token)
        fields[count++] =
            (struct s3_sign_field){"x-amz-security-token", attempt->login.token};
    bytes_init(&authorization, AUTHORIZATION_MAX);
    rc = s3_sign(
        &(struct s3_sign_request){
            .method = method_names[call->method],
            .url = attempt->url.data,
            .fields = fields,
            .field_count = count,
            .payload_hash = attempt->hash,
            .date = date,
            .region = attempt->region,
            .key = attempt->login.user,
            .secret = attempt->login.secret,
        },
        &authorization, err);
    if (rc == 0)
        rc = set_fields(fields, count, to, err);
    return rc == 0 ? http_fields_set(to, "authorization", authorization.data, err) : rc;
}

static void see_field(void *arg, const char *name, const char *value)
{
    struct attempt *attempt = arg;

    if (strcmp(name, "x-amz-bucket-region") == 0)
        snprintf(attempt->named_region, sizeof attempt->named_region, "%s", value);
    if (attempt->call->field)
        attempt->call->field(attempt->call->arg, name, value);
}

static int restart(void *arg, struct error *err)
{
    const struct attempt *attempt = arg;

    return attempt->call->restart(attempt->call->arg, err);
}

static int ask(struct s3_client *client, struct attempt *attempt,
               struct http_reply *reply, struct error *err)
{
    const struct s3_call *call = attempt->call;

    return http_do(client->http,
                   &(struct http_request){
                       .method = call->method,
                       .url = attempt->url.data,
                       .part = call->part,
                       .range = call->range,
                       .suffix_size = call->suffix_size,
                       .if_match = call->if_match,
                       .body = call->body,
                       .is_repeatable = call->is_repeatable,
                       .deadline_ms = call->deadline_ms,
                       .authorize = authorize,
                       .field = see_field,
                       .arg = attempt,
                       .to = call->to,
                       .restart = call->restart ? restart : NULL,
                       .body_max = call->body_max,
                   },
                   reply, err);
}

static int prepare(struct s3_client *client, struct attempt *attempt, struct error *err)
{
    const struct s3_call *call = attempt->call;
    enum url_scheme scheme = scheme_of(client, &attempt->login);
    int rc = 0;

    bytes_cut(&attempt->url, 0, 0);
    attempt->named_region[0] = '\0';
    if (!attempt->hash[0] && !attempt->login.is_anonymous)
        rc = hash_body(&call->body, scheme == URL_HTTP, attempt->hash, err);
    if (rc == 0)
        rc = s3_place_url(&client->place, scheme, attempt->region,
                          call->key ? call->key : "", call->query ? call->query : "",
                          &attempt->url, err);
    return rc;
}

/* A store that says no more than "not here" (to a HEAD) is asked where the bucket is. */
static int ask_region(struct s3_client *client, const struct attempt *failed,
                      char *region, struct error *err)
{
    const struct s3_call call = {.method = HTTP_GET, .query = "location="};
    struct attempt attempt = {.call = &call, .login = failed->login};
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct s3_xml_reply document = {.kind = S3_XML_UNKNOWN};
    int rc;

    bytes_init(&attempt.url, URL_MAX);
    memcpy(attempt.region, failed->region, sizeof attempt.region);
    rc = prepare(client, &attempt, err);
    if (rc == 0)
        rc = ask(client, &attempt, &reply, err);
    bytes_done(&attempt.url);
    if (rc < 0)
        return rc;
    if (attempt.named_region[0])
        snprintf(region, S3_PLACE_REGION_MAX, "%s", attempt.named_region);
    else if (s3_xml_parse(reply.body.data, reply.body.size, &document, err) == 0)
        snprintf(region, S3_PLACE_REGION_MAX, "%s", document.region);
    return 0;
}

/* What a reply that is none of 2xx says. */
static void read_failure(const struct s3_client *client, const struct attempt *attempt,
                         const struct http_reply *reply, struct s3_xml_reply *document,
                         struct s3_error_facts *facts)
{
    struct error ignored = {0}; /* a proxy's page instead of a document */

    *document = (struct s3_xml_reply){.kind = S3_XML_UNKNOWN};
    (void)s3_xml_parse(reply->body.data, reply->body.size, document, &ignored);
    if (login_is_told(&attempt->login, document->message))
        document->message[0] = '\0';
    *facts = (struct s3_error_facts){
        .status = reply->status,
        .document = document,
        .bucket = client->place.bucket,
        .host = client->host,
        .key = attempt->call->key ? attempt->call->key : "",
        .region = attempt->region,
        .user = attempt->login.user,
        .our_time_s = time(NULL),
        .its_time_s = reply->date_s,
    };
}

enum once {
    ONCE_REGION = 1, /* another region was tried */
    ONCE_LOGIN = 2,  /* another login was */
};

/* 1: something else can be tried; 0: nothing. */
static int find_remedy(struct s3_client *client, struct attempt *attempt,
                       const struct s3_error_facts *facts, unsigned *done,
                       struct error *err)
{
    const char *region = s3_error_region(facts, attempt->named_region);
    char asked[S3_PLACE_REGION_MAX] = "";
    int rc;

    if (!(*done & ONCE_REGION) && !region && attempt->call->method == HTTP_HEAD &&
        (facts->status == 301 || facts->status == 307 || facts->status == 400)) {
        rc = ask_region(client, attempt, asked, err);
        if (rc < 0)
            return rc;
        if (s3_place_is_region(asked) && strcmp(asked, attempt->region) != 0)
            region = asked;
    }
    if (region && !(*done & ONCE_REGION)) {
        *done |= ONCE_REGION;
        note_region(client, region);
        return 1;
    }
    if (!(*done & ONCE_LOGIN) && s3_error_is_refusal(facts)) {
        *done |= ONCE_LOGIN;
        return credentials_refresh(client->credentials, &attempt->login);
    }
    return 0;
}

/* One try. 1: it failed, but something else can be tried. */
static int try_once(struct s3_client *client, struct attempt *attempt, unsigned *done,
                    struct http_reply *ret_reply, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct s3_xml_reply document;
    struct s3_error_facts facts;
    int rc = credentials_get(client->credentials, &attempt->login, err);

    if (rc < 0)
        return rc;
    choose_region(client, &attempt->login, attempt->region);
    rc = prepare(client, attempt, err);
    if (rc == 0)
        rc = ask(client, attempt, &reply, err);
    if (rc < 0)
        return rc;
    if (reply.status >= 200 && reply.status < 300) {
        *ret_reply = reply;
        reply = (struct http_reply){0};
        return 0;
    }
    read_failure(client, attempt, &reply, &document, &facts);
    ret_reply->status = reply.status;
    ret_reply->date_s = reply.date_s;
    rc = find_remedy(client, attempt, &facts, done, err);
    return rc == 0 ? s3_error_fail(&facts, err) : rc;
}

int s3_client_do(struct s3_client *client, const struct s3_call *call,
                 struct http_reply *ret_reply, struct error *err)
{
    struct attempt attempt = {.call = call};
    unsigned done = 0;
    int rc = 1;

    *ret_reply = (struct http_reply){0};
    bytes_init(&attempt.url, URL_MAX);
    while (rc == 1) {
        rc = try_once(client, &attempt, &done, ret_reply, err);
        login_done(&attempt.login);
        attempt.login = (struct login){0};
    }
    bytes_done(&attempt.url);
    return rc;
}
