#include "tests/test.h"

#include "backends/backend.h"
#include "backends/http.h"
#include "tests/fakes/http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of "hello" and of "world". */
#define MD5 "5d41402abc4b2a76b9719d911017c592"
#define SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define OTHER_MD5 "7d793037a0760186574b0282f2f435e7"
#define OTHER_SHA256 "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"

#define OK_STORAGE                                                                       \
    "HTTP/1.1 200 OK\r\nContent-Length: 146\r\n\r\n{\"size\":\"5\",\"checksums\":"       \
    "{\"md5\":\"" MD5 "\",\"sha256\":\"" SHA256 "\"}}   "
#define OTHER_STORAGE                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Length: 146\r\n\r\n{\"size\":\"5\",\"checksums\":"       \
    "{\"md5\":\"" OTHER_MD5 "\",\"sha256\":\"" OTHER_SHA256 "\"}}   "
#define FOLDER "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"children\":[]}"
#define MISSING                                                                          \
    "HTTP/1.1 404 Not Found\r\nContent-Length: 47\r\n\r\n"                               \
    "{\"errors\":[{\"message\":\"Unable to find item\"}]} "
#define REPOSITORY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
#define NO_REPOSITORY "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
#define WHOLE(fields) "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" fields "\r\nhello"
#define PART(fields)                                                                     \
    "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n"                              \
    "Content-Range: bytes 3-4/5\r\n" fields "\r\nlo"
#define DIGESTS "X-Checksum-Md5: " MD5 "\r\nX-Checksum-Sha256: " SHA256 "\r\n"
#define OTHER_DIGESTS                                                                    \
    "X-Checksum-Md5: " OTHER_MD5 "\r\nX-Checksum-Sha256: " OTHER_SHA256 "\r\n"

struct fixture {
    struct http_server *server;
    struct http *http;
    struct backend *backend;
};

static int open_all(void **state)
{
    static struct fixture fixture;
    char url[HTTP_SERVER_URL_MAX];
    struct error err = {0};

    setenv("HOME", "/nonexistent", 1);
    setenv("ARTIFACTORY_USERNAME", "Aladdin", 1);
    setenv("ARTIFACTORY_API_KEY", "open sesame", 1);
    fixture.server = http_server_open();
    http_server_url(fixture.server, "/artifactory/", url);
    if (http_open(&(struct http_options){.connections = 1}, &fixture.http, &err) < 0 ||
        backend_open("artifactory",
                     &(struct backend_options){
                         .host = url, .repository = "models", .http = fixture.http},
                     &fixture.backend, &err) < 0)
        return -1;
    *state = &fixture;
    return 0;
}

static int close_all(void **state)
{
    struct fixture *fixture = *state;

    backend_close(fixture->backend);
    http_close(fixture->http);
    http_server_close(fixture->server);
    return 0;
}

static void play(struct fixture *fixture, const struct http_step *steps)
{
    size_t count = 0;

    while (steps[count].reply)
        count++;
    http_server_play(fixture->server, steps, count);
}

static const struct {
    const char *user;
    const char *secret;
    const char *field; /* NULL: none */
} logins[] = {
    {"Aladdin", "open sesame",
     "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"      }, /* RFC 7617 */
    {"",        "AKCp8abc",    "X-JFrog-Art-Api: AKCp8abc\r\n"    },
    {"",        "eyJ2abc",     "Authorization: Bearer eyJ2abc\r\n"},
    {"",        "",            NULL                               },
};

static void test_logins(void **state)
{
    const struct http_step steps[] = {{.reply = OK_STORAGE}, {.reply = NULL}};

    for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
        struct fixture *fixture;
        struct backend_stat stat;
        struct error err = {0};
        const char *request;

        test_row(i, "%s:%s", logins[i].user, logins[i].secret);
        assert_int_equal(open_all(state), 0);
        fixture = *state;
        setenv("ARTIFACTORY_USERNAME", logins[i].user, 1);
        setenv("ARTIFACTORY_API_KEY", logins[i].secret, 1);
        play(fixture, steps);
        assert_int_equal(backend_stat(fixture->backend, "a b/c%;d", &stat, &err), 0);
        request = http_server_request(fixture->server, 0);
        assert_non_null(
            strstr(request, "GET /artifactory/api/storage/models/a%20b/c%25%3Bd HTTP"));
        if (logins[i].field)
            assert_non_null(strcasestr(request, logins[i].field));
        else
            assert_null(strcasestr(request, "Authorization"));
        close_all(state);
    }
}

/* What each call makes of the replies, and how many requests it takes. */
enum call {
    CALL_STAT,
    CALL_GET,
    CALL_TAIL, /* the last 2 bytes */
    CALL_READ, /* open, then bytes 3 and 4 */
    CALL_REMOVE,
    CALL_LIST,
    CALL_CHECK,
};

static const struct {
    enum call call;
    struct http_step steps[5];
    int rc;
    unsigned requests;
    const char *bytes;
} cases[] = {
  /* clang-format off */
    {CALL_STAT, {{.reply = OK_STORAGE}}, 0, 1, ""},
    {CALL_STAT, {{.reply = FOLDER}}, -ENOENT, 1, ""},
    {CALL_STAT, {{.reply = MISSING}, {.reply = REPOSITORY}}, -ENOENT, 2, ""},
    {CALL_STAT, {{.reply = MISSING}, {.reply = NO_REPOSITORY}}, -EHOSTUNREACH, 2, ""},
    {CALL_STAT, {{.reply = MISSING}, {.reply = FORBIDDEN}}, -ENOENT, 2, ""},
    {CALL_GET, {{.reply = WHOLE(DIGESTS)}}, 0, 1, "hello"},
    {CALL_GET, {{.reply = WHOLE("X-Checksum-Md5: " OTHER_MD5 "\r\n")}}, -EIO, 1, ""},
    {CALL_GET, {{.reply = WHOLE("")}, {.reply = OK_STORAGE}}, 0, 2, "hello"},
    {CALL_GET, {{.reply = WHOLE("")}, {.reply = FOLDER}}, -ENOENT, 2, ""},
    {CALL_GET, {{.reply = WHOLE("")}, {.reply = OTHER_STORAGE}, {.reply = WHOLE("")},
                {.reply = OK_STORAGE}}, 0, 4, "hello"},
    {CALL_TAIL, {{.reply = PART(DIGESTS)}}, 0, 1, "lo"},
    {CALL_TAIL, {{.reply = PART("")}, {.reply = OK_STORAGE}, {.reply = PART("")},
                 {.reply = OK_STORAGE}}, 0, 4, "lo"},
    {CALL_READ, {{.reply = OK_STORAGE}, {.reply = PART(DIGESTS)}}, 0, 2, "lo"},
    {CALL_READ, {{.reply = OK_STORAGE}, {.reply = PART(OTHER_DIGESTS)}}, -ESTALE, 2, ""},
    {CALL_READ, {{.reply = OK_STORAGE}, {.reply = MISSING}}, -ESTALE, 2, ""},
    {CALL_READ, {{.reply = OK_STORAGE}, {.reply = PART("")}, {.reply = OTHER_STORAGE}},
     -ESTALE, 3, "lo"},
    {CALL_READ, {{.reply = OK_STORAGE}, {.reply = PART("ETag: \"cdn\"\r\n")},
                 {.reply = OK_STORAGE}, {.reply = PART("ETag: \"cdn\"\r\n")}}, 0, 4, "lo"},
    {CALL_READ, {{.reply = OK_STORAGE}, {.reply = PART("ETag: \"cdn\"\r\n")},
                 {.reply = OTHER_STORAGE}}, -ESTALE, 3, ""},
    {CALL_REMOVE, {{.reply = FOLDER}}, -ENOENT, 1, ""},
    {CALL_REMOVE, {{.reply = OK_STORAGE}, {.reply = REPOSITORY}}, 0, 2, ""},
    {CALL_LIST, {{.reply = OK_STORAGE}}, -ENOENT, 1, ""},
    {CALL_LIST, {{.reply = FOLDER}}, 0, 1, ""},
    {CALL_CHECK, {{.reply = FOLDER}}, 0, 1, ""},
    {CALL_CHECK, {{.reply = MISSING}, {.reply = NO_REPOSITORY}}, -EHOSTUNREACH, 2, ""},
  /* clang-format on */
};

struct to_bytes {
    struct sink base;
    struct bytes *to;
};

static int write_bytes(struct sink *sink, const void *data, size_t size,
                       struct error *err)
{
    return bytes_append(((struct to_bytes *)sink)->to, data, size, err);
}

static int ignore(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)arg;
    (void)entry;
    (void)err;
    return 0;
}

static int run(struct backend *backend, enum call call, struct bytes *to,
               struct error *err)
{
    struct to_bytes sink = {.base.write = write_bytes, .to = to};
    CLEANUP_OBJECT struct object *object = NULL;
    struct backend_stat stat = {.size = 5};
    int rc = 0;

    switch (call) {
    case CALL_STAT:
        rc = backend_stat(backend, "a/b", &stat, err);
        break;
    case CALL_GET:
        rc = backend_get_version(backend, "a/b", to, &stat, err);
        break;
    case CALL_TAIL:
        rc = backend_object_open_tail(backend, "a/b", 2, to, &object, err);
        break;
    case CALL_READ:
        rc = backend_object_open(backend, "a/b", &object, err);
        assert_int_equal(rc, 0);
        rc = object_read(object, (struct range){3, 4}, &sink.base, err);
        break;
    case CALL_REMOVE:
        return backend_remove(backend, "a/b", err);
    case CALL_LIST:
        return backend_list(backend, "a/b", ignore, NULL, err);
    case CALL_CHECK:
        return backend_check(backend, err);
    }
    if (object)
        stat = *object_stat(object);
    if (rc == 0) {
        assert_int_equal(stat.size, 5);
        assert_string_equal(stat.tag, "sha256:" SHA256);
    }
    return rc;
}

static void test_calls(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;
        struct fixture *fixture;
        struct error err = {0};
        int rc;

        test_row(i, "call %d gives %d", (int)cases[i].call, cases[i].rc);
        assert_int_equal(open_all(state), 0);
        fixture = *state;
        bytes_init(&to, 4096);
        play(fixture, cases[i].steps);
        rc = run(fixture->backend, cases[i].call, &to, &err);
        if (rc != cases[i].rc)
            fail_msg("%d: %s", rc, err.message);
        assert_string_equal(to.data, cases[i].bytes);
        assert_int_equal(http_server_requests(fixture->server), cases[i].requests);
        close_all(state);
    }
}

static void test_put(void **state)
{
    static const struct http_step steps[] = {
        {.reply = MISSING},    {.reply = REPOSITORY},
        {.reply = REPOSITORY}, /* to the folder's PUT */
        {.reply = OK_STORAGE}, /* to the file's */
        {.reply = FOLDER},     {.reply = OTHER_STORAGE},
        {.reply = NULL},
    };
    const struct backend_content content = {.data = "hello", .size = 5};
    struct fixture *fixture = *state;
    struct error err = {0};

    play(fixture, steps);
    assert_int_equal(backend_put(fixture->backend, "a/b", &content, 0, &err), 0);
    assert_int_equal(err.code, 0);
    assert_non_null(strstr(http_server_request(fixture->server, 2),
                           "PUT /artifactory/models/a/ HTTP"));
    assert_non_null(strstr(http_server_request(fixture->server, 3),
                           "PUT /artifactory/models/a/b HTTP"));
    assert_non_null(strcasestr(http_server_request(fixture->server, 3),
                               "X-Checksum-Md5: " MD5 "\r\n"));
    assert_int_equal(http_server_body_size(fixture->server, 3), 5);
    assert_int_equal(backend_put(fixture->backend, "a/b", &content, 0, &err), -EIO);
    assert_non_null(strstr(err.message, "arrived damaged"));
}

static void test_has_no_conditional_writes(void **state)
{
    const struct backend_content content = {.data = "hello", .size = 5};
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(
        backend_put(fixture->backend, "a/b", &content, BACKEND_PUT_IF_ABSENT, &err),
        -ENOTSUP);
    assert_int_equal(backend_replace(fixture->backend, "a/b", &content, "tag", &err),
                     -ENOTSUP);
    assert_int_equal(http_server_requests(fixture->server), 0);
}

#define HOLDS(size, children)                                                            \
    "HTTP/1.1 200 OK\r\nContent-Length: " size "\r\n\r\n{\"children\":[" children "]}"
#define VERSION "{\"uri\":\"/1.0.0\",\"folder\":true}"
#define GONE "HTTP/1.1 204 No Content\r\n\r\n"

static void test_prunes_what_is_empty(void **state)
{
    static const struct {
        const char *path;
        struct http_step steps[5];
        unsigned requests;
        bool is_pruned;
    } prunings[] = {
        {"_alias/a/1.0.0/f",
         {{.reply = FOLDER},
          {.reply = HOLDS("45", VERSION)},
          {.reply = GONE},
          {.reply = NULL}},
         3,                                                                        true },
        {"_alias/a/1.0.0/f",
         {{.reply = HOLDS("45", VERSION)}, {.reply = NULL}},
         1,                                                                        false},
        {"_alias/a/1.0.0/f",
         {{.reply = FOLDER},
          {.reply = HOLDS("76", VERSION ","
                                        "{\"uri\":\"/2.0.0\",\"folder\":true}")},
          {.reply = NULL}},
         2,                                                                        false},
        {"_alias/a/1.0.1/f",
         {{.reply = FOLDER}, {.reply = HOLDS("45", VERSION)}, {.reply = NULL}},
         2,                                                                        false},
        {"_alias/a/1.0.0/f",
         {{.reply = MISSING}, {.reply = REPOSITORY}, {.reply = NULL}},
         2,                                                                        false},
        {"_alias/1.0.0/f",   {{.reply = FOLDER}, {.reply = NULL}},              0, false},
        {"1.0.0/f",          {{.reply = FOLDER}, {.reply = NULL}},              0, false},
        {"f",                {{.reply = FOLDER}, {.reply = NULL}},              0, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(prunings); i++) {
        struct fixture *fixture;
        struct error err = {0};

        test_row(i, "%s", prunings[i].path);
        assert_int_equal(open_all(state), 0);
        fixture = *state;
        play(fixture, prunings[i].steps);
        assert_int_equal(backend_prune(fixture->backend, prunings[i].path, &err), 0);
        assert_int_equal(http_server_requests(fixture->server), prunings[i].requests);
        if (prunings[i].is_pruned)
            assert_non_null(strstr(http_server_request(fixture->server, 2),
                                   "DELETE /artifactory/models/_alias/a HTTP"));
        close_all(state);
    }
}

static void test_now_is_the_servers(void **state)
{
    static const struct http_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                  "Content-Length: 0\r\n\r\n"},
        {.reply = NULL},
    };
    struct fixture *fixture = *state;
    struct error err = {0};
    int64_t now_s = 0;

    play(fixture, steps);
    assert_int_equal(backend_now(fixture->backend, &now_s, &err), 0);
    assert_int_equal(now_s, 784111777); /* date -d '1994-11-06 08:49:37Z' +%s */
}

static const struct {
    const char *host;
    const char *repository;
} refused[] = {
    {"https://x/artifactory?a=b", "models"},
    {"https://me:secret@x/",      "models"},
    {"ftp://x/",                  "models"},
    {"https://x/artifactory",     ""      },
    {"https://x/artifactory",     "a/b"   },
    {"https://x/artifactory",     ".."    },
};

static void test_refuses_what_is_no_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct backend *backend = NULL;
        struct error err = {0};

        test_row(i, "%s %s", refused[i].host, refused[i].repository);
        assert_int_equal(
            backend_open("artifactory",
                         &(struct backend_options){.host = refused[i].host,
                                                   .repository = refused[i].repository},
                         &backend, &err),
            -EINVAL);
        assert_null(strstr(err.message, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_calls),
        cmocka_unit_test_setup_teardown(test_put, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_has_no_conditional_writes, open_all,
                                        close_all),
        cmocka_unit_test(test_prunes_what_is_empty),
        cmocka_unit_test_setup_teardown(test_now_is_the_servers, open_all, close_all),
        cmocka_unit_test(test_refuses_what_is_no_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
