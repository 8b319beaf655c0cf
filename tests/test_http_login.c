/* test_http_login.c: how often a host is asked, and as whom. */
#include "tests/test.h"

#include "backends/http_login.h"
#include "tests/fakes/s3_fixture.h"

#include <errno.h>
#include <string.h>

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define NOT_THERE "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
#define REFUSED "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"

#define WANTS_TLS                                                                        \
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 48\r\n\r\n"                             \
    "Client sent an HTTP request to an HTTPS server.\n"

/* What the operations are given. */
struct host {
    struct s3_fixture *fixture;
    int verdict;     /* of judge, the first time; then -EACCES */
    bool is_refusal; /* the same */
    bool is_rotated; /* another login is there when it is refused */
    unsigned judged;
};

static int address(void *arg, const struct login *login, struct bytes *url,
                   struct error *err)
{
    const struct host *host = arg;

    (void)login;
    return bytes_printf(url, err, "http://%s/o", host->fixture->host);
}

static int authorize(void *arg, const struct login *login, const char *url,
                     struct http_fields *fields, struct error *err)
{
    (void)arg;
    assert_non_null(strstr(url, "/o"));
    return http_fields_set(fields, "X-User", login->user, err);
}

static int judge(void *arg, const struct login *login, const struct http_reply *reply,
                 bool *is_refusal, struct error *err)
{
    struct host *host = arg;
    int verdict = host->judged++ == 0 ? host->verdict : -EACCES;

    (void)login;
    assert_false(*is_refusal);
    assert_string_equal(reply->body.data, "no");
    *is_refusal = host->is_refusal;
    if (host->is_rotated)
        s3_fixture_login(host->fixture, host->fixture->host, "AKSECOND");
    return verdict < 0 ? fail(err, -verdict, "the host says no") : verdict;
}

static void a_host_is_asked_again_where_that_helps(void **state)
{
    static const struct {
        const char *replies[2];
        int verdict;
        bool is_refusal, is_rotated;
        int rc;
        int status;
        const char *body; /* NULL: nothing of it is handed on */
        unsigned requests;
        const char *user; /* of the last one */
    } cases[] = {
        {{ANSWER, ANSWER},    0,                false, false, 0,             200, "ok", 1, "AKFIRST" },
        {{NOT_THERE, ANSWER}, -ENOENT,          false, false, -ENOENT,       404, NULL, 1, "AKFIRST" },
        {{NOT_THERE, ANSWER}, 0,                false, false, 0,             404, "no", 1, "AKFIRST" },
        {{NOT_THERE, ANSWER}, HTTP_LOGIN_AGAIN, false, false, 0,             200, "ok", 2, "AKFIRST" },
        {{REFUSED, ANSWER},   -EACCES,          true,  false, -EACCES,       403, NULL, 1, "AKFIRST" },
        {{REFUSED, ANSWER},   -EACCES,          true,  true,  0,             200, "ok", 2, "AKSECOND"},
        {{REFUSED, REFUSED},  -EACCES,          true,  true,  -EACCES,       403, NULL, 2, "AKSECOND"},
        {{REFUSED, ANSWER},   -EACCES,          false, true,  -EACCES,       403, NULL, 1, "AKFIRST" },
        {{WANTS_TLS, ANSWER}, 0,                false, false, -EHOSTUNREACH, 0,   NULL, 1, "AKFIRST" },
    };
    static const struct http_login_ops ops = {address, authorize, judge};
    struct s3_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct http_step steps[] = {{.reply = cases[i].replies[0]},
                                          {.reply = cases[i].replies[1]}};
        struct host host = {fixture, cases[i].verdict, cases[i].is_refusal,
                            cases[i].is_rotated, 0};
        struct http_login login = {.http = fixture->http, .ops = &ops, .arg = &host};
        struct http_reply reply = {0};
        struct error err = {0};
        char field[32];

        test_row(i, "%.3s, verdict %d", cases[i].replies[0] + 9, cases[i].verdict);
        s3_fixture_login(fixture, fixture->host, "AKFIRST");
        assert_int_equal(credentials_open(CREDENTIALS_S3, fixture->host, fixture->http,
                                          &login.credentials, &err),
                         0);
        s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
        assert_int_equal(http_login_do(&login, &(struct http_request){.method = HTTP_GET},
                                       &reply, &err),
                         cases[i].rc);
        assert_int_equal(reply.status, cases[i].status);
        assert_int_equal(reply.body.size, cases[i].body ? 2 : 0);
        if (cases[i].body)
            assert_string_equal(reply.body.data, cases[i].body);
        assert_int_equal(http_server_requests(fixture->server), cases[i].requests);
        snprintf(field, sizeof field, "X-User: %s\r\n", cases[i].user);
        assert_non_null(
            strstr(http_server_request(fixture->server, cases[i].requests - 1), field));
        http_reply_done(&reply);
        credentials_close(login.credentials);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_is_asked_again_where_that_helps,
                                        s3_fixture_open, s3_fixture_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
