/* test_http.c: one HTTP request: what is sent, and what ends it. */
#include "tests/test.h"

#include "common/sync.h"
#include "tests/fakes/http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ETAG "\"v1\""
#define DIGITS "0123456789"
#define WHOLE "HTTP/1.1 200 OK\r\nETag: " ETAG "\r\nContent-Length: 10\r\n\r\n" DIGITS

static struct http_fixture fixture;
static struct http_reply reply;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    err = (struct error){0};
    reply = (struct http_reply){0};
    http_fixture_open(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_reply_done(&reply);
    http_fixture_close(&fixture);
    return 0;
}

static void play(const char *answer, enum http_then then)
{
    static struct http_step step;

    step = (struct http_step){.reply = answer, .then = then};
    http_server_play(fixture.server, &step, 1);
}

static bool got(struct http_server *server, unsigned number, const char *text)
{
    return strcasestr(http_server_request(server, number), text);
}

static void test_what_is_sent(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP);
    assert_int_equal(http_fixture_get(&fixture, (struct http_request){0}, &reply, &err),
                     0);
    assert_true(got(fixture.server, 0, "GET /b/o?X-Amz-Signature=secret HTTP/1.1\r\n"));
    assert_true(got(fixture.server, 0, "\r\nUser-Agent: modelfs/test\r\n"));
    assert_false(got(fixture.server, 0, "\r\nAccept-Encoding:"));
    assert_false(got(fixture.server, 0, "\r\nAuthorization:"));
    assert_false(got(fixture.server, 0, "\r\nCookie:"));
    assert_false(got(fixture.server, 0, "\r\nRange:"));
    assert_false(got(fixture.server, 0, "\r\nIf-Match:"));
}

static void test_reply_facts(void **state)
{
    (void)state;
    play("HTTP/1.1 206 Part\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Last-Modified: Sun, 06 Nov 1994 08:49:00 GMT\r\nETag: " ETAG "\r\n"
         "Content-Range: bytes 6-9/10\r\nContent-Length: 4\r\n\r\n6789",
         HTTP_THEN_KEEP);
    assert_int_equal(
        http_fixture_get(&fixture,
                         (struct http_request){.part = HTTP_SUFFIX, .suffix_size = 4},
                         &reply, &err),
        0);
    assert_true(reply.has_object_size);
    assert_int_equal(reply.object_size, 10);
    assert_int_equal(reply.first, 6);
    assert_int_equal(reply.date_s, 784111777);
    assert_int_equal(reply.modified_s, 784111740);
    assert_string_equal(reply.etag, ETAG);
    assert_int_equal(reply.tries, 1);
}

/* Who gets the body knows by then what the fields say of it. */
struct reader {
    struct sink base;
    unsigned fields; /* named etag */
    unsigned fields_before;
};

static void note_field(void *arg, const char *name, const char *value)
{
    struct reader *reader = arg;

    reader->fields += strcmp(name, "etag") == 0 && strcmp(value, ETAG) == 0;
}

static int note_bytes(struct sink *sink, const void *data, size_t size, struct error *why)
{
    struct reader *reader = (struct reader *)sink;

    (void)data;
    (void)size;
    (void)why;
    reader->fields_before = reader->fields;
    return 0;
}

static void test_fields_come_before_the_body(void **state)
{
    struct reader reader = {.base.write = note_bytes};

    (void)state;
    play(WHOLE, HTTP_THEN_KEEP);
    assert_int_equal(http_fixture_get(&fixture,
                                      (struct http_request){.to = &reader.base,
                                                            .field = note_field,
                                                            .arg = &reader},
                                      &reply, &err),
                     0);
    assert_int_equal(reader.fields_before, 1);
    assert_int_equal(reader.fields, 1);
}

/* Large ones are not sent before the server wants them. */
static void test_small_bodies_are_not_announced(void **state)
{
    static char data[(1 << 20) + 1];
    static const size_t sizes[] = {1, sizeof data - 1, sizeof data};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        test_row(i, "%zu bytes", sizes[i]);
        play("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_THEN_KEEP);
        assert_int_equal(
            http_fixture_get(&fixture,
                             (struct http_request){
                                 .method = HTTP_PUT, .body = {data, .size = sizes[i]}
        },
                             &reply, &err),
            0);
        assert_int_equal(got(fixture.server, 0, "\r\nExpect: 100-continue\r\n"),
                         sizes[i] == sizeof data);
        http_reply_done(&reply);
    }
}

static void test_head(void **state)
{
    (void)state;
    play("HTTP/1.1 200 OK\r\nContent-Length: 123\r\nETag: " ETAG "\r\n\r\n",
         HTTP_THEN_KEEP);
    assert_int_equal(http_fixture_get(&fixture,
                                      (struct http_request){.method = HTTP_HEAD}, &reply,
                                      &err),
                     0);
    assert_true(got(fixture.server, 0, "HEAD /b/o"));
    assert_true(reply.has_object_size);
    assert_int_equal(reply.object_size, 123);
    assert_int_equal(
        http_fixture_get(&fixture,
                         (struct http_request){.method = HTTP_HEAD, .if_match = "\"v0\""},
                         &reply, &err),
        -ESTALE);
}

static void test_body_without_sink(void **state)
{
    static const struct http_step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", HTTP_THEN_CLOSE, false,
         false                                                                              },
        {WHOLE,                                                HTTP_THEN_KEEP,  false, false},
    };
    char url[HTTP_SERVER_URL_MAX];
    struct http_request request = {.url = url};

    (void)state;
    http_server_url(fixture.server, "/o", url);
    http_server_play(fixture.server, steps, ARRAY_SIZE(steps));
    assert_int_equal(http_do(fixture.http, &request, &reply, &err), 0);
    assert_int_equal(reply.body.size, 10);
    assert_string_equal(reply.body.data, DIGITS);
    assert_int_equal(reply.tries, 2);
    request.body_max = 9;
    http_reply_done(&reply);
    assert_int_equal(http_do(fixture.http, &request, &reply, &err), -EFBIG);
}

static void test_error_document_is_cut(void **state)
{
    (void)state;
    play("HTTP/1.1 403 No\r\nContent-Length: 99999999\r\n\r\n<Error>\r\n",
         HTTP_THEN_FLOOD);
    assert_int_equal(
        http_fixture_get(&fixture, (struct http_request){.body_max = 1000}, &reply, &err),
        0);
    assert_int_equal(reply.status, 403);
    assert_int_equal(reply.body.size, 1000);
    assert_memory_equal(reply.body.data, "<Error>", 7);
    assert_int_equal(fixture.sunk.size, 0);
}

static void test_sink_error_ends_it(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP);
    fixture.sink_rc = -ENOSPC;
    assert_int_equal(http_fixture_get(&fixture, (struct http_request){0}, &reply, &err),
                     -ENOSPC);
    assert_non_null(strstr(err.message, "the sink refuses"));
    assert_int_equal(http_server_requests(fixture.server), 1);
}

static int restart(void *arg, struct error *why)
{
    (void)why;
    ++*(int *)arg;
    bytes_cut(&fixture.sunk, 0, 0);
    return 0;
}

static void test_restart(void **state)
{
    static const struct http_step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcde", HTTP_THEN_CLOSE, false,
         false                                                                              },
        {WHOLE,                                                HTTP_THEN_KEEP,  false, false},
    };
    int restarts = 0;

    (void)state;
    http_server_play(fixture.server, steps, ARRAY_SIZE(steps));
    assert_int_equal(
        http_fixture_get(&fixture,
                         (struct http_request){.restart = restart, .arg = &restarts},
                         &reply, &err),
        0);
    assert_int_equal(restarts, 1);
    assert_string_equal(fixture.sunk.data, DIGITS);
    assert_false(got(fixture.server, 1, "\r\nRange:"));
}

/* A body that breaks off again and again, but brings something each time. */
static void test_progress_counts_tries_anew(void **state)
{
    enum { PIECE = 80 << 10, PIECES = 9 };
    static struct http_step steps[PIECES];
    static char replies[PIECES][PIECE + 512];

    (void)state;
    for (int i = 0; i < PIECES; i++) {
        int size = snprintf(replies[i], 512,
                            "HTTP/1.1 %d OK\r\nETag: " ETAG "\r\n"
                            "Content-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n",
                            i ? 206 : 200, i * PIECE, PIECES * PIECE - 1, PIECES * PIECE,
                            (PIECES - i) * PIECE);

        memset(replies[i] + size, 'a' + i, PIECE);
        steps[i] = (struct http_step){.reply = replies[i], .then = HTTP_THEN_CLOSE};
    }
    http_server_play(fixture.server, steps, PIECES);
    assert_int_equal(http_fixture_get(&fixture, (struct http_request){0}, &reply, &err),
                     0);
    assert_int_equal(reply.tries, PIECES);
    assert_int_equal(fixture.sunk.size, PIECES * PIECE);
    for (size_t i = 0; i < fixture.sunk.size; i++)
        if (fixture.sunk.data[i] != 'a' + (char)(i / PIECE))
            fail_msg("byte %zu is '%c'", i, fixture.sunk.data[i]);
}

static void test_each_try_is_authorized(void **state)
{
    static const struct http_step steps[] = {
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", HTTP_THEN_KEEP, false, false},
        {WHOLE,                                          HTTP_THEN_KEEP, false, false},
    };
    int count = 0;

    (void)state;
    http_server_play(fixture.server, steps, ARRAY_SIZE(steps));
    assert_int_equal(
        http_fixture_get(&fixture,
                         (struct http_request){.authorize = http_fixture_authorize,
                                               .authorizer = &count},
                         &reply, &err),
        0);
    assert_true(got(fixture.server, 0, "\r\nAuthorization: secret\r\n"));
    assert_true(got(fixture.server, 0, "\r\nX-Amz-Date: 1\r\n"));
    assert_true(got(fixture.server, 1, "\r\nX-Amz-Date: 2\r\n"));
}

static int refuse(void *arg, struct http_fields *fields, struct error *why)
{
    (void)arg;
    return http_fields_set(fields, "X-Bad", "a\r\nb: c", why);
}

static void test_authorize_fails(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP);
    assert_int_equal(http_fixture_get(&fixture,
                                      (struct http_request){.authorize = refuse}, &reply,
                                      &err),
                     -EINVAL);
    assert_int_equal(http_server_requests(fixture.server), 0);
}

/* On a port that nobody else can have meanwhile. */
static void test_nobody_listens(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof address;
    char url[HTTP_SERVER_URL_MAX];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x?secret", ntohs(address.sin_port));
    assert_int_equal(
        http_do(fixture.http, &(struct http_request){.url = url}, &reply, &err),
        -ECONNREFUSED);
    assert_null(strstr(err.message, "secret"));
}

/* By a name that no name server has to be asked for: there may be none. */
static void test_unknown_host(void **state)
{
    (void)state;
    assert_int_equal(http_do(fixture.http,
                             &(struct http_request){.url = "http://nobody..invalid/x"},
                             &reply, &err),
                     -EHOSTUNREACH);
    assert_non_null(strstr(err.message, "nobody..invalid"));
}

/* The server may see the request later than its end, or not at all. */
static void test_deadline(void **state)
{
    (void)state;
    play("", HTTP_THEN_STALL);
    assert_int_equal(
        http_fixture_get(&fixture,
                         (struct http_request){.deadline_ms = clock_now_ms() + 500},
                         &reply, &err),
        -ETIMEDOUT);
    assert_in_range(http_server_requests(fixture.server), 0, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_sent),
        TEST(test_reply_facts),
        TEST(test_fields_come_before_the_body),
        TEST(test_small_bodies_are_not_announced),
        TEST(test_head),
        TEST(test_body_without_sink),
        TEST(test_error_document_is_cut),
        TEST(test_sink_error_ends_it),
        TEST(test_restart),
        TEST(test_progress_counts_tries_anew),
        TEST(test_each_try_is_authorized),
        TEST(test_authorize_fails),
        TEST(test_nobody_listens),
        TEST(test_unknown_host),
        TEST(test_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
