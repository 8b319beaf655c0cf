/* s3_fixture.h: a bucket on a server that plays replies, for tests of the S3 backend.
 *
 *     cmocka_unit_test_setup_teardown(test, s3_fixture_open, s3_fixture_close)
 *
 * Logins come from a file of the fixture's own, whatever the environment says. */
#ifndef TESTS_FAKES_S3_FIXTURE_H
#define TESTS_FAKES_S3_FIXTURE_H

#include "backends/backend.h"
#include "backends/http.h"
#include "tests/fakes/http_server.h"

#define DATE "Date: Sun, 22 Nov 2026 06:01:49 GMT\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define FOUND                                                                            \
    "HTTP/1.1 200 OK\r\nETag: \"5d41\"\r\nLast-Modified: Sun, 22 Nov 2026 06:01:49 "     \
    "GMT\r\nContent-Length: 5\r\n" DATE "\r\n"
#define OK "HTTP/1.1 200 OK\r\nETag: \"5d41\"\r\n" EMPTY
#define GONE "HTTP/1.1 204 No Content\r\n\r\n"
#define MISSING "HTTP/1.1 404 Not Found\r\n" EMPTY
#define HELD "HTTP/1.1 412 Precondition Failed\r\n" EMPTY

/* With a length, so that the connection goes on. */
#define DOCUMENT(status, length, text)                                                   \
    "HTTP/1.1 " status "\r\nContent-Type: application/xml\r\nContent-Length: " #length   \
    "\r\n\r\n" text

struct s3_fixture {
    struct http_server *server;
    struct http *http;
    struct backend *backend;        /* kind "s3", bucket "models" */
    char host[HTTP_SERVER_URL_MAX]; /* host:port */
    char config[64]; /* minio.cfg: access key AKFIRST, secret "secret", http */
};

int s3_fixture_open(void **state);
int s3_fixture_close(void **state);

/* The file has a section for host, with this access key. */
void s3_fixture_login(const struct s3_fixture *fixture, const char *host,
                      const char *key);
void s3_fixture_play(struct s3_fixture *fixture, const struct http_step *steps,
                     size_t count);

/* Fails unless the requests so far begin like expected ("GET /models/a "). */
void s3_fixture_check(struct s3_fixture *fixture, const char *const *expected,
                      size_t count);
#define S3_FIXTURE_CHECK(fixture, ...)                                                   \
    s3_fixture_check((fixture), (const char *const[]){__VA_ARGS__},                      \
                     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#endif
