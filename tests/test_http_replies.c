/* test_http_replies.c: what a server may answer to a GET: the right bytes come out of it,
 * or an error that says what is wrong. */
#include "tests/test.h"

#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 4 };

#define STEPS(...)                                                                       \
    {                                                                                    \
        __VA_ARGS__                                                                      \
    }
#define KEEP(reply)                                                                      \
    {                                                                                    \
        reply, HTTP_THEN_KEEP, false, false                                              \
    }
#define CLOSE(reply)                                                                     \
    {                                                                                    \
        reply, HTTP_THEN_CLOSE, false, false                                             \
    }
#define RESET(reply)                                                                     \
    {                                                                                    \
        reply, HTTP_THEN_RESET, false, false                                             \
    }
#define STALL(reply)                                                                     \
    {                                                                                    \
        reply, HTTP_THEN_STALL, false, false                                             \
    }
#define TRICKLE(reply)                                                                   \
    {                                                                                    \
        reply, HTTP_THEN_TRICKLE, false, false                                           \
    }
#define FLOOD(reply)                                                                     \
    {                                                                                    \
        reply, HTTP_THEN_FLOOD, false, false                                             \
    }

#define ETAG "\"v1\""
#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define PART_HEAD "HTTP/1.1 206 Partial Content\r\n"
#define DIGITS "0123456789"
#define WHOLE_REPLY OK_HEAD "ETag: " ETAG "\r\nContent-Length: 10\r\n\r\n" DIGITS
#define PART_REPLY(part, size, data)                                                     \
    PART_HEAD "ETag: " ETAG "\r\nContent-Range: bytes " part                             \
              "/10\r\nContent-Length: " size "\r\n\r\n" data
#define BUSY "HTTP/1.1 503 Slow Down\r\nContent-Length: 4\r\n\r\nbusy"
#define CUT_REPLY OK_HEAD "ETag: " ETAG "\r\nContent-Length: 10\r\n\r\n01234"
#define CHUNKED OK_HEAD "ETag: " ETAG "\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What each part asks for: all ten digits, 2 to 5, the last 4. */
static const struct http_request asked[] = {
    [HTTP_WHOLE] = {.part = HTTP_WHOLE},
    [HTTP_RANGE] = { .part = HTTP_RANGE,   .range = {2, 5}},
    [HTTP_SUFFIX] = { .part = HTTP_SUFFIX,  .suffix_size = 4},
};

#define ROW(what, part, if_match, steps, ...)                                            \
    {                                                                                    \
        what, part, if_match, steps, __VA_ARGS__                                         \
    }

static const struct {
    const char *what;
    enum http_part part;
    const char *if_match;
    struct http_step steps[STEPS_MAX];
    int rc;
    int status;
    const char *sunk;  /* NULL: whatever came */
    unsigned requests; /* 0: some */
    const char *last;  /* stands in the last request */
    const char *why;   /* stands in the error */
} rows[] = {
    ROW("whole", HTTP_WHOLE, NULL, STEPS(KEEP(WHOLE_REPLY)), 0, 200, DIGITS, 1,
        "User-Agent: modelfs/test\r\n", NULL),
    ROW("chunked", HTTP_WHOLE, NULL, STEPS(KEEP(CHUNKED "a\r\n" DIGITS "\r\n0\r\n\r\n")),
        0, 200, DIGITS, 1, NULL, NULL),
    ROW("empty", HTTP_WHOLE, NULL, STEPS(KEEP(OK_HEAD "Content-Length: 0\r\n\r\n")), 0,
        200, "", 1, NULL, NULL),
    ROW("range", HTTP_RANGE, NULL, STEPS(KEEP(PART_REPLY("2-5", "4", "2345"))), 0, 206,
        "2345", 1, "Range: bytes=2-5\r\n", NULL),
    ROW("suffix", HTTP_SUFFIX, NULL, STEPS(KEEP(PART_REPLY("6-9", "4", "6789"))), 0, 206,
        "6789", 1, "Range: bytes=-4\r\n", NULL),
    ROW("suffix longer than the object", HTTP_SUFFIX, NULL,
        STEPS(
            KEEP(PART_HEAD "Content-Range: bytes 0-1/2\r\nContent-Length: 2\r\n\r\n01")),
        0, 206, "01", 1, NULL, NULL),
    ROW("if_match", HTTP_RANGE, ETAG, STEPS(KEEP(PART_REPLY("2-5", "4", "2345"))), 0, 206,
        "2345", 1, "If-Match: " ETAG "\r\n", NULL),
    ROW("404 stands", HTTP_WHOLE, NULL,
        STEPS(KEEP("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")), 0, 404, "", 1,
        NULL, NULL),
    ROW("416 stands", HTTP_RANGE, NULL,
        STEPS(KEEP(
            "HTTP/1.1 416 No\r\nContent-Range: bytes */2\r\nContent-Length: 0\r\n\r\n")),
        0, 416, "", 1, NULL, NULL),
    ROW("a range ignored", HTTP_RANGE, NULL, STEPS(KEEP(WHOLE_REPLY)), 0, 200, "2345", 1,
        NULL, NULL),
    ROW("a suffix ignored", HTTP_SUFFIX, NULL, STEPS(KEEP(WHOLE_REPLY)), 0, 200, "6789",
        1, NULL, NULL),
    ROW("a suffix ignored, size unknown", HTTP_SUFFIX, NULL,
        STEPS(KEEP(CHUNKED "a\r\n" DIGITS "\r\n0\r\n\r\n")), -ENOTSUP, 0, "", 6, NULL,
        "ignores ranges"),
    ROW("a range ignored too far in", HTTP_RANGE, NULL,
        STEPS(KEEP(OK_HEAD "Content-Length: 3\r\n\r\n012")), -EIO, 0, "", 6, NULL,
        "too few"),
    ROW("an interim reply", HTTP_WHOLE, NULL,
        STEPS(KEEP("HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\nETag: "
                   "\"no\"\r\n\r\n" WHOLE_REPLY)),
        0, 200, DIGITS, 1, NULL, NULL),
    ROW("503, then it works", HTTP_WHOLE, NULL, STEPS(KEEP(BUSY), KEEP(WHOLE_REPLY)), 0,
        200, DIGITS, 2, NULL, NULL),
    ROW("503 for good", HTTP_WHOLE, NULL, STEPS(KEEP(BUSY)), 0, 503, "", 6, NULL, NULL),
    ROW("429 and Retry-After", HTTP_WHOLE, NULL,
        STEPS(KEEP("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"),
              KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("Retry-After too late", HTTP_WHOLE, NULL,
        STEPS(KEEP("HTTP/1.1 503 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"),
              KEEP(WHOLE_REPLY)),
        0, 503, "", 1, NULL, NULL),
    ROW("a date of Retry-After", HTTP_WHOLE, NULL,
        STEPS(KEEP("HTTP/1.1 503 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Retry-After: Sun, 06 Nov 1994 08:59:37 GMT\r\nContent-Length: "
                   "0\r\n\r\n"),
              KEEP(WHOLE_REPLY)),
        0, 503, "", 1, NULL, NULL),
    ROW("reset before the reply", HTTP_WHOLE, NULL, STEPS(RESET(""), KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("closed before the reply", HTTP_WHOLE, NULL, STEPS(CLOSE(""), KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("closed for good", HTTP_WHOLE, NULL, STEPS(CLOSE("")), -EIO, 0, "", 6, NULL,
        "without a reply"),
    ROW("closed in the head", HTTP_WHOLE, NULL,
        STEPS(CLOSE(OK_HEAD "Conte"), KEEP(WHOLE_REPLY)), 0, 200, DIGITS, 2, NULL, NULL),
    ROW("stalls before the reply", HTTP_WHOLE, NULL, STEPS(STALL(""), KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("stalls for good", HTTP_WHOLE, NULL, STEPS(STALL("")), -ETIMEDOUT, 0, "", 0, NULL,
        "nothing moves"),
    ROW("stalls in the head", HTTP_WHOLE, NULL, STEPS(STALL(OK_HEAD), KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("a trickling head", HTTP_WHOLE, NULL,
        STEPS(TRICKLE(OK_HEAD "X-A: "), KEEP(WHOLE_REPLY)), 0, 200, DIGITS, 2, NULL,
        NULL),
    ROW("garbage", HTTP_WHOLE, NULL,
        STEPS(CLOSE("\x16\x03\x01 garbage\r\n\r\n"), KEEP(WHOLE_REPLY)), 0, 200, DIGITS,
        2, NULL, NULL),
    ROW("garbage for good", HTTP_WHOLE, NULL, STEPS(CLOSE("SSH-2.0-OpenSSH\r\n\r\n")),
        -EIO, 0, "", 6, NULL, "not HTTP"),
    ROW("a garbled status", HTTP_WHOLE, NULL,
        STEPS(CLOSE("HTTP/1.1 2x0 OK\r\n\r\n"), KEEP(WHOLE_REPLY)), 0, 200, DIGITS, 2,
        NULL, NULL),
    ROW("a flood of fields", HTTP_WHOLE, NULL,
        STEPS(FLOOD(OK_HEAD "X-A: b\r\n"), KEEP(WHOLE_REPLY)), 0, 200, DIGITS, 2, NULL,
        NULL),
    ROW("a flood of interim replies", HTTP_WHOLE, NULL,
        STEPS(FLOOD("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 100 Go\r\nX-A: b\r\n"),
              KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("breaks off and goes on", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY), KEEP(PART_REPLY("5-9", "5", "56789"))), 0, 206, DIGITS, 2,
        "Range: bytes=5-9\r\n", NULL),
    ROW("is reset and goes on", HTTP_WHOLE, NULL,
        STEPS(RESET(CUT_REPLY), KEEP(PART_REPLY("5-9", "5", "56789"))), 0, 206, DIGITS, 2,
        "If-Match: " ETAG "\r\n", NULL),
    ROW("stalls and goes on", HTTP_WHOLE, NULL,
        STEPS(STALL(CUT_REPLY), KEEP(PART_REPLY("5-9", "5", "56789"))), 0, 206, DIGITS, 2,
        NULL, NULL),
    ROW("goes on after 503", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY), KEEP(BUSY), KEEP(PART_REPLY("5-9", "5", "56789"))), 0,
        206, DIGITS, 3, NULL, NULL),
    ROW("goes on where ranges are ignored", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY), KEEP(WHOLE_REPLY)), 0, 200, DIGITS, 2, NULL, NULL),
    ROW("a range goes on", HTTP_RANGE, NULL,
        STEPS(CLOSE(PART_REPLY("2-5", "4", "23")), KEEP(PART_REPLY("4-5", "2", "45"))), 0,
        206, "2345", 2, "Range: bytes=4-5\r\n", NULL),
    ROW("a suffix goes on", HTTP_SUFFIX, NULL,
        STEPS(CLOSE(PART_REPLY("6-9", "4", "67")), KEEP(PART_REPLY("8-9", "2", "89"))), 0,
        206, "6789", 2, "Range: bytes=8-9\r\n", NULL),
    ROW("chunks break off and go on", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CHUNKED "5\r\n01234\r\n"), KEEP(PART_REPLY("5-9", "5", "56789"))), 0,
        206, DIGITS, 2, "Range: bytes=5-\r\n", NULL),
    ROW("chunks end too early", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_HEAD "ETag: " ETAG
                             "\r\nContent-Range: bytes 2-5/10\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n2\r\n23\r\n0\r\n\r\n"),
              KEEP(PART_REPLY("4-5", "2", "45"))),
        0, 206, "2345", 2, NULL, NULL),
    ROW("chunks go on for too long", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_HEAD "ETag: " ETAG
                             "\r\nContent-Range: bytes 2-5/10\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n9\r\n234567890\r\n0\r\n\r\n")),
        0, 206, "2345", 1, NULL, NULL),
    ROW("an endless body", HTTP_RANGE, NULL,
        STEPS(
            FLOOD(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n0123456789\r\n")),
        0, 200, "2345", 1, NULL, NULL),
    ROW("a trickling body", HTTP_WHOLE, NULL, STEPS(TRICKLE(CHUNKED "fffffff\r\n")),
        -ETIMEDOUT, 0, NULL, 0, NULL, "nothing moves"),
    ROW("replaced while it is read", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY), KEEP("HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n")),
        -ESTALE, 0, "01234", 2, NULL, "replaced"),
    ROW("replaced, condition ignored", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY),
              KEEP(PART_HEAD "ETag: \"v2\"\r\nContent-Range: bytes "
                             "5-9/10\r\nContent-Length: 5\r\n\r\nabcde")),
        -ESTALE, 0, "01234", 2, NULL, "replaced"),
    ROW("replaced, ranges ignored", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY),
              KEEP(OK_HEAD "ETag: \"v2\"\r\nContent-Length: 10\r\n\r\nabcdefghij")),
        -ESTALE, 0, "01234", 2, NULL, "replaced"),
    ROW("replaced by another size", HTTP_WHOLE, NULL,
        STEPS(CLOSE(CUT_REPLY),
              KEEP(PART_HEAD
                   "ETag: " ETAG
                   "\r\nContent-Range: bytes 5-9/11\r\nContent-Length: 5\r\n\r\nabcde")),
        -ESTALE, 0, "01234", 2, NULL, "replaced"),
    ROW("another version before the first byte", HTTP_WHOLE, NULL,
        STEPS(CLOSE(OK_HEAD "ETag: \"v0\"\r\nContent-Length: 3\r\n\r\n"),
              KEEP(WHOLE_REPLY)),
        0, 200, DIGITS, 2, NULL, NULL),
    ROW("cannot go on without an ETag", HTTP_WHOLE, NULL,
        STEPS(CLOSE(OK_HEAD "Content-Length: 10\r\n\r\n01234"), KEEP(WHOLE_REPLY)), -EIO,
        0, "01234", 1, NULL, "broke off"),
    ROW("cannot go on with a weak ETag", HTTP_WHOLE, NULL,
        STEPS(CLOSE(OK_HEAD "ETag: W/\"v1\"\r\nContent-Length: 10\r\n\r\n01234"),
              KEEP(WHOLE_REPLY)),
        -EIO, 0, "01234", 1, NULL, "broke off"),
    ROW("not the version of if_match", HTTP_RANGE, "\"v0\"",
        STEPS(KEEP(PART_REPLY("2-5", "4", "2345"))), -ESTALE, 0, "", 1, NULL, "replaced"),
    ROW("412 with if_match", HTTP_RANGE, "\"v0\"",
        STEPS(KEEP("HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n")), -ESTALE, 0, "", 1,
        NULL, "replaced"),
    ROW("412 without stands", HTTP_RANGE, NULL,
        STEPS(KEEP("HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n")), 0, 412, "", 1, NULL,
        NULL),
    ROW("no ETag with if_match", HTTP_RANGE, ETAG,
        STEPS(KEEP(PART_HEAD
                   "Content-Range: bytes 2-5/10\r\nContent-Length: 4\r\n\r\n2345")),
        -EIO, 0, "", 6, NULL, "version"),
    ROW("another range", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_REPLY("3-6", "4", "3456")), KEEP(PART_REPLY("2-5", "4", "2345"))),
        0, 206, "2345", 2, NULL, NULL),
    ROW("a shorter range", HTTP_RANGE, NULL, STEPS(KEEP(PART_REPLY("2-4", "3", "234"))),
        -EIO, 0, "", 6, NULL, "asked for were bytes=2-5"),
    ROW("a longer range", HTTP_RANGE, NULL, STEPS(KEEP(PART_REPLY("2-6", "5", "23456"))),
        -EIO, 0, "", 6, NULL, "asked for were"),
    ROW("the first bytes instead of the last", HTTP_SUFFIX, NULL,
        STEPS(KEEP(PART_REPLY("0-3", "4", "0123"))), -EIO, 0, "", 6, NULL,
        "asked for were"),
    ROW("a suffix of unknown size", HTTP_SUFFIX, NULL,
        STEPS(KEEP(PART_HEAD
                   "Content-Range: bytes 6-9/*\r\nContent-Length: 4\r\n\r\n6789")),
        -EIO, 0, "", 6, NULL, "Content-Range"),
    ROW("a range of unknown size", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_HEAD
                   "Content-Range: bytes 2-5/*\r\nContent-Length: 4\r\n\r\n2345")),
        0, 206, "2345", 1, NULL, NULL),
    ROW("a part without a range", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_HEAD "Content-Length: 4\r\n\r\n2345")), -EIO, 0, "", 6, NULL,
        "Content-Range"),
    ROW("a part that nobody asked for", HTTP_WHOLE, NULL,
        STEPS(KEEP(PART_REPLY("2-5", "4", "2345"))), -EIO, 0, "", 6, NULL,
        "not asked for"),
    ROW("two ranges", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_HEAD "Content-Range: bytes 2-5/10\r\nContent-Range: bytes "
                             "3-6/10\r\nContent-Length: 4\r\n\r\n2345")),
        -EIO, 0, "", 6, NULL, "understood"),
    ROW("a range in words", HTTP_RANGE, NULL,
        STEPS(KEEP(PART_HEAD
                   "Content-Range: bytes two-five/10\r\nContent-Length: 4\r\n\r\n2345")),
        -EIO, 0, "", 6, NULL, "understood"),
    ROW("a length that lies, more", HTTP_RANGE, NULL,
        STEPS(CLOSE(PART_REPLY("2-5", "9", "2345"))), -EIO, 0, "", 6, NULL,
        "of its range"),
    ROW("a length that lies, less", HTTP_RANGE, NULL,
        STEPS(CLOSE(PART_REPLY("2-5", "3", "2345"))), -EIO, 0, "", 6, NULL,
        "of its range"),
    ROW("no end", HTTP_WHOLE, NULL, STEPS(CLOSE(OK_HEAD "\r\n" DIGITS)), -EIO, 0, "", 6,
        NULL, "where it ends"),
    ROW("compressed", HTTP_WHOLE, NULL,
        STEPS(
            KEEP(OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" DIGITS)),
        -EIO, 0, "", 6, NULL, "compressed"),
    ROW("a redirect that nobody follows", HTTP_WHOLE, NULL,
        STEPS(KEEP("HTTP/1.1 302 There\r\nLocation: /c\r\nContent-Length: 0\r\n\r\n")), 0,
        302, "", 1, NULL, NULL),
};

static size_t step_count(const struct http_step *steps)
{
    size_t count = 0;

    while (count < STEPS_MAX && steps[count].reply)
        count++;
    return count;
}

static bool stalls(const struct http_step *steps)
{
    size_t count = step_count(steps);

    for (size_t i = 0; i < count; i++)
        if (steps[i].then == HTTP_THEN_STALL || steps[i].then == HTTP_THEN_TRICKLE)
            return true;
    return false;
}

static void check_row(struct http_fixture *fixture, size_t i)
{
    struct http_request request = asked[rows[i].part];
    struct http_reply reply = {0};
    struct error err = {0};
    unsigned requests;

    if (stalls(rows[i].steps))
        http_fixture_hurry(fixture);
    http_server_play(fixture->server, rows[i].steps, step_count(rows[i].steps));
    request.if_match = rows[i].if_match;
    assert_int_equal(http_fixture_get(fixture, request, &reply, &err), rows[i].rc);
    if (rows[i].why)
        assert_non_null(strstr(err.message, rows[i].why));
    else
        assert_int_equal(err.code, 0);
    assert_null(strstr(err.message, "secret"));
    assert_int_equal(reply.status, rows[i].status);
    requests = http_server_requests(fixture->server);
    if (rows[i].requests)
        assert_int_equal(requests, rows[i].requests);
    if (rows[i].rc == 0)
        assert_int_equal(reply.tries, requests);
    if (rows[i].sunk)
        assert_string_equal(fixture->sunk.data, rows[i].sunk);
    if (rows[i].last)
        assert_non_null(
            strstr(http_server_request(fixture->server, requests - 1), rows[i].last));
    http_reply_done(&reply);
}

static void test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct http_fixture fixture;

        test_row(i, "%s", rows[i].what);
        http_fixture_open(&fixture);
        check_row(&fixture, i);
        http_fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
