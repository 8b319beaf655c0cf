/* test_http_head.c: heads of replies, read with suspicion. */
#include "tests/test.h"

#include "backends/http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct error err;

static int feed(struct http_head *head, const char *text)
{
    int rc = 0;

    while (rc == 0 && *text) {
        const char *end = strchr(text, '\n');
        size_t size = end ? (size_t)(end - text) + 1 : strlen(text);

        rc = http_head_line(head, text, size, &err);
        text += size;
    }
    return rc;
}

/* A reply with one field. */
static void read_field(struct http_head *head, const char *name, const char *value)
{
    char text[256];

    snprintf(text, sizeof text, "HTTP/1.1 206 Part\r\n%s: %s\r\n\r\n", name, value);
    http_head_init(head);
    assert_int_equal(feed(head, text), 0);
}

static const struct {
    const char *text;
    bool is_one;
    uint64_t first, last, size; /* size 0: not said */
} ranges[] = {
    {"bytes 0-99/1000",                         true,  0, 99,             1000},
    {"BYTES 0-0/1",                             true,  0, 0,              1   },
    {"bytes 5-9/*",                             true,  5, 9,              0   },
    {"bytes  5-9/10",                           true,  5, 9,              10  },
    {"bytes 0-18446744073709551614/*",          true,  0, UINT64_MAX - 1, 0   },
    {"bytes 0-18446744073709551615/*",          false, 0, 0,              0   },
    {"bytes 0-18446744073709551616/*",          false, 0, 0,              0   },
    {"bytes 0-99/99",                           false, 0, 0,              0   },
    {"bytes 9-5/10",                            false, 0, 0,              0   },
    {"bytes -5/10",                             false, 0, 0,              0   },
    {"bytes 5-/10",                             false, 0, 0,              0   },
    {"bytes 5-9",                               false, 0, 0,              0   },
    {"bytes 5-9/",                              false, 0, 0,              0   },
    {"bytes 5-9/1e3",                           false, 0, 0,              0   },
    {"bytes 5-9/10 ",                           true,  5, 9,              10  },
    {"bytes +5-9/10",                           false, 0, 0,              0   },
    {"bytes 0x5-9/10",                          false, 0, 0,              0   },
    {"bytes */10",                              false, 0, 0,              0   },
    {"bytes 5/10-9",                            false, 0, 0,              0   },
    {"items 0-9/10",                            false, 0, 0,              0   },
    {"bytes=0-9/10",                            false, 0, 0,              0   },
    {"bytes 0000000000000000000000000005-9/10", false, 0, 0,              0   },
    {"",                                        false, 0, 0,              0   },
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        struct http_head head;

        test_row(i, "%s", ranges[i].text);
        read_field(&head, "Content-Range", ranges[i].text);
        assert_int_equal(head.has_range, ranges[i].is_one);
        assert_int_equal(head.range.first, ranges[i].first);
        assert_int_equal(head.range.last, ranges[i].last);
        assert_int_equal(head.has_size, ranges[i].size > 0);
        assert_int_equal(head.size, ranges[i].size);
        http_head_done(&head);
    }
}

/* The three forms of RFC 9110, 5.6.7. */
static const struct {
    const char *text;
    int64_t date_s;
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT",  784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994",       784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT",  0        },
    {"tomorrow",                       0        },
    {"",                               0        },
};

static void test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
        struct http_head head;

        test_row(i, "%s", dates[i].text);
        read_field(&head, "Date", dates[i].text);
        assert_int_equal(head.date_s, dates[i].date_s);
        http_head_done(&head);
    }
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static const struct {
    const char *fields;
    int64_t retry_after_ms;
} retries[] = {
    {"Retry-After: 0\r\n",                                  0               },
    {"Retry-After: 120\r\n",                                120000          },
    {"retry-after:7  \r\n",                                 7000            },
    {"Retry-After: 99999999999999999999\r\n",               -1              },
    {"Retry-After: 9999999999\r\n",                         7 * 24 * 3600000},
    {"Retry-After: -1\r\n",                                 -1              },
    {"Retry-After: 1.5\r\n",                                -1              },
    {DATE "Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\n", 23000           },
    {"Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\n" DATE, 23000           },
    {DATE "Retry-After: Sun, 06 Nov 1994 08:00:00 GMT\r\n", 0               },
    {"Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\n",      -1              },
    {"",                                                    -1              },
};

static void test_retry_after(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(retries); i++) {
        struct http_head head;
        char text[512];

        test_row(i, "%s", retries[i].fields);
        snprintf(text, sizeof text, "HTTP/1.1 503 No\r\n%s\r\n", retries[i].fields);
        http_head_init(&head);
        assert_int_equal(feed(&head, text), 0);
        assert_true(head.is_complete);
        assert_int_equal(head.retry_after_ms, retries[i].retry_after_ms);
        http_head_done(&head);
    }
}

static const struct {
    const char *line;
    int rc, status;
} statuses[] = {
    {"HTTP/1.1 206 Partial Content\r\n", 0,    206},
    {"HTTP/1.0 404\r\n",                 0,    404},
    {"HTTP/2 200 \r\n",                  0,    200},
    {"HTTP/1.1 2x0 OK\r\n",              -EIO, 0  },
    {"HTTP/1.1 20\r\n",                  -EIO, 0  },
    {"HTTP/1.1 2000 OK\r\n",             -EIO, 0  },
    {"HTTP/1.1 099 OK\r\n",              -EIO, 0  },
    {"HTTP/1.1\r\n",                     -EIO, 0  },
};

static void test_statuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        struct http_head head;

        test_row(i, "%s", statuses[i].line);
        http_head_init(&head);
        assert_int_equal(feed(&head, statuses[i].line), statuses[i].rc);
        assert_int_equal(head.status, statuses[i].status);
        http_head_done(&head);
    }
}

static const struct {
    const char *fields;
    bool is_unclear, is_encoded;
    const char *etag;
} fields[] = {
    {"ETag: \"a\"\r\n",                                              false, false, "\"a\""},
    {"ETag: \"a\"\r\nETag: \"a\"\r\n",                               false, false, "\"a\""},
    {"ETag: \"a\"\r\nETag: \"b\"\r\n",                               true,  false, "\"a\""},
    {"Content-Length: 5\r\nContent-Length: 5\r\n",                   false, false, ""     },
    {"Content-Length: 5\r\nContent-Length: 6\r\n",                   true,  false, ""     },
    {"Content-Length: five\r\n",                                     true,  false, ""     },
    {"Content-Range: bytes 0-1/2\r\nContent-Range: bytes 0-1/2\r\n", true,  false, ""     },
    {"Content-Range: bytes */2\r\n",                                 false, false, ""     },
    {"Content-Encoding: identity\r\n",                               false, false, ""     },
    {"Content-Encoding: aws-chunked\r\n",                            false, false, ""     },
    {"Content-Encoding: gzip\r\n",                                   false, true,  ""     },
    {"ETag\r\n: b\r\nE Tag: c\r\n ETag: d\r\n",                      false, false, ""     },
};

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        struct http_head head;
        char text[512];

        test_row(i, "%s", fields[i].fields);
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\n", fields[i].fields);
        http_head_init(&head);
        assert_int_equal(feed(&head, text), 0);
        assert_int_equal(head.is_unclear, fields[i].is_unclear);
        assert_int_equal(head.is_encoded, fields[i].is_encoded);
        assert_string_equal(head.etag, fields[i].etag);
        http_head_done(&head);
    }
}

static void test_long_etag_is_none(void **state)
{
    char text[BACKEND_TAG_MAX + 100];
    struct http_head head;

    (void)state;
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nETag: %0*d\r\n\r\n", BACKEND_TAG_MAX,
             1);
    http_head_init(&head);
    assert_int_equal(feed(&head, text), 0);
    assert_string_equal(head.etag, "");
    http_head_done(&head);
}

/* Interim replies and what follows the body count too. */
static void test_limit(void **state)
{
    struct http_head head;
    int rc = 0;
    size_t lines = 0;

    (void)state;
    http_head_init(&head);
    for (; rc == 0; lines++)
        rc = feed(&head, "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n");
    assert_int_equal(rc, -EFBIG);
    assert_int_equal(
        lines, HTTP_HEAD_MAX / strlen("HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n") + 1);
    http_head_done(&head);
}

static void collect(void *arg, const char *name, const char *value)
{
    assert_int_equal(bytes_printf(arg, &err, "%s=%s;", name, value), 0);
}

static void test_each(void **state)
{
    CLEANUP_BYTES struct bytes seen;
    struct http_head head;

    (void)state;
    bytes_init(&seen, 1000);
    http_head_init(&head);
    assert_int_equal(feed(&head, "HTTP/1.1 103 Hints\r\nX-No: 1\r\n\r\n"
                                 "HTTP/1.1 200 OK\r\nX-AMZ-Meta-Checksum:\t a b \t\r\n"
                                 "Empty:\r\nLocation: /x\r\n\r\nTrailer: no\r\n"),
                     0);
    http_head_each(&head, collect, &seen);
    assert_string_equal(seen.data, "x-amz-meta-checksum=a b;empty=;location=/x;");
    assert_string_equal(head.location, "/x");
    http_head_done(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),      cmocka_unit_test(test_dates),
        cmocka_unit_test(test_retry_after), cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_fields),      cmocka_unit_test(test_long_etag_is_none),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
