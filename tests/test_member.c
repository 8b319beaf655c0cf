/* test_member.c: which bytes of an arriving member may be handed out, and to whom. */
#include "tests/test.h"

#include "cache/checksum.h"
#include "cache/member.h"

#include <errno.h>
#include <stdlib.h>

#define B MEMBER_BLOCK

static struct member *make(uint64_t size, uint64_t hold, enum member_order order)
{
    struct member *member = NULL;
    struct error err = {0};

    assert_int_equal(member_new(1, 1, size, hold, order, &member, &err), 0);
    return member;
}

static void the_last_part_in_order_is_held_back(void **state)
{
    static const struct {
        uint64_t size, hold, arrived, end;
        bool has;
    } cases[] = {
        {5 * B,     0,     0,         1,         false},
        {5 * B,     0,     B,         B,         true },
        {5 * B,     0,     B,         B + 1,     false},
        {5 * B,     0,     5 * B,     4 * B,     true },
        {5 * B,     0,     5 * B,     4 * B + 1, false},
        {5 * B,     0,     5 * B - 1, 4 * B,     true },
        {B / 2,     0,     B / 2,     1,         false},
        {5 * B,     5 * B, 5 * B,     1,         false},
        {5 * B + 1, 5 * B, 5 * B + 1, 4 * B + 1, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct member *member = make(cases[i].size, cases[i].hold, MEMBER_IN_ORDER);

        test_row(i, "%ju of %ju", (uintmax_t)cases[i].arrived, (uintmax_t)cases[i].size);
        member_advance(member, cases[i].arrived);
        assert_int_equal(member_has(member, 0, cases[i].end), cases[i].has);
        member_free(member);
    }
}

static void the_last_block_to_come_is_held_back(void **state)
{
    static const uint64_t orders[][3] = {
        {0, 1, 2},
        {2, 1, 0},
        {0, 2, 1},
        {1, 0, 2}
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        struct member *member = make(2 * B + 5, 0, MEMBER_BY_BLOCK);
        uint64_t last = orders[i][2], first;

        test_row(i, "block %ju comes last", (uintmax_t)last);
        for (size_t j = 0; j < 3; j++)
            member_block_done(member, orders[i][j], 0);
        for (uint64_t block = 0; block < 3; block++)
            assert_int_equal(member_has(member, block * B, block * B + 5), block != last);
        assert_false(member_has(member, 0, 2 * B + 5));
        assert_int_equal(member_next_blocks(member, 8, &first), 0);
        member_free(member);
    }
}

struct answered {
    int count;
    int rc;
};

static void count_answer(void *arg, int rc, const struct error *err)
{
    struct answered *answered = arg;

    (void)err;
    answered->count++;
    answered->rc = rc;
}

static void wanted_blocks_come_first(void **state)
{
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);
    struct member *member = make(20 * B, 0, MEMBER_BY_BLOCK);
    struct answered answered = {0};
    struct waiter wish = {
        .first = 7 * B + 3, .end = 8 * B + 3, .done = count_answer, .arg = &answered};
    uint64_t first;

    (void)state;
    assert_int_equal(member_next_blocks(member, 8, &first), 8);
    assert_int_equal(first, 0);
    member_wait(member, &wish);
    assert_true(member_is_wanted_elsewhere(member, 1));
    assert_false(member_is_wanted_elsewhere(member, 7));
    assert_int_equal(member_next_blocks(member, 8, &first), 8);
    assert_int_equal(first, 7);
    member_block_done(member, 7, 0);
    member_take_ready(member, &ready);
    waiters_answer(&ready, 0, NULL);
    assert_int_equal(answered.count, 0);
    member_block_done(member, 8, 0);
    member_take_ready(member, &ready);
    waiters_answer(&ready, 0, NULL);
    assert_int_equal(answered.count, 1);
    assert_int_equal(member_next_blocks(member, 8, &first), 7); /* up to block 7 */
    assert_int_equal(first, 0);
    member_free(member);
}

static void only_those_without_progress_time_out(void **state)
{
    struct waiter_list stalled = TAILQ_HEAD_INITIALIZER(stalled);
    struct member *member = make(20 * B, 0, MEMBER_IN_ORDER);
    struct answered answered = {0};
    struct waiter wish = {
        .wants_all = true, .since_ms = 100, .done = count_answer, .arg = &answered};

    (void)state;
    member_wait(member, &wish);
    wish.since_ms = 200;
    member_wait(member, &wish);
    member->progress_ms = 160;
    member_take_stalled(member, 150, &stalled);
    waiters_answer(&stalled, -ETIMEDOUT, NULL);
    assert_int_equal(answered.count, 0); /* bytes came since */
    member_take_stalled(member, 170, &stalled);
    waiters_answer(&stalled, -ETIMEDOUT, NULL);
    assert_int_equal(answered.count, 1);
    member_take_all(member, &stalled);
    waiters_answer(&stalled, 0, NULL);
    assert_int_equal(answered.count, 2);
    member_free(member);
}

static void blocks_checksum_as_the_whole(void **state)
{
    static unsigned char data[2 << 20 | 100];
    struct member *member = make(sizeof(data), 0, MEMBER_BY_BLOCK);

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i * i >> 3);
    for (uint64_t block = 3; block-- > 0;) {
        size_t at = block * B, size = sizeof(data) - at < B ? sizeof(data) - at : B;

        member_block_done(member, block, checksum_crc32(0, data + at, size));
    }
    assert_int_equal(member_crc32(member), checksum_crc32(0, data, sizeof(data)));
    member_free(member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_part_in_order_is_held_back),
        cmocka_unit_test(the_last_block_to_come_is_held_back),
        cmocka_unit_test(wanted_blocks_come_first),
        cmocka_unit_test(only_those_without_progress_time_out),
        cmocka_unit_test(blocks_checksum_as_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
