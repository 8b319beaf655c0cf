/* http_fixture.c: a struct http, a server, and a sink. */
#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sink_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct http_fixture *fixture = (struct http_fixture *)sink;

    if (fixture->sink_rc < 0)
        return fail(err, -fixture->sink_rc, "the sink refuses");
    return bytes_append(&fixture->sunk, data, size, err);
}

void http_fixture_reconnect(struct http_fixture *fixture)
{
    struct error err = {0};

    http_close(fixture->http);
    if (http_open(&fixture->options, &fixture->http, &err) < 0)
        abort();
}

void http_fixture_hurry(struct http_fixture *fixture)
{
    fixture->options.stall_timeout_ms = 900;
    fixture->options.give_up_ms = 2000;
    http_fixture_reconnect(fixture);
}

void http_fixture_open(struct http_fixture *fixture)
{
    *fixture = (struct http_fixture){
        .sink.write = sink_write,
        .options = {.connections = 2, .pause_ms = 1, .agent = "modelfs/test"},
    };
    bytes_init(&fixture->sunk, MIB);
    fixture->server = http_server_open();
    http_fixture_reconnect(fixture);
}

void http_fixture_close(struct http_fixture *fixture)
{
    http_close(fixture->http);
    http_server_close(fixture->server);
    bytes_done(&fixture->sunk);
}

int http_fixture_get(struct http_fixture *fixture, struct http_request request,
                     struct http_reply *ret_reply, struct error *err)
{
    char url[HTTP_SERVER_URL_MAX];

    http_server_url(fixture->server, "/b/o?X-Amz-Signature=secret", url);
    request.url = url;
    if (!request.to)
        request.to = &fixture->sink;
    return http_do(fixture->http, &request, ret_reply, err);
}

int http_fixture_authorize(void *arg, struct http_fields *fields, struct error *err)
{
    char date[16];

    snprintf(date, sizeof date, "%d", ++*(int *)arg);
    return http_fields_set(fields, "Authorization", "secret", err) < 0
               ? -EINVAL
               : http_fields_set(fields, "X-Amz-Date", date, err);
}
