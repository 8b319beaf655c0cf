/* test_s3_client.c: what is asked of a bucket, and how often: signatures, regions,
 * logins. */
#include "tests/test.h"

#include "tests/fakes/s3_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void requests_are_signed(void **state)
{
    static const struct http_step steps[] = {{.reply = FOUND}};
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};
    const char *request;

    s3_fixture_play(fixture, steps, 1);
    assert_int_equal(backend_stat(fixture->backend, "a b/c", &stat, &err), 0);
    assert_int_equal(stat.size, 5);
    assert_int_equal(stat.mtime_s, 1795327309);
    assert_string_equal(stat.tag, "\"5d41\"");
    S3_FIXTURE_CHECK(fixture, "HEAD /models/a%20b/c HTTP");
    request = http_server_request(fixture->server, 0);
    assert_non_null(strstr(request, "AWS4-HMAC-SHA256 Credential=AKFIRST/"));
    assert_non_null(strstr(request,
                           "/us-east-1/s3/aws4_request, "
                           "SignedHeaders=host;x-amz-content-sha256;x-amz-date"));
    assert_null(strstr(request, "secret"));
}

static void a_region_is_learnt_once(void **state)
{
    static const struct http_step steps[] = {
        {.reply = "HTTP/1.1 400 Bad Request\r\nx-amz-bucket-region: eu-west-1\r\n" EMPTY},
        {.reply = FOUND},
    };
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    assert_int_equal(backend_stat(fixture->backend, "b", &stat, &err), 0);
    S3_FIXTURE_CHECK(fixture, "HEAD /models/a ", "HEAD /models/a ", "HEAD /models/b ");
    for (unsigned i = 1; i < 3; i++)
        assert_non_null(
            strstr(http_server_request(fixture->server, i), "/eu-west-1/s3/"));
}

static void a_region_of_the_environment_saves_that(void **state)
{
    static const struct http_step steps[] = {{.reply = FOUND}};
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};

    setenv("AWS_REGION", "eu-central-1", 1);
    s3_fixture_play(fixture, steps, 1);
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    assert_int_equal(http_server_requests(fixture->server), 1);
    assert_non_null(strstr(http_server_request(fixture->server, 0), "/eu-central-1/s3/"));
}

#define LOCATION(size, text)                                                             \
    DOCUMENT("200 OK", size, "<LocationConstraint>" text "</LocationConstraint>")

static void a_region_is_asked_for_where_a_head_tells_none(void **state)
{
    static const struct {
        struct http_step location;
        const char *scope;
    } cases[] = {
        {{.reply = LOCATION(45, "here")},                            "/here/s3/"     },
        {{.reply = LOCATION(43, "EU")},                              "/eu-west-1/s3/"},
        {{.reply = LOCATION(41, "")},                                "/us-east-1/s3/"},
        {{.reply = DOCUMENT("200 OK", 21, "<LocationConstraint/>")}, "/us-east-1/s3/"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct http_step steps[] = {
            {.reply = "HTTP/1.1 400 Bad Request\r\n" EMPTY},
            cases[i].location,
            {.reply = FOUND},
        };
        struct s3_fixture *fixture;
        struct backend_stat stat;
        struct error err = {0};

        test_row(i, "%s", cases[i].scope);
        s3_fixture_close(state);
        s3_fixture_open(state);
        fixture = *state;
        setenv("AWS_REGION", "elsewhere", 1);
        s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
        assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
        S3_FIXTURE_CHECK(fixture, "HEAD /models/a ",
                         "GET /models?location= ", "HEAD /models/a ");
        assert_non_null(
            strstr(http_server_request(fixture->server, 0), "/elsewhere/s3/"));
        assert_non_null(strstr(http_server_request(fixture->server, 2), cases[i].scope));
    }
}

#define MALFORMED                                                                        \
    DOCUMENT("400 Bad Request", 57,                                                      \
             "<Error><Code>AuthorizationHeaderMalformed</Code></Error> ")

static void a_region_is_asked_for_where_a_document_tells_none(void **state)
{
    static const struct http_step steps[] = {
        {.reply = MALFORMED},
        {.reply = LOCATION(45, "here")},
        {.reply = "HTTP/1.1 200 OK\r\nETag: \"5d41\"\r\nContent-Length: 5\r\n\r\nhello"},
    };
    struct s3_fixture *fixture = *state;
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    bytes_init(&text, 100);
    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_get(fixture->backend, "a", &text, &err), 0);
    S3_FIXTURE_CHECK(fixture, "GET /models/a ",
                     "GET /models?location= ", "GET /models/a ");
    assert_non_null(strstr(http_server_request(fixture->server, 2), "/here/s3/"));
}

static void a_wrong_region_is_an_error_at_last(void **state)
{
    static const struct http_step steps[] = {
        {.reply = "HTTP/1.1 400 Bad Request\r\nx-amz-bucket-region: one\r\n" EMPTY},
        {.reply = "HTTP/1.1 400 Bad Request\r\nx-amz-bucket-region: two\r\n" EMPTY},
    };
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), -EIO);
    assert_int_equal(http_server_requests(fixture->server), 2);
}

static void another_login_is_tried_once(void **state)
{
    static const struct http_step steps[] = {
        {.reply = FOUND},
        {.reply = "HTTP/1.1 403 Forbidden\r\n" EMPTY},
        {.reply = FOUND},
        {.reply = "HTTP/1.1 403 Forbidden\r\n" EMPTY},
    };
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    s3_fixture_login(fixture, fixture->host, "AKSECOND");
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    assert_non_null(strstr(http_server_request(fixture->server, 2), "AKSECOND"));
    /* The same login again would be refused again. */
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), -EACCES);
    assert_int_equal(http_server_requests(fixture->server), 4);
    assert_null(strstr(err.message, "secret"));
}

static void without_a_key_nothing_is_signed(void **state)
{
    static const struct http_step steps[] = {{.reply = FOUND}};
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};

    s3_fixture_login(fixture, "elsewhere", "AK");
    s3_fixture_play(fixture, steps, 1);
    /* Without a section https is meant, which this server does not speak. */
    assert_int_not_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    setenv("MINIO_CONFIG_FILE", "/nonexistent", 1);
    backend_close(fixture->backend);
    {
        char url[HTTP_SERVER_URL_MAX];

        http_server_url(fixture->server, "", url);
        assert_int_equal(backend_open("minio",
                                      &(struct backend_options){.host = url,
                                                                .repository = "models",
                                                                .http = fixture->http},
                                      &fixture->backend, &err),
                         0);
    }
    s3_fixture_play(fixture, steps, 1);
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    assert_null(strcasestr(http_server_request(fixture->server, 0), "authorization:"));
    assert_null(strcasestr(http_server_request(fixture->server, 0), "x-amz-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_signed, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(a_region_is_learnt_once, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(a_region_of_the_environment_saves_that,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(a_region_is_asked_for_where_a_head_tells_none,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(a_region_is_asked_for_where_a_document_tells_none,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(a_wrong_region_is_an_error_at_last,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(another_login_is_tried_once, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(without_a_key_nothing_is_signed, s3_fixture_open,
                                        s3_fixture_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
