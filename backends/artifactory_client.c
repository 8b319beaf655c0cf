/* artifactory_client.c: requests to one repository of an Artifactory. */
#include "backends/artifactory_client.h"

#include "backends/artifactory_error.h"
#include "backends/artifactory_json.h"
#include "backends/credentials.h"
#include "backends/url.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/yaml_binary.h"

#include <errno.h>
#include <string.h>

enum {
    AUTHORIZATION_MAX = 64 << 10,
    REPOSITORY_SEEN_MS =
        30 * 1000, /* so long a repository that was there is believed in */
};

struct artifactory_client {
    struct http *http; /* constant after open, as all but seen_ms */
    struct credentials *credentials;
    char *host; /* base URL without a last "/" */
    char *repository;
    char *location;
    struct lock lock;
    int64_t seen_ms; /* guarded by lock; when the repository was last there; 0: never */
};

struct attempt {
    const struct artifactory_call *call;
    struct login login;
    char *url;
};

static int make_base(const char *host, char **ret_base, struct error *err)
{
    struct url url;
    int rc = url_parse(host, URL_HTTPS, &url, err);
    size_t size = strlen(host);

    if (rc < 0)
        return rc;
    if (url.path_size != url.target_size || strchr(host, '#'))
        return fail(err, EINVAL, "'%.200s' is no base URL: it has a query or fragment",
                    host);
    while (size > 0 && host[size - 1] == '/')
        size--;
    *ret_base =
        xasprintf("%s%.*s", strstr(host, "://") ? "" : "https://", (int)size, host);
    return 0;
}

int artifactory_client_open(const char *host, const char *repository, struct http *http,
                            struct artifactory_client **ret_client, struct error *err)
{
    struct artifactory_client *client = XNEW(struct artifactory_client);
    int rc = make_base(host, &client->host, err);

    lock_init(&client->lock);
    client->http = http;
    client->repository = xstrdup(repository);
    if (rc == 0 && (!*repository || strchr(repository, '/') || *repository == '.'))
        rc = fail(err, EINVAL, "'%.80s' is no name of a repository", repository);
    if (rc == 0)
        rc = credentials_open(CREDENTIALS_ARTIFACTORY, host, http, &client->credentials,
                              err);
    if (rc < 0) {
        artifactory_client_close(client);
        return rc;
    }
    client->location = xasprintf("%s/%s", client->host, repository);
    *ret_client = client;
    return 0;
}

void artifactory_client_close(struct artifactory_client *client)
{
    if (!client)
        return;
    credentials_close(client->credentials);
    lock_done(&client->lock);
    free(client->host);
    free(client->repository);
    free(client->location);
    free(client);
}

const char *artifactory_client_location(const struct artifactory_client *client)
{
    return client->location;
}

static int make_url(const struct artifactory_client *client,
                    const struct artifactory_call *call, char **ret_url,
                    struct error *err)
{
    static const char *const areas[] = {
        [ARTIFACTORY_FILES] = "/",
        [ARTIFACTORY_STORAGE] = "/api/storage/",
        [ARTIFACTORY_REPOSITORY] = "/api/repositories/",
    };
    CLEANUP_BYTES struct bytes url;
    int rc;

    bytes_init(&url, URL_MAX - 1);
    rc = bytes_printf(&url, err, "%s%s", client->host, areas[call->area]);
    if (rc == 0)
        rc = url_encode_path(&url, client->repository, err);
    if (rc == 0 && call->path[0])
        rc = bytes_append(&url, "/", 1, err);
    if (rc == 0)
        rc = url_encode_path(&url, call->path, err);
    if (rc == 0)
        *ret_url = bytes_detach(&url);
    return rc;
}

static void wipe(struct bytes *bytes)
{
    if (bytes->capacity)
        explicit_bzero(bytes->data, bytes->capacity);
    bytes_done(bytes);
}

/* "Basic <base 64 of user:secret>" */
static int append_basic(struct bytes *to, const struct login *login, struct error *err)
{
    struct bytes plain, lines;
    int rc;

    bytes_init(&plain, AUTHORIZATION_MAX);
    bytes_init(&lines, AUTHORIZATION_MAX);
    rc = bytes_printf(&plain, err, "%s:%s", login->user, login->secret);
    if (rc == 0)
        rc = yaml_binary_print(plain.data, plain.size, &lines, err);
    if (rc == 0)
        rc = bytes_append(to, "Basic ", 6, err);
    for (size_t at = 0, size; rc == 0 && at < lines.size; at += size + 1) {
        size = strcspn(lines.data + at, "\n");
        rc = bytes_append(to, lines.data + at, size, err);
    }
    wipe(&plain);
    wipe(&lines);
    return rc;
}

/* What came without a user: API keys begin with "AKC", all else are access tokens. */
static bool is_api_key(const char *token)
{
    return strncmp(token, "AKC", 3) == 0;
}

static int set_login(const struct login *login, struct http_fields *to, struct error *err)
{
    struct bytes value;
    int rc;

    if (login->token && is_api_key(login->token))
        return http_fields_set(to, "X-JFrog-Art-Api", login->token, err);
    bytes_init(&value, AUTHORIZATION_MAX);
    rc = login->token ? bytes_printf(&value, err, "Bearer %s", login->token)
                      : append_basic(&value, login, err);
    if (rc == 0)
        rc = http_fields_set(to, "Authorization", value.data, err);
    wipe(&value);
    return rc;
}

static int authorize(void *arg, struct http_fields *fields, struct error *err)
{
    const struct attempt *attempt = arg;
    int rc = attempt->login.is_anonymous ? 0 : set_login(&attempt->login, fields, err);

    if (rc == 0 && attempt->call->md5)
        rc = http_fields_set(fields, "X-Checksum-Md5", attempt->call->md5, err);
    return rc;
}

static void see_field(void *arg, const char *name, const char *value)
{
    const struct attempt *attempt = arg;

    if (attempt->call->field)
        attempt->call->field(attempt->call->arg, name, value);
}

static int restart(void *arg, struct error *err)
{
    const struct attempt *attempt = arg;

    return attempt->call->restart(attempt->call->arg, err);
}

static int ask(struct artifactory_client *client, struct attempt *attempt,
               struct http_reply *reply, struct error *err)
{
    const struct artifactory_call *call = attempt->call;

    return http_do(client->http,
                   &(struct http_request){
                       .method = call->method,
                       .url = attempt->url,
                       .part = call->part,
                       .range = call->range,
                       .suffix_size = call->suffix_size,
                       .if_match = call->if_match,
                       .body = call->body,
                       .follows = call->method == HTTP_GET,
                       .authorize = authorize,
                       .field = see_field,
                       .arg = attempt,
                       .to = call->to,
                       .restart = call->restart ? restart : NULL,
                       .body_max = call->body_max,
                   },
                   reply, err);
}

/* Proxies that explain a refusal may quote the request; then nothing of it is passed on.
 */
static bool tells_login(const struct login *login, const char *message)
{
    struct error ignored; /* such a login was not sent */
    struct bytes basic;
    bool is_told = login_is_told(login, message);

    if (is_told || login->token || login->is_anonymous)
        return is_told;
    bytes_init(&basic, AUTHORIZATION_MAX);
    if (append_basic(&basic, login, &ignored) == 0)
        is_told = login_is_told_of(basic.data + strlen("Basic "), message);
    wipe(&basic);
    return is_told;
}

static int fail_status(const struct artifactory_client *client,
                       const struct attempt *attempt, const struct http_reply *reply,
                       struct error *err)
{
    char message[ARTIFACTORY_MESSAGE_MAX];
    const struct login *login = &attempt->login;

    artifactory_json_message(reply->body.data, reply->body.size, message);
    if (tells_login(login, message))
        message[0] = '\0';
    return artifactory_error_fail(
        &(struct artifactory_error_facts){
            .status = reply->status,
            .message = message,
            .host = client->host,
            .repository = client->repository,
            .path = attempt->call->path,
            .user = login->is_anonymous ? NULL : login->user,
            .is_about_repository = attempt->call->area == ARTIFACTORY_REPOSITORY,
        },
        err);
}

/* One try. 1: it was refused, but there is another login now. */
static int try_once(struct artifactory_client *client, struct attempt *attempt,
                    bool is_last, struct http_reply *ret_reply, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    int rc = credentials_get(client->credentials, &attempt->login, err);

    if (rc == 0)
        rc = ask(client, attempt, &reply, err);
    if (rc < 0)
        return rc;
    if (reply.status >= 200 && reply.status < 300) {
        *ret_reply = reply;
        reply = (struct http_reply){0};
        return 0;
    }
    ret_reply->status = reply.status;
    ret_reply->date_s = reply.date_s;
    ret_reply->tries = reply.tries;
    if (!is_last && artifactory_error_is_refusal(reply.status) &&
        credentials_refresh(client->credentials, &attempt->login))
        return 1;
    return fail_status(client, attempt, &reply, err);
}

static int ask_with_login(struct artifactory_client *client,
                          const struct artifactory_call *call,
                          struct http_reply *ret_reply, struct error *err)
{
    struct attempt attempt = {.call = call};
    int rc = make_url(client, call, &attempt.url, err);

    if (rc < 0)
        return rc;
    rc = try_once(client, &attempt, false, ret_reply, err);
    if (rc == 1) {
        login_done(&attempt.login);
        rc = try_once(client, &attempt, true, ret_reply, err);
    }
    login_done(&attempt.login);
    free(attempt.url);
    return rc;
}

static void note_seen(struct artifactory_client *client)
{
    lock_acquire(&client->lock);
    client->seen_ms = clock_now_ms();
    lock_release(&client->lock);
}

static bool was_seen(struct artifactory_client *client)
{
    bool result;

    lock_acquire(&client->lock);
    result = client->seen_ms && clock_now_ms() - client->seen_ms < REPOSITORY_SEEN_MS;
    lock_release(&client->lock);
    return result;
}

/* A path is missing; is the repository there at all? */
static int check_repository(struct artifactory_client *client, struct error *err)
{
    const struct artifactory_call call = {.area = ARTIFACTORY_REPOSITORY, .path = ""};
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};

    return was_seen(client) ? 0 : ask_with_login(client, &call, &reply, err);
}

int artifactory_client_do(struct artifactory_client *client,
                          const struct artifactory_call *call,
                          struct http_reply *ret_reply, struct error *err)
{
    struct error other;
    int rc, missing;

    *ret_reply = (struct http_reply){0};
    rc = ask_with_login(client, call, ret_reply, err);
    if (rc == 0)
        note_seen(client);
    if (rc != -ENOENT)
        return rc;
    missing = check_repository(client, &other);
    if (missing == 0) {
        note_seen(client);
        return rc;
    }
    *err = other;
    return missing;
}
