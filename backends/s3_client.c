/* s3_client.c: requests to one bucket. */
#include "backends/s3_client.h"

#include "backends/digest.h"
#include "backends/http_login.h"
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

/* One call while it is under way. */
struct attempt {
    struct s3_client *client;
    const char *key;
    const char *query;
    const struct http_request *request;
    char region[S3_PLACE_REGION_MAX];       /* in which it was asked last */
    char named_region[S3_PLACE_REGION_MAX]; /* x-amz-bucket-region of the reply */
    bool was_moved;                         /* another region was tried */
    char hash[DIGEST_SHA256_SIZE + 16];     /* of the body; "" while not known */
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

static int authorize(void *arg, const struct login *login, const char *url,
                     struct http_fields *to, struct error *err)
{
    const struct attempt *attempt = arg;
    const struct http_field *extra = attempt->request->extra;
    struct http_field fields[HTTP_EXTRA_MAX + 3];
    CLEANUP_BYTES struct bytes authorization;
    char date[S3_SIGN_DATE_SIZE];
    size_t count = 0;
    int rc;

    bytes_init(&authorization, AUTHORIZATION_MAX);
    if (login->is_anonymous)
        return 0;
    for (; count < HTTP_EXTRA_MAX && extra[count].name; count++)
        fields[count] = extra[count];
    s3_sign_date(time(NULL), date);
    fields[count++] = (struct http_field){"x-amz-date", date};
    fields[count++] = (struct http_field){"x-amz-content-sha256", attempt->hash};
    if (login->token)
        fields[count++] = (struct http_field){"x-amz-security-token", login->token};
    rc = s3_sign(
        &(struct s3_sign_request){
            .method = method_names[attempt->request->method],
            .url = url,
            .fields = fields,
            .field_count = count,
            .payload_hash = attempt->hash,
            .date = date,
            .region = attempt->region,
            .key = login->user,
            .secret = login->secret,
        },
        &authorization, err);
    if (rc == 0)
        rc = http_fields_set_all(to, fields, count, err);
    return rc == 0 ? http_fields_set(to, "authorization", authorization.data, err) : rc;
}

static int address(void *arg, const struct login *login, struct bytes *url,
                   struct error *err)
{
    struct attempt *attempt = arg;
    const struct s3_place *place = &attempt->client->place;
    enum url_scheme scheme = scheme_of(attempt->client, login);
    int rc = 0;

    choose_region(attempt->client, login, attempt->region);
    attempt->named_region[0] = '\0';
    if (!attempt->hash[0] && !login->is_anonymous)
        rc = hash_body(&attempt->request->body, scheme == URL_HTTP, attempt->hash, err);
    return rc == 0 ? s3_place_url(place, scheme, attempt->region, attempt->key,
                                  attempt->query, url, err)
                   : rc;
}

static void see_field(void *arg, const char *name, const char *value)
{
    struct attempt *attempt = arg;
    const struct http_request *request = attempt->request;

    if (strcmp(name, "x-amz-bucket-region") == 0)
        snprintf(attempt->named_region, sizeof attempt->named_region, "%s", value);
    if (request->field)
        request->field(request->arg, name, value);
}

static int restart(void *arg, struct error *err)
{
    const struct attempt *attempt = arg;

    return attempt->request->restart(attempt->request->arg, err);
}

static int ask(struct attempt *attempt, const struct http_login_ops *ops,
               struct http_reply *ret_reply, struct error *err)
{
    const struct http_login login = {
        .http = attempt->client->http,
        .credentials = attempt->client->credentials,
        .ops = ops,
        .arg = attempt,
    };
    struct http_request request = *attempt->request;

    request.field = see_field;
    request.restart = request.restart ? restart : NULL;
    request.arg = attempt;
    return http_login_do(&login, &request, ret_reply, err);
}

static int accept_any(void *arg, const struct login *login,
                      const struct http_reply *reply, bool *is_refusal, struct error *err)
{
    (void)arg;
    (void)login;
    (void)reply;
    (void)is_refusal;
    (void)err;
    return 0;
}

/* A store that says no more than "not here" is asked where the bucket is. */
static int ask_region(struct s3_client *client, char *region, struct error *err)
{
    static const struct http_login_ops ops = {address, authorize, accept_any};
    const struct http_request request = {.method = HTTP_GET};
    struct attempt attempt = {
        .client = client, .key = "", .query = "location=", .request = &request};
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct s3_xml_reply document = {.kind = S3_XML_UNKNOWN};
    int rc = ask(&attempt, &ops, &reply, err);

    if (rc < 0)
        return rc;
    if (attempt.named_region[0])
        snprintf(region, S3_PLACE_REGION_MAX, "%s", attempt.named_region);
    else if (s3_xml_parse(reply.body.data, reply.body.size, &document, err) == 0)
        snprintf(region, S3_PLACE_REGION_MAX, "%s",
                 document.kind == S3_XML_LOCATION ? s3_place_region_of(document.region)
                                                  : document.region);
    return 0;
}

/* What a reply that is none of 2xx says. */
static void read_failure(const struct attempt *attempt, const struct login *login,
                         const struct http_reply *reply, struct s3_xml_reply *document,
                         struct s3_error_facts *facts)
{
    struct error ignored = {0}; /* a proxy's page instead of a document */

    *document = (struct s3_xml_reply){.kind = S3_XML_UNKNOWN};
    (void)s3_xml_parse(reply->body.data, reply->body.size, document, &ignored);
    if (login_is_told(login, document->message))
        document->message[0] = '\0';
    *facts = (struct s3_error_facts){
        .status = reply->status,
        .document = document,
        .bucket = attempt->client->place.bucket,
        .host = attempt->client->host,
        .key = attempt->key,
        .region = attempt->region,
        .moved_to = reply->moved_to,
        .user = login->user,
        .our_time_s = time(NULL),
        .its_time_s = reply->date_s,
    };
}

/* The region to ask in instead, "" if there is none. */
static int find_region(const struct attempt *attempt, const struct s3_error_facts *facts,
                       char region[S3_PLACE_REGION_MAX], struct error *err)
{
    const char *named = s3_error_region(facts, attempt->named_region);
    int rc = 0;

    snprintf(region, S3_PLACE_REGION_MAX, "%s", named ? named : "");
    if (named || !s3_error_may_be_elsewhere(facts))
        return 0;
    rc = ask_region(attempt->client, region, err);
    if (rc == 0 && (!s3_place_is_region(region) || strcmp(region, attempt->region) == 0))
        region[0] = '\0';
    return rc;
}

static int judge(void *arg, const struct login *login, const struct http_reply *reply,
                 bool *is_refusal, struct error *err)
{
    struct attempt *attempt = arg;
    char region[S3_PLACE_REGION_MAX] = "";
    struct s3_xml_reply document;
    struct s3_error_facts facts;
    int rc = 0;

    read_failure(attempt, login, reply, &document, &facts);
    if (!attempt->was_moved)
        rc = find_region(attempt, &facts, region, err);
    if (rc < 0)
        return rc;
    if (region[0]) {
        attempt->was_moved = true;
        note_region(attempt->client, region);
        return HTTP_LOGIN_AGAIN;
    }
    *is_refusal = s3_error_is_refusal(&facts);
    return s3_error_fail(&facts, err);
}

int s3_client_do(struct s3_client *client, const char *key, const char *query,
                 const struct http_request *request, struct http_reply *ret_reply,
                 struct error *err)
{
    static const struct http_login_ops ops = {address, authorize, judge};
    struct attempt attempt = {
        .client = client,
        .key = key ? key : "",
        .query = query ? query : "",
        .request = request,
    };

    return ask(&attempt, &ops, ret_reply, err);
}
