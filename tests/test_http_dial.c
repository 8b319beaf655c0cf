/* test_http_dial.c: what becomes of connections that have no request yet. */
#include "tests/test.h"

#include "backends/http_dial.h"

#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

enum { CALLS_MAX = 16 };

static struct http_dial dial, place;
static int listen_fd;

static int set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    http_dial_init(&dial);
    http_dial_init(&place);
    place.peer_size = sizeof address;
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listen_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(
        getsockname(listen_fd, (struct sockaddr *)&place.peer, &place.peer_size), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_dial_done(&dial);
    close(listen_fd);
    return 0;
}

/* Until something happens to it. */
static enum http_dial_state next_state(short events)
{
    struct pollfd wait = {.fd = dial.fd, .events = events};

    assert_int_equal(poll(&wait, 1, 60000), 1);
    return http_dial_look(&dial);
}

static void test_it_is_there_until_the_other_side_closes(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(listen(listen_fd, 1), 0);
    assert_int_equal(http_dial_look(&dial), HTTP_DIAL_NONE);
    assert_true(http_dial_begin(&dial, &place));
    fd = accept(listen_fd, NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(next_state(POLLOUT), HTTP_DIAL_THERE);
    close(fd);
    assert_int_equal(next_state(POLLIN), HTTP_DIAL_LOST);
    http_dial_done(&dial);
    assert_int_equal(http_dial_look(&dial), HTTP_DIAL_NONE);
}

/* Unasked: whatever it is, no request is to follow it. */
static void test_it_is_lost_when_the_other_side_speaks(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(listen(listen_fd, 1), 0);
    assert_true(http_dial_begin(&dial, &place));
    fd = accept(listen_fd, NULL, NULL);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(next_state(POLLIN), HTTP_DIAL_LOST);
    close(fd);
}

/* A request over it might get no answer at all. */
static void test_it_is_lost_when_it_is_old(void **state)
{
    (void)state;
    assert_int_equal(listen(listen_fd, 1), 0);
    assert_true(http_dial_begin(&dial, &place));
    assert_int_equal(next_state(POLLOUT), HTTP_DIAL_THERE);
    dial.begun_ms -= 61000;
    assert_int_equal(http_dial_look(&dial), HTTP_DIAL_LOST);
}

static void test_it_may_be_refused(void **state)
{
    (void)state;
    if (http_dial_begin(&dial, &place))
        assert_int_equal(next_state(POLLOUT), HTTP_DIAL_LOST);
    else
        assert_int_equal(http_dial_look(&dial), HTTP_DIAL_NONE);
}

/* A server that takes no more answers none of them. */
static void test_it_may_be_long_in_coming(void **state)
{
    struct http_dial others[CALLS_MAX];

    (void)state;
    assert_int_equal(listen(listen_fd, 0), 0);
    for (int i = 0; i < CALLS_MAX; i++) {
        http_dial_init(&others[i]);
        assert_true(http_dial_begin(&others[i], &place));
    }
    assert_int_equal(http_dial_look(&others[CALLS_MAX - 1]), HTTP_DIAL_COMING);
    for (int i = 0; i < CALLS_MAX; i++)
        http_dial_done(&others[i]);
}

static void test_it_needs_a_place(void **state)
{
    const struct http_dial nowhere = {.fd = -1};

    (void)state;
    assert_false(http_dial_begin(&dial, &nowhere));
    assert_int_equal(http_dial_look(&dial), HTTP_DIAL_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_there_until_the_other_side_closes),
        TEST(test_it_is_lost_when_the_other_side_speaks),
        TEST(test_it_is_lost_when_it_is_old),
        TEST(test_it_may_be_refused),
        TEST(test_it_may_be_long_in_coming),
        TEST(test_it_needs_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
