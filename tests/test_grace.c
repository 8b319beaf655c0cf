/* test_grace.c: what is cancelled when a mount ends, and when. */
#include "tests/test.h"

#include "fs/grace.h"

static void cancel(void *arg)
{
    ++*(int *)arg;
}

static void test_end_cancels_at_once(void **state)
{
    int cancelled = 0;
    struct grace *grace = grace_begin(cancel, &cancelled);

    (void)state;
    grace_end(grace);
    assert_int_equal(cancelled, 1);
}

static void test_nothing_to_cancel(void **state)
{
    (void)state;
    grace_end(grace_begin(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_cancels_at_once),
        cmocka_unit_test(test_nothing_to_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
