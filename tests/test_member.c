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
        uint64_t last = orders[i][2];

        test_row(i, "block %ju comes last", (uintmax_t)last);
        for (size_t j = 0; j < 3; j++)
            member_block_done(member, orders[i][j], 0);
        for (uint64_t block = 0; block < 3; block++)
            assert_int_equal(member_has(member, block * B, block * B + 5), block != last);
        assert_false(member_has(member, 0, 2 * B + 5));
        assert_false(member_has_run(member));
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

/* The next block of a run came. */
static bool bring(struct member *member, struct member_run *run)
{
    member_block_done(member, run->next, 0);
    return member_run_advance(member, run);
}

static void one_run_takes_all(void **state)
{
    struct member *member = make(20 * B, 0, MEMBER_BY_BLOCK);
    struct member_run run;

    (void)state;
    assert_true(member_run_begin(member, &run));
    assert_int_equal(run.next, 0);
    assert_int_equal(run.end, 20);
    for (int i = 0; i < 19; i++)
        assert_true(bring(member, &run));
    assert_false(bring(member, &run));
    member_run_end(member, &run);
    assert_false(member_has_run(member));
    assert_false(member_run_begin(member, &run));
    member_free(member);
}

static void wanted_blocks_come_first(void **state)
{
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);
    struct member *member = make(40 * B, 0, MEMBER_BY_BLOCK);
    struct answered answered = {0};
    struct waiter wish = {
        .first = 17 * B + 3, .end = 18 * B + 3, .done = count_answer, .arg = &answered};
    struct member_run run;

    (void)state;
    assert_true(member_run_begin(member, &run));
    member_wait(member, &wish);
    assert_false(bring(member, &run)); /* somebody waits for a block far away */
    assert_true(run.is_cut);
    member_run_end(member, &run);
    for (uint64_t block = 17; block <= 18; block++) { /* each jump is a short request */
        assert_int_equal(answered.count, 0);
        assert_true(member_run_begin(member, &run));
        assert_int_equal(run.next, block);
        assert_int_equal(run.end, block == 17 ? 18 : 20);
        (void)bring(member, &run);
        member_take_ready(member, &ready);
        waiters_answer(&ready, 0, NULL);
        member_run_end(member, &run);
    }
    assert_int_equal(answered.count, 1);
    assert_true(member_run_begin(member, &run)); /* then on, with longer ones */
    assert_int_equal(run.next, 1);
    assert_int_equal(run.end, 5);
    member_run_end(member, &run);
    member_free(member);
}

static void what_comes_soon_is_waited_for(void **state)
{
    struct member *member = make(40 * B, 0, MEMBER_BY_BLOCK);
    struct waiter wish = {.first = 4 * B, .end = 5 * B, .done = count_answer};
    struct answered answered = {0};
    struct waiter_list all = TAILQ_HEAD_INITIALIZER(all);
    struct member_run run;

    (void)state;
    wish.arg = &answered;
    assert_true(member_run_begin(member, &run));
    member_wait(member, &wish);
    assert_true(bring(member, &run));
    member_take_all(member, &all);
    waiters_answer(&all, 0, NULL);
    member_run_end(member, &run);
    member_free(member);
}

static void further_runs_go_on_where_others_end(void **state)
{
    struct member *member = make(100 * B, 0, MEMBER_BY_BLOCK);
    struct member_run first, second, third;

    (void)state;
    assert_true(member_run_begin(member, &first));
    assert_int_equal(first.end, 100);
    assert_true(bring(member, &first));
    assert_true(member_run_begin(member, &second));
    assert_int_equal(first.end, 33); /* the only one was endless, now it is not */
    assert_int_equal(second.next, 33);
    assert_int_equal(second.end, 65);
    assert_true(member_run_begin(member, &third));
    assert_int_equal(third.next, 65);
    assert_int_equal(third.end, 97);
    assert_int_equal(member->run_count, 3);
    member_run_end(member, &second); /* given up at its first block */
    assert_true(member_run_begin(member, &second));
    assert_int_equal(second.next, 33);
    while (bring(member, &second))
        ;
    member_run_end(member, &second);
    assert_true(member_run_begin(member, &second)); /* what is left at the end */
    assert_int_equal(second.next, 97);
    while (bring(member, &second))
        ;
    member_run_end(member, &second);
    assert_true(member_run_begin(member, &second)); /* half of a run of 32 */
    assert_int_equal(second.next, 81);
    assert_int_equal(second.end, 97);
    assert_int_equal(third.end, 81);
    member_run_end(member, &second);
    for (int i = 0; i < 12; i++)
        assert_true(bring(member, &third));
    for (int i = 0; i < 28; i++)
        assert_true(bring(member, &first));
    assert_true(member_run_begin(member, &second));
    assert_int_equal(second.next, 81);
    for (int i = 0; i < 12; i++)
        assert_true(bring(member, &second));
    assert_false(member_has_run(member)); /* none is worth being halved */
    member->is_ending = true;
    assert_false(bring(member, &first));
    assert_true(first.is_cut);
    member_run_end(member, &first);
    member_run_end(member, &second);
    member_run_end(member, &third);
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
        cmocka_unit_test(one_run_takes_all),
        cmocka_unit_test(wanted_blocks_come_first),
        cmocka_unit_test(what_comes_soon_is_waited_for),
        cmocka_unit_test(further_runs_go_on_where_others_end),
        cmocka_unit_test(only_those_without_progress_time_out),
        cmocka_unit_test(blocks_checksum_as_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
