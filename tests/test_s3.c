/* test_s3.c: what the backend makes of a store's answers; tests/e2e has a real store. */
#include "tests/test.h"

#include "tests/fakes/s3_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void a_missing_bucket_is_no_missing_object(void **state)
{
    static const struct http_step steps[] = {{.reply = MISSING}};
    static const struct http_step there[] = {
        {.reply = MISSING}, {.reply = OK}, {.reply = MISSING}};
    struct s3_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};

    s3_fixture_play(fixture, steps, 1);
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), -EHOSTUNREACH);
    S3_FIXTURE_CHECK(fixture, "HEAD /models/a ", "HEAD /models ");
    s3_fixture_play(fixture, there, ARRAY_SIZE(there));
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), -ENOENT);
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), -ENOENT);
    S3_FIXTURE_CHECK(fixture, "HEAD /models/a ", "HEAD /models ", "HEAD /models/a ");
}

static void small_objects_cost_one_request(void **state)
{
    static const struct http_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nETag: \"5d41\"\r\nContent-Length: 5\r\n\r\nhello"}};
    struct s3_fixture *fixture = *state;
    CLEANUP_BYTES struct bytes text, little;
    struct backend_stat stat;
    struct error err = {0};

    s3_fixture_play(fixture, steps, 1);
    bytes_init(&text, 100);
    bytes_init(&little, 4);
    assert_int_equal(backend_get_version(fixture->backend, "a", &text, &stat, &err), 0);
    assert_string_equal(text.data, "hello");
    assert_int_equal(stat.size, 5);
    S3_FIXTURE_CHECK(fixture, "GET /models/a ");
    assert_int_equal(backend_get(fixture->backend, "a", &little, &err), -EFBIG);
    assert_string_equal(little.data, "");
}

/* As audbackend describes it; a Content-Length that lies leaves half of it. */
static void documents_are_compared_with_their_checksum(void **state)
{
#define DESCRIBED(checksum)                                                              \
    "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nx-amz-meta-checksum: " checksum                   \
    "\r\nContent-Length: 5\r\n\r\nhello"
    static const struct {
        const char *reply;
        int rc;
    } cases[] = {
  /* printf hello | md5sum, and of another text */
        {DESCRIBED("5d41402abc4b2a76b9719d911017c592"),          0   },
        {DESCRIBED("5D41402ABC4B2A76B9719D911017C592"),          0   },
        {DESCRIBED("49f68a5c8493ec2c0bf489821c21fc3b"),          -EIO},
        {DESCRIBED(""),                                          0   },
        {DESCRIBED("2cf24dba5fb0a30e26e83b2ac5b9e29e"
                   "1b161e5c1fa7425e73043362938b9824"),
         0                                                           },
    };
    struct s3_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct http_step steps[] = {{.reply = cases[i].reply}};
        CLEANUP_BYTES struct bytes text;
        struct error err = {0};

        test_row(i, "%d", cases[i].rc);
        bytes_init(&text, 100);
        s3_fixture_play(fixture, steps, 1);
        assert_int_equal(backend_get(fixture->backend, "a", &text, &err), cases[i].rc);
        assert_string_equal(text.data, cases[i].rc ? "" : "hello");
    }
}

static void the_end_of_an_archive_costs_one_request(void **state)
{
    static const struct http_step steps[] = {
        {.reply =
             "HTTP/1.1 206 Partial Content\r\nETag: \"5d41\"\r\nContent-Range: bytes "
             "97-99/100\r\nContent-Length: 3\r\n\r\nend"},
        {.reply = HELD}};
    struct s3_fixture *fixture = *state;
    CLEANUP_OBJECT struct object *object = NULL;
    CLEANUP_BYTES struct bytes tail;
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    bytes_init(&tail, 100);
    assert_int_equal(
        backend_object_open_tail(fixture->backend, "a", 3, &tail, &object, &err), 0);
    assert_string_equal(tail.data, "end");
    assert_int_equal(object_stat(object)->size, 100);
    assert_non_null(
        strstr(http_server_request(fixture->server, 0), "ange: bytes=-3\r\n"));
    assert_int_equal(object_check(object, &err), -ESTALE);
    assert_int_equal(http_server_requests(fixture->server), 2);
}

static void listings(void **state)
{
    static const struct {
        const char *reply;
        int rc;
        const char *word;
    } cases[] = {
        {DOCUMENT("200 OK",        39,  "<ListBucketResult></ListBucketResult>  "),  -ENOENT,
         "'f'"                                                                                            },
        {DOCUMENT("200 OK",        13,  "<html></html>"),                            -EIO,    "no listing"},
        {DOCUMENT("200 OK",        5,   "nope!"),                                    -EIO,    "line 1"    },
        {DOCUMENT("200 OK",        80,
         "<ListBucketResult><Contents><Key>g/a</Key></Contents>"
                  "</ListBucketResult>        "),
         -EIO,                                                                                "begin"     },
        {DOCUMENT("200 OK",        140,
         "<ListBucketResult><IsTruncated>true</IsTruncated>"
                  "<NextContinuationToken>a</NextContinuationToken></ListBucketResult>"
                  "                        "),
         -EIO,                                                                                "again"     },
        {DOCUMENT("404 Not Found", 40,  "<Error><Code>NoSuchBucket</Code></Error>"),
         -EHOSTUNREACH,                                                                       "no bucket" },
    };
    struct s3_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct http_step steps[] = {{.reply = cases[i].reply}};
        struct error err = {0};

        test_row(i, "%s", cases[i].word);
        s3_fixture_play(fixture, steps, 1);
        assert_int_equal(backend_list(fixture->backend, "f", NULL, NULL, &err),
                         cases[i].rc);
        assert_non_null(strstr(err.message, cases[i].word));
    }
}

static int print_name(void *arg, const struct backend_entry *entry, struct error *err)
{
    return bytes_printf(arg, err, "%s%s\n", entry->name, entry->is_folder ? "/" : "");
}

static void names_that_are_no_paths_are_passed_over(void **state)
{
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 479\r\n\r\n<ListBucketResult>"
        "<Contents><Key>f/</Key></Contents>"
        "<Contents><Key>f/./a-trial-name-0</Key></Contents>"
        "<Contents><Key>f/..</Key></Contents><Contents><Key>f//b</Key></Contents>"
        "<Contents><Key>f/a</Key><Size>1</Size></Contents>"
        "<Contents><Key>f/c/d/e</Key></Contents><Contents><Key>f/c/d</Key></Contents>"
        "<CommonPrefixes><Prefix>f/b/</Prefix></CommonPrefixes>"
        "<CommonPrefixes><Prefix>f/b/</Prefix></CommonPrefixes>"
        "<CommonPrefixes><Prefix>f//</Prefix></CommonPrefixes></ListBucketResult>";
    static const struct http_step steps[] = {
        {.reply = reply, .then = HTTP_THEN_CLOSE}
    };
    struct s3_fixture *fixture = *state;
    CLEANUP_BYTES struct bytes names;
    struct error err = {0};

    s3_fixture_play(fixture, steps, 1);
    bytes_init(&names, 1000);
    assert_int_equal(
        backend_list_deep(fixture->backend, "f", 1, print_name, &names, &err), 0);
    assert_string_equal(names.data, "a\nc/d\nb/\n");
    S3_FIXTURE_CHECK(
        fixture, "GET /models?encoding-type=url&list-type=2&max-keys=1000&prefix=f%2F ");
}

static void the_stores_clock(void **state)
{
    static const struct http_step steps[] = {
        {.reply = "HTTP/1.1 403 Forbidden\r\n" DATE EMPTY},
        {.reply = "HTTP/1.1 200 OK\r\n" EMPTY},
    };
    struct s3_fixture *fixture = *state;
    struct error err = {0};
    int64_t now_s = 0;

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_now(fixture->backend, &now_s, &err), 0);
    assert_int_equal(now_s, 1795327309);
    assert_int_equal(backend_now(fixture->backend, &now_s, &err), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_bucket_is_no_missing_object,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(small_objects_cost_one_request, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(documents_are_compared_with_their_checksum,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(the_end_of_an_archive_costs_one_request,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(listings, s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(names_that_are_no_paths_are_passed_over,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(the_stores_clock, s3_fixture_open,
                                        s3_fixture_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
