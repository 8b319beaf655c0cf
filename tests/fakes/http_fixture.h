/* http_fixture.h: a struct http with short pauses, a server that plays replies, and a
 * sink, for tests of the HTTP layer.
 *
 *     http_fixture_open(&fixture);
 *     rc = http_fixture_get(&fixture, (struct http_request){...}, &reply, &err);
 *     assert_string_equal(fixture.sunk.data, "...");
 *     http_fixture_close(&fixture); */
#ifndef TESTS_FAKES_HTTP_FIXTURE_H
#define TESTS_FAKES_HTTP_FIXTURE_H

#include "backends/http.h"
#include "tests/fakes/http_server.h"

struct http_fixture {
    struct sink sink; /* first: the sink is the fixture */
    struct http_server *server;
    struct http_options options;
    struct http *http;
    struct bytes sunk;
    int sink_rc; /* what the sink answers */
};

void http_fixture_open(struct http_fixture *fixture);
void http_fixture_close(struct http_fixture *fixture);

/* New connections, or curl itself repeats what a kept one loses. */
void http_fixture_reconnect(struct http_fixture *fixture);

/* The same, with short deadlines: for servers that stall. Elsewhere they are those of the
 * program, since a busy machine does not stall. */
void http_fixture_hurry(struct http_fixture *fixture);

/* A request for a path of the server, with a secret in the query; into the sink unless it
 * says otherwise. */
int http_fixture_get(struct http_fixture *fixture, struct http_request request,
                     struct http_reply *ret_reply, struct error *err);

/* An authorizer for requests: a secret, and X-Amz-Date with the count that arg, an int,
 * has after it. */
int http_fixture_authorize(void *arg, struct http_fields *fields, struct error *err);

#endif
