/* test_s3_put.c: objects with their metadata, on condition, and in parts. */
#include "tests/test.h"

#include "tests/fakes/s3_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void objects_carry_what_audbackend_writes(void **state)
{
    static const struct {
        const char *path;
        const char *type;
    } cases[] = {
        {"a/b.zip",  "content-type: application/zip\r\n"         },
        {"a/b.yaml", "content-type: application/octet-stream\r\n"},
        {"a/zip",    "content-type: application/octet-stream\r\n"},
    };
    static const struct http_step steps[] = {{.reply = OK}};
    const struct backend_content content = {.data = "hello", .size = 5};
    struct s3_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};
        char *request;

        test_row(i, "%s", cases[i].path);
        s3_fixture_play(fixture, steps, 1);
        assert_int_equal(backend_put(fixture->backend, cases[i].path, &content, 0, &err),
                         0);
        assert_int_equal(http_server_requests(fixture->server), 1);
        assert_int_equal(http_server_body_size(fixture->server, 0), 5);
        request = strdup(http_server_request(fixture->server, 0));
        assert_non_null(strcasestr(request, cases[i].type));
        assert_non_null(strcasestr(
            request, "x-amz-meta-checksum: 5d41402abc4b2a76b9719d911017c592\r\n"));
        assert_non_null(strcasestr(request, "x-amz-meta-owner: sphinx\r\n"));
        /* Over plain http the body is protected by its hash. */
        assert_non_null(strcasestr(
            request, "x-amz-content-sha256: "
                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
        free(request);
    }
}

static void creation_is_tried_out_once(void **state)
{
    static const struct http_step steps[] = {
        {.reply = MISSING}, {.reply = OK}, {.reply = HELD}, {.reply = HELD}};
    const struct backend_content content = {.data = "hello", .size = 5};
    struct s3_fixture *fixture = *state;
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(
        backend_put(fixture->backend, "d/a", &content, BACKEND_PUT_IF_ABSENT, &err), 0);
    S3_FIXTURE_CHECK(fixture, "HEAD /models/d/a ", "PUT /models/d/a ",
                     "PUT /models/d/a ");
    assert_int_equal(
        backend_put(fixture->backend, "d/b", &content, BACKEND_PUT_IF_ABSENT, &err),
        -EEXIST);
    assert_int_equal(http_server_requests(fixture->server), 4);
    assert_non_null(
        strcasestr(http_server_request(fixture->server, 3), "if-none-match: *\r\n"));
}

static void what_exists_is_safe_from_stores_that_ignore_conditions(void **state)
{
    static const struct http_step steps[] = {{.reply = FOUND}};
    const struct backend_content content = {.data = "hello", .size = 5};
    struct s3_fixture *fixture = *state;
    struct error err = {0};

    s3_fixture_play(fixture, steps, 1);
    assert_int_equal(
        backend_put(fixture->backend, "d/a", &content, BACKEND_PUT_IF_ABSENT, &err),
        -EEXIST);
    S3_FIXTURE_CHECK(fixture, "HEAD /models/d/a ");
}

static void stores_that_ignore_conditions_are_not_relied_on(void **state)
{
    static const struct {
        struct http_step steps[4];
        unsigned requests;
        const char *what;
    } cases[] = {
        {{{.reply = MISSING}, {.reply = OK}, {.reply = OK}, {.reply = GONE}},
         4, "overwrites"},
        {{{.reply = MISSING}, {.reply = "HTTP/1.1 501 Not Implemented\r\n" EMPTY}},
         2, "says so"   },
    };
    const struct backend_content content = {.data = "hello", .size = 5};
    struct s3_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "%s", cases[i].what);
        s3_fixture_close(state);
        s3_fixture_open(state);
        fixture = *state;
        s3_fixture_play(fixture, cases[i].steps, 4);
        for (int j = 0; j < 2; j++)
            assert_int_equal(backend_put(fixture->backend, "d/a", &content,
                                         BACKEND_PUT_IF_ABSENT, &err),
                             -ENOTSUP);
        assert_int_equal(backend_replace(fixture->backend, "d/a", &content, "x", &err),
                         -ENOTSUP);
        assert_int_equal(http_server_requests(fixture->server), cases[i].requests);
    }
}

#define OTHER "HTTP/1.1 200 OK\r\nETag: \"other\"\r\nContent-Length: 5\r\n" DATE "\r\n"

/* The tags of a store, as it takes them; each request's "If-Match". */
static void replacement_is_tried_out_once(void **state)
{
    static const struct {
        struct http_step steps[5];
        int rc[2];
        const char *matches[5];
    } cases[] = {
        {{{.reply = FOUND}, {.reply = OK}, {.reply = HELD}, {.reply = HELD}},
         {0, -ESTALE},
         {NULL, "\"5d41\"", "\"0000", "\"5d41\"", NULL}                                                    },
        {{{.reply = FOUND},
          {.reply = HELD},
          {.reply = OK},
          {.reply = HELD},
          {.reply = OK}},
         {0, 0},
         {NULL, "\"5d41\"", "5d41", "0000", "5d41"}                                                        },
        {{{.reply = FOUND}, {.reply = OK}, {.reply = OK}},
         {-ENOTSUP, -ENOTSUP},
         {NULL, "\"5d41\"", "\"0000", NULL, NULL}                                                          },
        {{{.reply = FOUND}, {.reply = HELD}, {.reply = HELD}, {.reply = FOUND}},
         {-ENOTSUP, -ENOTSUP},
         {NULL, "\"5d41\"", "5d41", NULL, NULL}                                                            },
        {{{.reply = FOUND}, {.reply = HELD}, {.reply = HELD}, {.reply = OTHER}},
         {-ESTALE, -ESTALE},
         {NULL, "\"5d41\"", "5d41", NULL, NULL}                                                            },
        {{{.reply = MISSING}, {.reply = OK}},                                    {-ESTALE, -ESTALE}, {NULL}},
    };
    const struct backend_content content = {.data = "hello", .size = 5};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct s3_fixture *fixture;
        struct error err = {0};

        test_row(i, "%d", cases[i].rc[0]);
        s3_fixture_close(state);
        s3_fixture_open(state);
        fixture = *state;
        s3_fixture_play(fixture, cases[i].steps, 5);
        for (size_t j = 0; j < 2 && (j == 0 || i < 4); j++)
            assert_int_equal(
                backend_replace(fixture->backend, "d/a", &content, "\"5d41\"", &err),
                cases[i].rc[j]);
        for (unsigned j = 1; j < 5 && cases[i].matches[j]; j++) {
            char field[64];

            snprintf(field, sizeof field, "if-match: %s", cases[i].matches[j]);
            assert_non_null(strcasestr(http_server_request(fixture->server, j), field));
        }
    }
}

static void removal_looks_first(void **state)
{
    static const struct http_step steps[] = {
        {.reply = FOUND}, {.reply = GONE}, {.reply = FOUND}};
    struct s3_fixture *fixture = *state;
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_replace(fixture->backend, "d/a", NULL, "\"5d41\"", &err), 0);
    assert_int_equal(backend_replace(fixture->backend, "d/a", NULL, "\"other\"", &err),
                     -ESTALE);
    S3_FIXTURE_CHECK(fixture, "HEAD /models/d/a ", "DELETE /models/d/a ",
                     "HEAD /models/d/a ");
    assert_non_null(
        strcasestr(http_server_request(fixture->server, 1), "if-match: \"5d41\"\r\n"));
}

#define BEGUN                                                                            \
    DOCUMENT("200 OK", 91,                                                               \
             "<InitiateMultipartUploadResult><UploadId>u+1</UploadId>"                   \
             "</InitiateMultipartUploadResult>    ")
#define TROUBLE DOCUMENT("200 OK", 43, "<Error><Code>InternalError</Code></Error>  ")
#define DONE                                                                             \
    DOCUMENT("200 OK", 86,                                                               \
             "<CompleteMultipartUploadResult><ETag>x-2</ETag>"                           \
             "</CompleteMultipartUploadResult>       ")

static int two_parts(void)
{
    int fd = memfd_create("parts", MFD_CLOEXEC);

    assert_int_equal(ftruncate(fd, (16 << 20) + 5), 0);
    return fd;
}

static int note_bytes(void *arg, uint64_t bytes_done, struct error *err)
{
    uint64_t *told = arg;

    (void)err; /* never fails */
    assert_true(bytes_done > *told);
    *told = bytes_done;
    return 0;
}

static void large_objects_come_in_parts(void **state)
{
    static const struct http_step steps[] = {{.reply = BEGUN},
                                             {.reply = OK},
                                             {.reply = OK},
                                             {.reply = TROUBLE},
                                             {.reply = DONE}};
    struct s3_fixture *fixture = *state;
    uint64_t told = 0;
    struct backend_content content = {
        .fd = two_parts(), .size = (16 << 20) + 5, .progress = note_bytes, .arg = &told};
    struct error err = {0};

    s3_fixture_play(fixture, steps, ARRAY_SIZE(steps));
    assert_int_equal(backend_put(fixture->backend, "a.zip", &content, 0, &err), 0);
    assert_int_equal(told, content.size);
    assert_int_equal(http_server_requests(fixture->server), 5);
    assert_non_null(
        strstr(http_server_request(fixture->server, 0), "POST /models/a.zip?uploads= "));
    assert_non_null(
        strcasestr(http_server_request(fixture->server, 0), "x-amz-meta-checksum: "));
    assert_int_equal(http_server_body_size(fixture->server, 1) +
                         http_server_body_size(fixture->server, 2),
                     content.size);
    assert_non_null(strstr(http_server_request(fixture->server, 4),
                           "POST /models/a.zip?uploadId=u%2B1 "));
    close(content.fd);
}

/* A request that was broken off may be seen later than those after it. */
static bool has_request(const struct s3_fixture *fixture, const char *begin)
{
    unsigned count = http_server_requests(fixture->server);

    for (unsigned i = 0; i < count; i++)
        if (strncmp(http_server_request(fixture->server, i), begin, strlen(begin)) == 0)
            return true;
    return false;
}

static int give_up(void *arg, uint64_t bytes_done, struct error *err)
{
    (void)arg, (void)bytes_done; /* at once */
    return fail(err, ECANCELED, "given up");
}

static void what_fails_drops_its_parts(void **state)
{
    static const struct {
        struct http_step steps[4];
        int (*progress)(void *arg, uint64_t bytes_done, struct error *err);
        int rc;
    } cases[] = {
        {{{.reply = BEGUN}, {.reply = "HTTP/1.1 403 Forbidden\r\n" EMPTY}},
         NULL,                                                                       -EACCES   },
        {{{.reply = BEGUN}, {.reply = OK}},                                 give_up, -ECANCELED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct backend_content content = {
            .fd = two_parts(), .size = (16 << 20) + 5, .progress = cases[i].progress};
        struct s3_fixture *fixture; /* its own: a broken-off part may be seen late */
        struct error err = {0};

        test_row(i, "%d", cases[i].rc);
        s3_fixture_open((void **)&fixture);
        s3_fixture_play(fixture, cases[i].steps, 2);
        assert_int_equal(backend_put(fixture->backend, "a.zip", &content, 0, &err),
                         cases[i].rc);
        assert_true(has_request(fixture, "DELETE /models/a.zip?uploadId=u%2B1 "));
        close(content.fd);
        s3_fixture_close((void **)&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(objects_carry_what_audbackend_writes,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(creation_is_tried_out_once, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(
            what_exists_is_safe_from_stores_that_ignore_conditions, s3_fixture_open,
            s3_fixture_close),
        cmocka_unit_test_setup_teardown(replacement_is_tried_out_once, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(removal_looks_first, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test_setup_teardown(stores_that_ignore_conditions_are_not_relied_on,
                                        s3_fixture_open, s3_fixture_close),
        cmocka_unit_test_setup_teardown(large_objects_come_in_parts, s3_fixture_open,
                                        s3_fixture_close),
        cmocka_unit_test(what_fails_drops_its_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
