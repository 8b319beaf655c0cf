/* test_http_try.c: bodies that are sent, and what becomes of them when a server fails. */
#include "tests/test.h"

#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DIGITS "0123456789"
#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

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

static bool got(unsigned number, const char *text)
{
    return strcasestr(http_server_request(fixture.server, number), text);
}

struct progress {
    uint64_t done;
    int rc;
};

static int note_progress(void *arg, uint64_t bytes_done, struct error *why)
{
    struct progress *progress = arg;

    progress->done = bytes_done;
    return progress->rc < 0 ? fail(why, -progress->rc, "given up") : 0;
}

static int put(struct http_body body)
{
    return http_fixture_get(
        &fixture, (struct http_request){.method = HTTP_PUT, .body = body}, &reply, &err);
}

static void test_put_bytes(void **state)
{
    (void)state;
    play(EMPTY, HTTP_THEN_KEEP);
    assert_int_equal(put((struct http_body){.data = DIGITS, .size = 10}), 0);
    assert_true(got(0, "PUT /b/o"));
    assert_true(got(0, "\r\nContent-Length: 10\r\n"));
    assert_false(got(0, "\r\nContent-Type:"));
    assert_false(got(0, "\r\nTransfer-Encoding:"));
    assert_int_equal(http_server_body_size(fixture.server, 0), 10);
}

static void test_put_nothing(void **state)
{
    (void)state;
    play(EMPTY, HTTP_THEN_KEEP);
    assert_int_equal(put((struct http_body){.size = 0}), 0);
    assert_true(got(0, "\r\nContent-Length: 0\r\n"));
}

static int make_file(size_t size)
{
    int fd = memfd_create("body", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

/* Larger than any buffer, from the middle of a file, and once more after a failure. */
static void test_put_file_twice(void **state)
{
    static const struct http_step steps[] = {
        {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", HTTP_THEN_KEEP, false, false},
        {EMPTY,                                          HTTP_THEN_KEEP, false, false},
    };
    enum { SIZE = 3 << 20 };
    CLEANUP_CLOSE int fd = make_file(SIZE + 100);
    struct progress progress = {0};

    (void)state;
    http_server_play(fixture.server, steps, ARRAY_SIZE(steps));
    assert_int_equal(put((struct http_body){.fd = fd,
                                            .offset = 100,
                                            .size = SIZE,
                                            .progress = note_progress,
                                            .arg = &progress}),
                     0);
    assert_int_equal(reply.tries, 2);
    assert_int_equal(progress.done, SIZE);
    assert_int_equal(http_server_body_size(fixture.server, 1), SIZE);
}

static void test_put_file_that_shrinks(void **state)
{
    CLEANUP_CLOSE int fd = make_file(1000);

    (void)state;
    play(EMPTY, HTTP_THEN_KEEP);
    assert_int_equal(put((struct http_body){.fd = fd, .size = 2000}), -EIO);
    assert_non_null(strstr(err.message, "shorter"));
}

static void test_put_given_up(void **state)
{
    struct progress progress = {.rc = -EINTR};

    (void)state;
    play(EMPTY, HTTP_THEN_KEEP);
    assert_int_equal(
        put((struct http_body){
            .data = DIGITS, .size = 10, .progress = note_progress, .arg = &progress}),
        -EINTR);
    assert_non_null(strstr(err.message, "given up"));
}

static void test_put_stalls(void **state)
{
    static const struct http_step steps[] = {
        {"",    HTTP_THEN_STALL, false, true },
        {EMPTY, HTTP_THEN_KEEP,  false, false},
    };
    enum { SIZE = 32 << 20 };
    CLEANUP_CLOSE int fd = make_file(SIZE);

    (void)state;
    http_fixture_hurry(&fixture);
    http_server_play(fixture.server, steps, ARRAY_SIZE(steps));
    assert_int_equal(put((struct http_body){.fd = fd, .size = SIZE}), 0);
    assert_int_equal(reply.tries, 2);
}

static int post(bool is_repeatable)
{
    http_fixture_reconnect(&fixture);
    return http_fixture_get(&fixture,
                            (struct http_request){
                                .method = HTTP_POST,
                                .body = {.data = "x", .size = 1},
                                .is_repeatable = is_repeatable
    },
                            &reply, &err);
}

static void test_post_is_sent_once(void **state)
{
    (void)state;
    play("", HTTP_THEN_CLOSE);
    assert_int_equal(post(false), -EIO);
    assert_int_equal(http_server_requests(fixture.server), 1);
    play("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", HTTP_THEN_KEEP);
    assert_int_equal(post(false), 0);
    assert_int_equal(reply.status, 503);
    assert_int_equal(http_server_requests(fixture.server), 1);
    assert_int_equal(post(true), 0);
    assert_int_equal(http_server_requests(fixture.server), 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_put_bytes),         TEST(test_put_nothing),
        TEST(test_put_file_twice),    TEST(test_put_file_that_shrinks),
        TEST(test_put_given_up),      TEST(test_put_stalls),
        TEST(test_post_is_sent_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
