/* artifactory_client.c: requests to one repository of an Artifactory. */
#include "backends/artifactory_client.h"

#include "backends/artifactory_error.h"
#include "backends/artifactory_json.h"
#include "backends/http_login.h"
#include "backends/url.h"
#include "common/base64.h"
#include "common/memory.h"
#include "common/sync.h"

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

/* One call while it is under way. */
struct attempt {
    struct artifactory_client *client;
    enum artifactory_area area;
    const char *path;
};

static int address(void *arg, const struct login *login, struct bytes *url,
                   struct error *err)
{
    static const char *const areas[] = {
        [ARTIFACTORY_FILES] = "/",
        [ARTIFACTORY_STORAGE] = "/api/storage/",
        [ARTIFACTORY_REPOSITORY] = "/api/repositories/",
    };
    const struct attempt *attempt = arg;
    int rc = bytes_printf(url, err, "%s%s", attempt->client->host, areas[attempt->area]);

    (void)login; /* all are told the same address */
    if (rc == 0)
        rc = url_encode_path(url, attempt->client->repository, err);
    if (rc == 0 && attempt->path[0])
        rc = bytes_append(url, "/", 1, err);
    return rc == 0 ? url_encode_path(url, attempt->path, err) : rc;
}

/* "Basic <base 64 of user:secret>" */
static int append_basic(struct bytes *to, const struct login *login, struct error *err)
{
    CLEANUP_SECRET_BYTES struct bytes plain;
    int rc;

    bytes_init(&plain, AUTHORIZATION_MAX);
    rc = bytes_printf(&plain, err, "%s:%s", login->user, login->secret);
    if (rc == 0)
        rc = bytes_printf(to, err, "Basic ");
    return rc == 0 ? base64_encode(plain.data, plain.size, BASE64_ONE_LINE, to, err) : rc;
}

/* What came without a user: API keys begin with "AKC", all else are access tokens. */
static bool is_api_key(const char *token)
{
    return strncmp(token, "AKC", 3) == 0;
}

static int set_login(const struct login *login, struct http_fields *to, struct error *err)
{
    CLEANUP_SECRET_BYTES struct bytes value;
    int rc;

    bytes_init(&value, AUTHORIZATION_MAX);
    if (login->token && is_api_key(login->token))
        return http_fields_set(to, "X-JFrog-Art-Api", login->token, err);
    rc = login->token ? bytes_printf(&value, err, "Bearer %s", login->token)
                      : append_basic(&value, login, err);
    if (rc == 0)
        rc = http_fields_set(to, "Authorization", value.data, err);
    return rc;
}

static int authorize(void *arg, const struct login *login, const char *url,
                     struct http_fields *fields, struct error *err)
{
    (void)arg;
    (void)url; /* nothing is signed */
    return login->is_anonymous ? 0 : set_login(login, fields, err);
}

/* Proxies that explain a refusal may quote the request; then nothing of it is passed on.
 */
static bool tells_login(const struct login *login, const char *message)
{
    struct error ignored; /* such a login was not sent */
    CLEANUP_SECRET_BYTES struct bytes basic;
    bool is_told = login_is_told(login, message);

    bytes_init(&basic, AUTHORIZATION_MAX);
    if (is_told || login->token || login->is_anonymous)
        return is_told;
    if (append_basic(&basic, login, &ignored) == 0)
        is_told = login_is_told_of(basic.data + strlen("Basic "), message);
    return is_told;
}

static int judge(void *arg, const struct login *login, const struct http_reply *reply,
                 bool *is_refusal, struct error *err)
{
    const struct attempt *attempt = arg;
    char message[ARTIFACTORY_MESSAGE_MAX];

    *is_refusal = artifactory_error_is_refusal(reply->status);
    artifactory_json_message(reply->body.data, reply->body.size, message);
    if (tells_login(login, message))
        message[0] = '\0';
    return artifactory_error_fail(
        &(struct artifactory_error_facts){
            .status = reply->status,
            .message = message,
            .host = attempt->client->host,
            .repository = attempt->client->repository,
            .path = attempt->path,
            .user = login->is_anonymous ? NULL : login->user,
            .moved_to = reply->moved_to,
            .is_about_repository = attempt->area == ARTIFACTORY_REPOSITORY,
        },
        err);
}

static int ask(struct artifactory_client *client, enum artifactory_area area,
               const char *path, const struct http_request *request,
               struct http_reply *ret_reply, struct error *err)
{
    static const struct http_login_ops ops = {address, authorize, judge};
    struct attempt attempt = {client, area, path};
    const struct http_login login = {client->http, client->credentials, &ops, &attempt};
    struct http_request sent = *request;

    sent.follows = sent.method == HTTP_GET;
    return http_login_do(&login, &sent, ret_reply, err);
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
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};

    return was_seen(client)
               ? 0
               : ask(client, ARTIFACTORY_REPOSITORY, "",
                     &(struct http_request){.method = HTTP_GET}, &reply, err);
}

int artifactory_client_do(struct artifactory_client *client, enum artifactory_area area,
                          const char *path, const struct http_request *request,
                          struct http_reply *ret_reply, struct error *err)
{
    struct error other;
    int rc = ask(client, area, path, request, ret_reply, err), missing;

    if (rc == 0)
        note_seen(client);
    if (rc != -ENOENT)
        return rc;
    missing = check_repository(client, &other);
    /* Who may read files may still not ask for the repository. */
    if (missing == 0 || missing == -EACCES) {
        note_seen(client);
        return rc;
    }
    *err = other;
    return missing;
}
