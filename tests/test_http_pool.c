/* test_http_pool.c: connections are kept, few at once, and nobody waits after a cancel.
 */
#include "tests/test.h"

#include "common/sync.h"
#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"

enum { CALLERS = 6, CONNECTIONS = 2 };

static struct http_fixture fixture;

/* One request in a thread of its own. */
struct caller {
    pthread_t thread;
    struct http_request request;
    int rc;
    bool has_another;
    struct error err;
};

static struct caller callers[CALLERS];

static void reconnect(const struct http_options *options)
{
    struct error err = {0};

    http_close(fixture.http);
    assert_int_equal(http_open(options, &fixture.http, &err), 0);
}

/* With time to spare: a busy machine is not a server that stalls. */
static int set_up(void **state)
{
    (void)state;
    memset(callers, 0, sizeof callers);
    http_fixture_open(&fixture);
    reconnect(&(struct http_options){.connections = CONNECTIONS});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_fixture_close(&fixture);
    return 0;
}

static void play(const char *answer, enum http_then then, bool is_held)
{
    static struct http_step step;

    step = (struct http_step){.reply = answer, .then = then, .is_held = is_held};
    http_server_play(fixture.server, &step, 1);
}

static void *call(void *arg)
{
    struct caller *caller = arg;
    struct http_reply reply = {0};
    char url[HTTP_SERVER_URL_MAX];

    http_server_url(fixture.server, "/o", url);
    caller->request.url = url;
    caller->rc = http_do(fixture.http, &caller->request, &reply, &caller->err);
    caller->has_another = reply.has_another;
    http_reply_done(&reply);
    return NULL;
}

static void start_all(void)
{
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(thread_start(&callers[i].thread, "caller", call, &callers[i]),
                         0);
}

static void join_all(void)
{
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);
}

static void test_connection_is_kept(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, false);
    for (int i = 0; i < 5; i++) {
        call(&callers[0]);
        assert_int_equal(callers[0].rc, 0);
    }
    assert_int_equal(http_server_connections(fixture.server), 1);
}

/* count requests at once. */
static void call_at_once(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(thread_start(&callers[i].thread, "caller", call, &callers[i]),
                         0);
    assert_int_equal(http_server_wait_held(fixture.server, count), count);
    http_server_release(fixture.server, count);
    for (unsigned i = 0; i < count; i++)
        pthread_join(callers[i].thread, NULL);
}

static void test_idle_connections_are_told(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, true);
    call_at_once(CONNECTIONS);
    call_at_once(1);
    assert_true(callers[0].has_another);
}

/* Behind the end of an archive more is asked for at once: the other connection is opened
 * meanwhile, without a request. */
static void test_end_of_an_archive_opens_another(void **state)
{
    const struct http_request whole = callers[0].request;
    const struct http_request end = {.part = HTTP_SUFFIX, .suffix_size = 3};

    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, false);
    call(&callers[0]);
    assert_false(callers[0].has_another);
    callers[0].request = end;
    call(&callers[0]);
    assert_int_equal(callers[0].rc, 0);
    assert_true(callers[0].has_another);
    callers[0].request = whole;
    play(WHOLE, HTTP_THEN_KEEP, true);
    call_at_once(CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++)
        assert_int_equal(callers[i].rc, 0);
    assert_int_equal(http_server_connections(fixture.server), CONNECTIONS);
}

static void test_only_connection_stays_the_only_one(void **state)
{
    const struct http_request end = {.part = HTTP_SUFFIX, .suffix_size = 3};

    (void)state;
    reconnect(&(struct http_options){.connections = 1});
    play(WHOLE, HTTP_THEN_KEEP, false);
    callers[0].request = end;
    for (int i = 0; i < 3; i++) {
        call(&callers[0]);
        assert_false(callers[0].has_another);
    }
    assert_int_equal(http_server_connections(fixture.server), 1);
}

static void test_one_connection_has_no_other(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, false);
    for (int i = 0; i < 3; i++) {
        call(&callers[0]);
        assert_false(callers[0].has_another);
    }
}

/* The connection that a server closed meanwhile fails nobody. */
static void test_closed_connection_is_replaced(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_CLOSE, false);
    for (int i = 0; i < 5; i++) {
        call(&callers[0]);
        assert_int_equal(callers[0].rc, 0);
    }
}

static void test_few_at_once(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, true);
    start_all();
    for (int left = CALLERS; left > 0; left--) {
        unsigned most = left < CONNECTIONS ? (unsigned)left : CONNECTIONS;

        assert_int_equal(http_server_wait_held(fixture.server, most), most);
        http_server_release(fixture.server, 1);
    }
    join_all();
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(callers[i].rc, 0);
    assert_int_equal(http_server_connections(fixture.server), CONNECTIONS);
}

static void test_cancel_ends_all(void **state)
{
    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, true);
    start_all();
    assert_int_equal(http_server_wait_held(fixture.server, CONNECTIONS), CONNECTIONS);
    http_cancel(fixture.http);
    join_all();
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(callers[i].rc, -ECANCELED);
    call(&callers[0]);
    assert_int_equal(callers[0].rc, -ECANCELED);
    assert_int_equal(http_server_requests(fixture.server), CONNECTIONS);
}

/* A pause of minutes ends too. */
static void test_cancel_ends_a_pause(void **state)
{
    (void)state;
    reconnect(&(struct http_options){.give_up_ms = 1000000});
    play("HTTP/1.1 503 No\r\nRetry-After: 300\r\nContent-Length: 0\r\n\r\n",
         HTTP_THEN_KEEP, true);
    assert_int_equal(thread_start(&callers[0].thread, "caller", call, &callers[0]), 0);
    assert_int_equal(http_server_wait_held(fixture.server, 1), 1);
    http_server_release(fixture.server, 1);
    while (http_server_requests(fixture.server) < 1)
        sched_yield();
    http_cancel(fixture.http);
    pthread_join(callers[0].thread, NULL);
    assert_int_equal(callers[0].rc, -ECANCELED);
}

static void test_deadline_while_waiting_for_a_turn(void **state)
{
    struct caller late = {.request.deadline_ms = clock_now_ms() + 20};

    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, true);
    start_all();
    assert_int_equal(http_server_wait_held(fixture.server, CONNECTIONS), CONNECTIONS);
    call(&late);
    assert_int_equal(late.rc, -ETIMEDOUT);
    assert_int_equal(http_server_requests(fixture.server), CONNECTIONS);
    http_cancel(fixture.http);
    join_all();
}

/* A look-up does not wait for the end of downloads, however many there are. */
static void test_long_ranges_leave_a_connection(void **state)
{
    const struct http_request range = {
        .part = HTTP_RANGE, .range = {0, 64 << 20}
    };

    (void)state;
    play(WHOLE, HTTP_THEN_KEEP, true);
    for (int i = 1; i < CALLERS; i++)
        callers[i].request = range;
    for (int i = CALLERS - 1; i >= 0; i--) {
        assert_int_equal(thread_start(&callers[i].thread, "caller", call, &callers[i]),
                         0);
        if (i == CALLERS - 1) /* it has its connection */
            assert_int_equal(http_server_wait_held(fixture.server, 1), 1);
    }
    assert_int_equal(http_server_wait_held(fixture.server, CONNECTIONS), CONNECTIONS);
    assert_non_null(strstr(http_server_request(fixture.server, 0), "Range:"));
    assert_null(strstr(http_server_request(fixture.server, 1), "Range:"));
    http_cancel(fixture.http);
    join_all();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_idle_connections_are_told),
        TEST(test_one_connection_has_no_other),
        TEST(test_end_of_an_archive_opens_another),
        TEST(test_only_connection_stays_the_only_one),
        TEST(test_connection_is_kept),
        TEST(test_closed_connection_is_replaced),
        TEST(test_few_at_once),
        TEST(test_cancel_ends_all),
        TEST(test_cancel_ends_a_pause),
        TEST(test_deadline_while_waiting_for_a_turn),
        TEST(test_long_ranges_leave_a_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
