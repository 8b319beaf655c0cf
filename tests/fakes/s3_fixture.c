/* s3_fixture.c: a bucket on a server that plays replies. */
#include "tests/fakes/s3_fixture.h"

#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void s3_fixture_login(const struct s3_fixture *fixture, const char *host, const char *key)
{
    FILE *file = fopen(fixture->config, "w");

    assert_non_null(file);
    fprintf(file, "[%s]\naccess_key = %s\nsecret_key = secret\nsecure =\n", host, key);
    fclose(file);
}

static void clear_environment(void)
{
    static const char *const names[] = {
        "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY",   "AWS_ACCESS_KEY_ID",
        "AWS_REGION",       "AWS_DEFAULT_REGION", "AWS_PROFILE",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    setenv("LOGNAME", "sphinx", 1);
}

int s3_fixture_open(void **state)
{
    struct s3_fixture *fixture = calloc(1, sizeof *fixture);
    char url[HTTP_SERVER_URL_MAX];
    struct error err = {0};
    int fd;

    clear_environment();
    fixture->server = http_server_open();
    http_server_url(fixture->server, "", url);
    snprintf(fixture->host, sizeof fixture->host, "%s", url + strlen("http://"));
    snprintf(fixture->config, sizeof fixture->config, "/tmp/modelfs-s3-XXXXXX");
    fd = mkstemp(fixture->config);
    assert_true(fd >= 0);
    close(fd);
    s3_fixture_login(fixture, fixture->host, "AKFIRST");
    setenv("MINIO_CONFIG_FILE", fixture->config, 1);
    assert_int_equal(
        http_open(&(struct http_options){.connections = 4}, &fixture->http, &err), 0);
    assert_int_equal(backend_open("s3",
                                  &(struct backend_options){.host = fixture->host,
                                                            .repository = "models",
                                                            .http = fixture->http},
                                  &fixture->backend, &err),
                     0);
    *state = fixture;
    return 0;
}

int s3_fixture_close(void **state)
{
    struct s3_fixture *fixture = *state;

    backend_close(fixture->backend);
    http_close(fixture->http);
    http_server_close(fixture->server);
    unlink(fixture->config);
    free(fixture);
    return 0;
}

void s3_fixture_play(struct s3_fixture *fixture, const struct http_step *steps,
                     size_t count)
{
    http_server_play(fixture->server, steps, count);
}

void s3_fixture_check(struct s3_fixture *fixture, const char *const *expected,
                      size_t count)
{
    assert_int_equal(http_server_requests(fixture->server), count);
    for (unsigned i = 0; i < count; i++) {
        const char *request = http_server_request(fixture->server, i);

        if (strncmp(request, expected[i], strlen(expected[i])) != 0)
            fail_msg("request %u is '%.100s', not '%s'", i, request, expected[i]);
    }
}
