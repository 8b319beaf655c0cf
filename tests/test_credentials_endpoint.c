#include "tests/test.h"

#include "backends/credentials.h"
#include "backends/http.h"
#include "common/memory.h"
#include "tests/fakes/http_server.h"
#include "tests/folders.h"

#include <errno.h>
#include <time.h>

#define OK(size, body) "HTTP/1.1 200 OK\r\nContent-Length: " size "\r\n\r\n" body
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
#define KEYS(expiration)                                                                 \
    "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":"   \
    "\"" expiration "\"}"
#define LASTING OK("89", KEYS("2999-01-01T00:00:00Z"))
#define EXPIRED OK("89", KEYS("2001-01-01T00:00:00Z"))

struct fixture {
    struct folder *home;
    struct http_server *server;
    struct http *http;
};

static int open_all(void **state)
{
    static struct fixture fixture;
    static const char *const variables[] = {
        "MINIO_ACCESS_KEY",
        "MINIO_CONFIG_FILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_DISABLED",
        "http_proxy",
        "no_proxy",
    };
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    if (folder_open(state) < 0)
        return -1;
    fixture.home = *state;
    setenv("HOME", fixture.home->path, 1);
    fixture.server = http_server_open();
    *state = &fixture;
    return http_open(&(struct http_options){.connections = 1}, &fixture.http, &err);
}

static int close_all(void **state)
{
    struct fixture *fixture = *state;
    void *folder = fixture->home;

    http_close(fixture->http);
    http_server_close(fixture->server);
    return folder_close(&folder);
}

static int get(struct fixture *fixture, struct login *ret_login, struct error *err)
{
    struct credentials *credentials;
    int rc =
        credentials_open(CREDENTIALS_S3, "s3.x.com", fixture->http, &credentials, err);

    assert_int_equal(rc, 0);
    rc = credentials_get(credentials, ret_login, err);
    credentials_close(credentials);
    return rc;
}

static void set_url(struct fixture *fixture, const char *variable, const char *path)
{
    char url[HTTP_SERVER_URL_MAX];

    http_server_url(fixture->server, path, url);
    setenv(variable, url, 1);
}

static void check_login(const struct login *login)
{
    assert_string_equal(login->user, "a");
    assert_string_equal(login->secret, "s");
    assert_string_equal(login->token, "t");
    assert_false(login->is_anonymous);
}

static void test_container(void **state)
{
    static const struct http_step steps[] = {{.reply = LASTING}};
    struct fixture *fixture = *state;
    CLEANUP_FREE char *token = xasprintf("%s/token", fixture->home->path);
    CLEANUP_LOGIN struct login login = {0};
    struct error err = {0};

    set_url(fixture, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/v1/keys");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token, 1);
    folder_put(fixture->home->fd, "token", "abc\n", 4, 0600, 1000);
    http_server_play(fixture->server, steps, 1);
    assert_int_equal(get(fixture, &login, &err), 0);
    check_login(&login);
    assert_non_null(strstr(http_server_request(fixture->server, 0), "GET /v1/keys HTTP"));
    assert_non_null(
        strcasestr(http_server_request(fixture->server, 0), "Authorization: abc\r\n"));
}

/* It would be told token and keys, and on another machine there is another endpoint. */
static void test_no_proxy_is_asked(void **state)
{
    static const struct http_step steps[] = {{.reply = LASTING}};
    struct fixture *fixture = *state;
    struct http_server *proxy = http_server_open();
    CLEANUP_LOGIN struct login login = {0};
    char url[HTTP_SERVER_URL_MAX];
    struct error err = {0};

    http_server_url(proxy, "", url);
    setenv("http_proxy", url, 1);
    setenv("no_proxy", "", 1);
    set_url(fixture, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/keys");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "abc", 1);
    http_server_play(proxy, steps, 1);
    http_server_play(fixture->server, steps, 1);
    assert_int_equal(get(fixture, &login, &err), 0);
    check_login(&login);
    assert_int_equal(http_server_requests(proxy), 0);
    http_server_close(proxy);
}

static void test_container_elsewhere_needs_tls(void **state)
{
    static const char *const urls[] = {
        "http://other.example.com/keys",
        "http://127.example.com/keys",
        "http://127.0.0.1.example.com/keys",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        CLEANUP_LOGIN struct login login = {0};
        struct error err = {0};

        test_row(i, "%s", urls[i]);
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i], 1);
        assert_int_equal(get(fixture, &login, &err), -EACCES);
        assert_non_null(strstr(err.message, "another machine, without https"));
    }
}

static void test_machine(void **state)
{
    static const struct http_step steps[] = {
        {.reply = OK("3", "tok")},
        {.reply = OK("5", "role\n")},
        {.reply = LASTING},
    };
    struct fixture *fixture = *state;
    CLEANUP_LOGIN struct login login = {0};
    struct error err = {0};

    set_url(fixture, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "/");
    http_server_play(fixture->server, steps, 3);
    assert_int_equal(get(fixture, &login, &err), 0);
    check_login(&login);
    assert_non_null(
        strstr(http_server_request(fixture->server, 0), "PUT /latest/api/token HTTP"));
    assert_non_null(strstr(http_server_request(fixture->server, 2),
                           "GET /latest/meta-data/iam/security-credentials/role HTTP"));
    assert_non_null(strcasestr(http_server_request(fixture->server, 2),
                               "X-aws-ec2-metadata-token: tok\r\n"));
}

static void test_machine_without_tokens(void **state)
{
    static const struct http_step steps[] = {
        {.reply = FORBIDDEN},
        {.reply = OK("4", "role")},
        {.reply = LASTING},
    };
    struct fixture *fixture = *state;
    CLEANUP_LOGIN struct login login = {0};
    struct error err = {0};

    set_url(fixture, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "");
    http_server_play(fixture->server, steps, 3);
    assert_int_equal(get(fixture, &login, &err), 0);
    check_login(&login);
    assert_null(strcasestr(http_server_request(fixture->server, 2), "metadata-token:"));
}

static void test_machine_is_not_asked_unless_named(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_LOGIN struct login login = {0};
    struct error err = {0};

    set_url(fixture, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    assert_int_equal(get(fixture, &login, &err), 0);
    assert_true(login.is_anonymous);
    assert_int_equal(http_server_requests(fixture->server), 0);
}

static const struct {
    const char *reply;
    int rc;
    const char *message;
} failures[] = {
    {NOT_FOUND,                                      -EACCES, "answers with status 404"},
    { OK("2",                                         "{}"), -EACCES,           "gives no keys"},
    { OK("2",                                         "no"),    -EIO,                    "JSON"},
    { OK("34", "{\"Code\":\"Failed\",\"AccessKeyId\":\"\"}"), -EACCES,           "says 'Failed'"},
    { OK("34",   "{\"AccessKeyId\":1,\"secret\":\"hid\"}  "),    -EIO,     "'AccessKeyId' twice"},
};

static void test_failures(void **state)
{
    struct fixture *fixture = *state;

    set_url(fixture, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/v1/keys?secret");
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        const struct http_step step = {.reply = failures[i].reply};
        CLEANUP_LOGIN struct login login = {0};
        struct error err = {0};

        test_row(i, "%s", failures[i].message);
        http_server_play(fixture->server, &step, 1);
        assert_int_equal(get(fixture, &login, &err), failures[i].rc);
        if (!strstr(err.message, failures[i].message))
            fail_msg("%s", err.message);
        assert_null(strstr(err.message, "secret"));
    }
}

/* What has expired is fetched anew; what still comes expired is no login. */
static void test_expired_keys_are_fetched_anew(void **state)
{
    static const struct http_step steps[] = {{.reply = EXPIRED}, {.reply = LASTING}};
    struct fixture *fixture = *state;
    CLEANUP_LOGIN struct login login = {0}, refused = {.user = xstrdup("")};
    struct credentials *credentials;
    struct error err = {0};

    set_url(fixture, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/v1/keys");
    http_server_play(fixture->server, steps, 2);
    assert_int_equal(
        credentials_open(CREDENTIALS_S3, "s3.x.com", fixture->http, &credentials, &err),
        0);
    assert_int_equal(credentials_get(credentials, &login, &err), -EACCES);
    assert_non_null(strstr(err.message, "have expired"));
    assert_true(credentials_refresh(credentials, &refused));
    assert_int_equal(credentials_get(credentials, &login, &err), 0);
    check_login(&login);
    assert_int_equal(http_server_requests(fixture->server), 2);
    credentials_close(credentials);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_container),
        TEST(test_no_proxy_is_asked),
        TEST(test_container_elsewhere_needs_tls),
        TEST(test_machine),
        TEST(test_machine_without_tokens),
        TEST(test_machine_is_not_asked_unless_named),
        TEST(test_failures),
        TEST(test_expired_keys_are_fetched_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
