/* test_relay.c: what one thread makes comes to the other whole and in order. */
#include "tests/test.h"

#include "cache/internal.h"
#include "cache/relay.h"
#include "cache/spare.h"
#include "common/sync.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TOTAL = 5 * RELAY_LARGE + 12345 };

/* Who uses: checks, in order, bytes that tell where they are. */
struct user {
    size_t used;
    size_t fails_at; /* 0: never */
    unsigned calls_after_failure;
    bool is_wrong;
};

static unsigned char byte_at(size_t position)
{
    return (unsigned char)(position * 7 + position / 251);
}

static int use(void *arg, const void *data, size_t size, struct error *err)
{
    struct user *user = arg;
    const unsigned char *bytes = data;

    if (user->fails_at && user->used >= user->fails_at) {
        user->calls_after_failure++;
        return fail(err, ENOSPC, "full after %zu bytes", user->used);
    }
    for (size_t i = 0; i < size; i++)
        user->is_wrong |= bytes[i] != byte_at(user->used + i);
    user->used += size;
    return 0;
}

/* Make bytes in pieces of at most piece. How many were made before use() failed. */
static size_t make(struct relay *relay, size_t piece, struct error *err)
{
    size_t made = 0;

    while (made < TOTAL) {
        size_t size = 0;
        unsigned char *space = relay_space(relay, &size, err);

        if (!space)
            return made;
        assert_true(size > 0);
        if (size > piece)
            size = piece;
        if (size > TOTAL - made)
            size = TOTAL - made;
        for (size_t i = 0; i < size; i++)
            space[i] = byte_at(made + i);
        relay_pass(relay, size);
        made += size;
    }
    return made;
}

/* A pool whose only thread is busy until gate_open. */
struct gate {
    struct cache cache; /* of which a relay uses the pool and the spare memory */
    struct lock lock;
    struct condition opened;
    bool is_open;
};

static void wait_for_gate(void *arg)
{
    struct gate *gate = arg;

    lock_acquire(&gate->lock);
    while (!gate->is_open)
        condition_wait(&gate->opened, &gate->lock);
    lock_release(&gate->lock);
}

static void gate_init(struct gate *gate, bool is_busy)
{
    struct error err = {0};

    *gate = (struct gate){.is_open = false};
    lock_init(&gate->lock);
    condition_init(&gate->opened);
    assert_int_equal(
        workers_open(
            &(struct workers_options){.name = "use", .threads = 1, .queue_max = 2},
            &gate->cache.writers, &err),
        0);
    if (is_busy)
        assert_int_equal(workers_submit(gate->cache.writers, wait_for_gate, gate, &err),
                         0);
}

static void gate_done(struct gate *gate)
{
    lock_acquire(&gate->lock);
    gate->is_open = true;
    condition_broadcast(&gate->opened);
    lock_release(&gate->lock);
    workers_close(gate->cache.writers);
    condition_done(&gate->opened);
    lock_done(&gate->lock);
}

static void all_comes_in_order(void **state)
{
    static const struct {
        const char *what;
        size_t piece;
        uint64_t spared; /* memory that others have */
        bool is_busy;
    } rows[] = {
        {"large pieces",                 RELAY_LARGE, 0,        false},
        {"odd pieces",                   100003,      0,        false},
        {"small pieces",                 997,         0,        false},
        {"no memory to spare",           100003,      23 << 20, false},
        {"no thread has time",           RELAY_LARGE, 0,        true },
        {"the same, small pieces",       997,         0,        true },
        {"neither time nor memory left", 100003,      23 << 20, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct user user = {0};
        struct error err = {0};
        struct relay *relay;
        struct gate gate;

        test_row(i, "%s", rows[i].what);
        gate_init(&gate, rows[i].is_busy);
        assert_true(spare_take(&gate.cache, rows[i].spared));
        assert_int_equal(relay_open(&gate.cache, use, &user, &relay, &err), 0);
        assert_int_equal(make(relay, rows[i].piece, &err), TOTAL);
        assert_int_equal(relay_end(relay, &err), 0);
        assert_int_equal(user.used, TOTAL);
        assert_false(user.is_wrong);
        relay_close(relay);
        spare_give(&gate.cache, rows[i].spared);
        gate_done(&gate);
        assert_int_equal(gate.cache.spare_bytes, 0);
    }
}

static void a_failure_reaches_the_maker_once(void **state)
{
    (void)state;
    for (int is_busy = 0; is_busy < 2; is_busy++) {
        struct user user = {.fails_at = RELAY_LARGE};
        struct error err = {0}, end = {0};
        struct relay *relay;
        struct gate gate;

        test_row((size_t)is_busy, "%s", is_busy ? "said here" : "said elsewhere");
        gate_init(&gate, is_busy);
        assert_int_equal(relay_open(&gate.cache, use, &user, &relay, &err), 0);
        assert_in_range(make(relay, 4096, &err), RELAY_LARGE, 3 * RELAY_LARGE);
        assert_int_equal(err.code, ENOSPC);
        assert_non_null(strstr(err.message, "full after"));
        assert_int_equal(relay_end(relay, &end), -ENOSPC);
        assert_int_equal(end.code, ENOSPC);
        relay_close(relay);
        gate_done(&gate);
        assert_int_equal(user.calls_after_failure, 1);
    }
}

/* The job that was queued for it finds nothing to do. */
static void a_closed_one_uses_nothing_more(void **state)
{
    struct user user = {0};
    struct error err = {0};
    struct relay *relay;
    struct gate gate;
    size_t size;

    (void)state;
    gate_init(&gate, true);
    assert_int_equal(relay_open(&gate.cache, use, &user, &relay, &err), 0);
    assert_non_null(relay_space(relay, &size, &err));
    relay_pass(relay, 1);
    relay_close(relay);
    gate_done(&gate);
    assert_int_equal(user.used, 0);
    relay_close(NULL);
}

/* What is there is used though the maker makes no more, and waits for nothing. */
static void nobody_has_to_ask(void **state)
{
    struct user user = {0};
    struct error err = {0};
    struct relay *relay;
    struct gate gate;
    unsigned char *space;
    size_t size;

    (void)state;
    gate_init(&gate, false);
    assert_int_equal(relay_open(&gate.cache, use, &user, &relay, &err), 0);
    space = relay_space(relay, &size, &err);
    *space = byte_at(0);
    relay_pass(relay, 1);
    gate_done(&gate); /* runs what is queued */
    assert_int_equal(user.used, 1);
    relay_close(relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_comes_in_order),
        cmocka_unit_test(a_failure_reaches_the_maker_once),
        cmocka_unit_test(a_closed_one_uses_nothing_more),
        cmocka_unit_test(nobody_has_to_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
