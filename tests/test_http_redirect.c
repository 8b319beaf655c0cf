/* test_http_redirect.c: where redirects lead, and who may know us there. */
#include "tests/test.h"

#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ETAG "\"v1\""
#define DIGITS "0123456789"
#define WHOLE "HTTP/1.1 200 OK\r\nETag: " ETAG "\r\nContent-Length: 10\r\n\r\n" DIGITS

static struct http_fixture fixture;
static struct http_server *elsewhere; /* another origin */
static struct http_reply reply;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    err = (struct error){0};
    reply = (struct http_reply){0};
    http_fixture_open(&fixture);
    elsewhere = http_server_open();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_reply_done(&reply);
    http_fixture_close(&fixture);
    http_server_close(elsewhere);
    return 0;
}

static void play(struct http_server *server, const char *answer)
{
    static struct http_step steps[2]; /* one for each server */
    struct http_step *step = &steps[server == elsewhere];

    *step = (struct http_step){.reply = answer, .then = HTTP_THEN_KEEP};
    http_server_play(server, step, 1);
}

static bool got(struct http_server *server, unsigned number, const char *text)
{
    return strcasestr(http_server_request(server, number), text);
}

static void redirect(struct http_server *from, const char *location, int status)
{
    static char text[2][512]; /* one for each server */
    char *at = text[from == elsewhere];

    snprintf(at, sizeof text[0],
             "HTTP/1.1 %d There\r\nLocation: %s\r\n"
             "Content-Length: 5\r\n\r\nthere",
             status, location);
    play(from, at);
}

/* With secrets that are for the first host alone. */
static int follow(struct http_request request)
{
    request.authorize = http_fixture_authorize;
    request.follows = true;
    return http_fixture_get(&fixture, request, &reply, &err);
}

/* Scheme, host and port are told, no more. */
static void assert_moved(void)
{
    char there[HTTP_SERVER_URL_MAX];

    http_server_url(elsewhere, "", there);
    assert_string_equal(reply.moved_to, there);
}

static void test_redirect_to_another_host_knows_nothing(void **state)
{
    char there[HTTP_SERVER_URL_MAX];
    int count = 0;

    (void)state;
    http_server_url(elsewhere, "/signed?by=them", there);
    redirect(fixture.server, there, 302);
    play(elsewhere, WHOLE);
    assert_int_equal(follow((struct http_request){.authorizer = &count,
                                                  .extra = {{"X-Own", "secret"}},
                                                  .if_match = ETAG}),
                     0);
    assert_string_equal(fixture.sunk.data, DIGITS);
    assert_int_equal(count, 1);
    assert_true(got(fixture.server, 0, "\r\nX-Own: secret\r\n"));
    assert_true(got(elsewhere, 0, "GET /signed?by=them HTTP/1.1\r\n"));
    assert_false(got(elsewhere, 0, "secret"));
    assert_false(got(elsewhere, 0, "X-Amz"));
    assert_false(got(elsewhere, 0, "Referer"));
    assert_true(got(elsewhere, 0, "\r\nIf-Match: " ETAG "\r\n"));
    assert_moved();
}

static void test_redirect_that_is_not_followed(void **state)
{
    char there[HTTP_SERVER_URL_MAX];

    (void)state;
    http_server_url(elsewhere, "/signed?by=them", there);
    redirect(fixture.server, there, 307);
    play(elsewhere, WHOLE);
    assert_int_equal(
        http_fixture_get(&fixture, (struct http_request){.follows = false}, &reply, &err),
        0);
    assert_int_equal(reply.status, 307);
    assert_moved();
    assert_int_equal(http_server_requests(elsewhere), 0);
}

/* Away and back again: who was away once is a stranger. */
static void test_redirect_back_knows_nothing(void **state)
{
    static struct http_step steps[2];
    char there[HTTP_SERVER_URL_MAX], back[HTTP_SERVER_URL_MAX], text[512];
    int count = 0;

    (void)state;
    http_server_url(elsewhere, "/x", there);
    http_server_url(fixture.server, "/y", back);
    snprintf(text, sizeof text,
             "HTTP/1.1 307 There\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", there);
    steps[0] = (struct http_step){.reply = text};
    steps[1] = (struct http_step){.reply = WHOLE};
    http_server_play(fixture.server, steps, 2);
    redirect(elsewhere, back, 307);
    assert_int_equal(follow((struct http_request){.authorizer = &count}), 0);
    assert_true(got(fixture.server, 1, "GET /y"));
    assert_false(got(fixture.server, 1, "secret"));
}

static void test_redirect_at_home(void **state)
{
    static const struct http_step steps[] = {
        {"HTTP/1.1 301 There\r\nLocation: ../c?d\r\nContent-Length: 0\r\n\r\n",
         HTTP_THEN_KEEP,                                                                        false, false},
        {WHOLE,                                                                 HTTP_THEN_KEEP, false, false},
    };
    int count = 0;

    (void)state;
    http_server_play(fixture.server, steps, ARRAY_SIZE(steps));
    assert_int_equal(follow((struct http_request){.authorizer = &count}), 0);
    assert_true(got(fixture.server, 1, "GET /c?d HTTP/1.1\r\n"));
    assert_true(got(fixture.server, 1, "\r\nX-Amz-Date: 2\r\n"));
    assert_string_equal(reply.moved_to, "");
}

static const struct {
    const char *location;
    const char *why;
} bad_redirects[] = {
    {"/again",             "more than 5 redirects"},
    {"ftp://127.0.0.1/x",  "leads nowhere"        },
    {"file:///etc/passwd", "leads nowhere"        },
    {"http://a:b@host/",   "leads nowhere"        },
    {"http://",            "leads nowhere"        },
};

static void test_bad_redirects(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad_redirects); i++) {
        test_row(i, "%s", bad_redirects[i].location);
        redirect(fixture.server, bad_redirects[i].location, 302);
        assert_int_equal(http_fixture_get(&fixture,
                                          (struct http_request){.follows = true}, &reply,
                                          &err),
                         -EIO);
        assert_non_null(strstr(err.message, bad_redirects[i].why));
        assert_null(strstr(err.message, "secret"));
        assert_int_equal(http_server_requests(fixture.server), i == 0 ? 6 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_redirect_to_another_host_knows_nothing),
        TEST(test_redirect_that_is_not_followed),
        TEST(test_redirect_back_knows_nothing),
        TEST(test_redirect_at_home),
        TEST(test_bad_redirects),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
