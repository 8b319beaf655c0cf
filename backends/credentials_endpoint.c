/* credentials_endpoint.c: keys that expire, from the endpoint that the environment names:
 * a container's, or the machine's metadata service. */
#include "backends/credentials_endpoint.h"

#include "backends/http.h"
#include "backends/json_reader.h"
#include "backends/url.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/paths.h"
#include "common/sync.h"
#include "common/yaml_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define CONTAINER_HOST "http://169.254.170.2"
#define METADATA_TOKEN "X-aws-ec2-metadata-token"
#define METADATA_ROLES "/latest/meta-data/iam/security-credentials/"

enum {
    DEADLINE_MS = 5000, /* for all of them that are on the way */
    TOKEN_BYTES_MAX = 64 << 10,
};

struct question {
    struct http *http;
    enum http_method method;
    const char *url;
    const char *field; /* NULL: none */
    const char *value;
};

static int authorize(void *arg, struct http_fields *fields, struct error *err)
{
    const struct question *question = arg;

    return question->field
               ? http_fields_set(fields, question->field, question->value, err)
               : 0;
}

/* Append the body of the answer. 0; -ENOENT for a status of 4xx. In clear text nobody on
 * the way is told: proxies are for other hosts than those that know our keys. */
static int ask(struct question *question, struct bytes *to, struct error *err)
{
    struct http_reply reply = {0};
    int rc = http_do(question->http,
                     &(struct http_request){
                         .method = question->method,
                         .url = question->url,
                         .is_direct = strncasecmp(question->url, "https://", 8) != 0,
                         .deadline_ms = clock_now_ms() + DEADLINE_MS,
                         .authorize = authorize,
                         .authorizer = question,
                     },
                     &reply, err);

    if (rc == 0 && reply.status == 200)
        rc = bytes_append(to, reply.body.data, reply.body.size, err);
    else if (rc == 0)
        rc = fail(err, reply.status / 100 == 4 ? ENOENT : EACCES,
                  "'%.*s' answers with status %d", url_shown_size(question->url),
                  question->url, reply.status);
    bytes_wipe(&reply.body);
    http_reply_done(&reply);
    return rc < 0 ? fail_context(err, rc, "credentials of this machine") : 0;
}

static int set(char **to, const struct json_value *value, struct error *err)
{
    if (*to || value->kind != JSON_STRING)
        return fail(err, EIO, "the endpoint for credentials gives '%s' twice, or no text",
                    value->path);
    *to = xstrdup(value->text);
    return 0;
}

static int set_expiry(struct credentials_search *search, const struct json_value *value,
                      struct error *err)
{
    struct error not_a_time;
    enum yaml_kind kind;
    struct yaml_time time;

    if (value->kind != JSON_STRING ||
        !yaml_time_is_one(value->text, strlen(value->text)) ||
        yaml_time_parse(value->text, strlen(value->text), &kind, &time, &not_a_time) < 0)
        return fail(err, EIO, "the endpoint for credentials gives no time as Expiration");
    search->expires_s = yaml_time_to_unix(&time);
    return 0;
}

static int take(void *arg, const struct json_value *value, struct error *err)
{
    struct credentials_search *search = arg;

    if (strcmp(value->path, "AccessKeyId") == 0)
        return set(&search->login.user, value, err);
    if (strcmp(value->path, "SecretAccessKey") == 0)
        return set(&search->login.secret, value, err);
    if (strcmp(value->path, "Token") == 0)
        return set(&search->login.token, value, err);
    if (strcmp(value->path, "Expiration") == 0)
        return set_expiry(search, value, err);
    if (strcmp(value->path, "Code") == 0 && strcmp(value->text, "Success") != 0)
        return fail(err, EACCES, "the endpoint for credentials says '%.80s'",
                    value->text);
    return 0;
}

static int read_answer(struct credentials_search *search, const struct bytes *text,
                       struct error *err)
{
    CLEANUP_JSON_READER struct json_reader *reader = json_reader_new(take, search);
    int rc = json_reader_feed(reader, text->data, text->size, err);

    if (rc == 0)
        rc = json_reader_end(reader, err);
    if (rc == 0 && (!search->login.user || !search->login.secret))
        rc = fail(err, EACCES, "the endpoint for credentials gives no keys");
    search->fetched_ms = clock_now_ms();
    snprintf(search->login.source, sizeof search->login.source,
             "an endpoint that the environment names");
    return rc < 0 ? rc : 1;
}

static int ask_keys(struct credentials_search *search, struct question *question,
                    struct error *err)
{
    struct bytes text;
    int rc;

    bytes_init(&text, TOKEN_BYTES_MAX);
    rc = ask(question, &text, err);
    if (rc == 0)
        rc = read_answer(search, &text, err);
    bytes_wipe(&text);
    return rc;
}

/* The token that a container shows: of a file, which is written anew before it expires.
 */
static int read_token(struct bytes *to, struct error *err)
{
    const char *file =
        credentials_search_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token =
        credentials_search_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    CLEANUP_FREE char *path = NULL;
    int rc;

    if (!file)
        return token ? bytes_append(to, token, strlen(token), err) : 0;
    rc = paths_expand(file, NULL, &path, err);
    if (rc == 0)
        rc = bytes_reserve(to, TOKEN_BYTES_MAX, err);
    if (rc == 0)
        rc = files_read(AT_FDCWD, path, to, err);
    if (rc < 0) {
        rc = fail_context(err, -EACCES, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        err->code = EACCES;
        return rc;
    }
    bytes_cut(to, 0, strcspn(to->data, "\r\n"));
    return 0;
}

/* "127.0.0.1" and its like; a name may begin so, too. */
static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0';
}

/* A token in clear text goes to this machine alone. */
static int check_container(const char *text, struct error *err)
{
    static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2",
                                        "169.254.170.23", "[fd00:ec2::23]"};
    struct url url;
    int rc = url_parse(text, URL_NONE, &url, err);

    if (rc < 0 || url.scheme == URL_HTTPS || is_loopback(url.host))
        return rc;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strcmp(url.host, hosts[i]) == 0)
            return 0;
    return fail(
        err, EACCES,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names '%s', which is another machine, "
        "without https",
        url.host);
}

static int find_of_container(struct credentials_search *search, const char *url,
                             struct error *err)
{
    struct question question = {.http = search->http, .method = HTTP_GET, .url = url};
    struct bytes token;
    int rc = check_container(url, err);

    bytes_init(&token, TOKEN_BYTES_MAX);
    if (rc == 0)
        rc = read_token(&token, err);
    if (rc == 0 && token.size > 0) {
        question.field = "Authorization";
        question.value = token.data;
    }
    if (rc == 0)
        rc = ask_keys(search, &question, err);
    bytes_wipe(&token);
    return rc;
}

/* The role's name is the first line of the list. */
static int find_role(struct question *question, const char *endpoint, char **ret_url,
                     struct error *err)
{
    CLEANUP_BYTES struct bytes roles;
    CLEANUP_FREE char *url = xasprintf("%s" METADATA_ROLES, endpoint);
    int rc;

    bytes_init(&roles, TOKEN_BYTES_MAX);
    question->url = url;
    rc = ask(question, &roles, err);
    if (rc < 0)
        return rc;
    bytes_cut(&roles, 0, strcspn(roles.data, "\r\n"));
    if (roles.size == 0 || strspn(roles.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                              "qrstuvwxyz0123456789+=,.@_-") < roles.size)
        return fail(err, EACCES, "'%s' names no role for this machine", url);
    *ret_url = xasprintf("%s%s", url, roles.data);
    return 0;
}

static int find_of_machine(struct credentials_search *search, const char *named,
                           struct error *err)
{
    size_t size = strlen(named);
    CLEANUP_FREE char *endpoint =
        xasprintf("%.*s", (int)(named[size - 1] == '/' ? size - 1 : size), named);
    CLEANUP_FREE char *token_url = xasprintf("%s/latest/api/token", endpoint);
    CLEANUP_FREE char *url = NULL;
    struct question question = {.http = search->http,
                                .method = HTTP_PUT,
                                .url = token_url,
                                .field = METADATA_TOKEN "-ttl-seconds",
                                .value = "21600"};
    struct error no_token = {0}; /* the first version of the service has none */
    struct bytes token;
    int rc;

    bytes_init(&token, TOKEN_BYTES_MAX);
    rc = ask(&question, &token, &no_token);
    question.method = HTTP_GET;
    question.field = rc == 0 ? METADATA_TOKEN : NULL;
    question.value = token.data;
    if (rc == 0 || rc == -ENOENT) {
        rc = find_role(&question, endpoint, &url, err);
        question.url = url;
        if (rc == 0)
            rc = ask_keys(search, &question, err);
    } else {
        *err = no_token;
    }
    bytes_wipe(&token);
    return rc;
}

static int find(struct credentials_search *search, struct error *err)
{
    const char *relative =
        credentials_search_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full =
        credentials_search_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *machine =
        credentials_search_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *disabled = credentials_search_environment("AWS_EC2_METADATA_DISABLED");
    CLEANUP_FREE char *url = NULL;

    if (relative || full) {
        url = relative ? xasprintf("%s%s%s", CONTAINER_HOST, *relative == '/' ? "" : "/",
                                   relative)
                       : xstrdup(full);
        return find_of_container(search, url, err);
    }
    if (machine && !(disabled && strcasecmp(disabled, "true") == 0))
        return find_of_machine(search, machine, err);
    return 0;
}

int credentials_endpoint_find(struct credentials_search *search, struct error *err)
{
    int rc = find(search, err);

    if (rc == -ENOENT) /* which is what paths in repositories are */
        err->code = EACCES;
    return rc == -ENOENT ? -EACCES : rc;
}
