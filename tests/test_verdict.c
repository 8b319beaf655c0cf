/* test_verdict.c: what is done after each end of a worker. */
#include "tests/test.h"

#include "fs/verdict.h"

#include <signal.h>
#include <string.h>

enum { EXITED_0 = 0, EXITED_1 = 1 << 8, CRASHED = SIGSEGV, KILLED = SIGKILL };

static const struct {
    struct verdict_case worker; /* status, stopping, mounted, answered, deaths */
    enum verdict_kind kind;
    unsigned deaths;
    bool has_delay;
} cases[] = {
    {{KILLED, false, true, true, 0},     VERDICT_START,  0, false},
    {{CRASHED, false, true, true, 0},    VERDICT_START,  0, false},
    {{EXITED_1, false, true, true, 0},   VERDICT_START,  0, false},
    {{KILLED, false, true, true, 4},     VERDICT_START,  0, false}, /* an answer: all anew */
    {{KILLED, false, true, false, 0},    VERDICT_START,  1, true },
    {{EXITED_1, false, true, false, 1},  VERDICT_START,  2, true },
    {{CRASHED, false, true, false, 3},   VERDICT_START,  4, true },
    {{CRASHED, false, true, false, 4},   VERDICT_REFUSE, 5, false},
    {{EXITED_1, false, true, false, 4},  VERDICT_REFUSE, 5, false},
    {{KILLED, false, true, false, 5},    VERDICT_REFUSE, 5, true }, /* the one that refused */
    {{EXITED_0, false, true, false, 5},  VERDICT_END,    0, false}, /* unmounted */
    {{EXITED_0, false, true, true, 0},   VERDICT_END,    0, false},
    {{KILLED, true, true, true, 0},      VERDICT_END,    0, false},
    {{EXITED_1, true, false, false, 0},  VERDICT_END,    0, false},
    {{EXITED_1, false, false, false, 0}, VERDICT_FAIL,   0, false}, /* it never came up */
    {{CRASHED, false, false, false, 0},  VERDICT_FAIL,   0, false},
};

static void ends_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct verdict verdict = verdict_of(&cases[i].worker);

        test_row(i, "status %x after %u deaths", (unsigned)cases[i].worker.status,
                 cases[i].worker.deaths);
        assert_int_equal(verdict.kind, cases[i].kind);
        assert_int_equal(verdict.deaths, cases[i].deaths);
        assert_int_equal(verdict.delay_ms > 0, cases[i].has_delay);
    }
}

/* Five tries take long enough to outlive a moment without memory, and not much longer. */
static void tries_are_spread(void **state)
{
    struct verdict_case worker = {.status = KILLED, .is_mounted = true};
    int sum_ms = 0, last_ms = 0;

    (void)state;
    for (;;) {
        struct verdict verdict = verdict_of(&worker);

        if (verdict.kind == VERDICT_REFUSE)
            break;
        assert_true(verdict.delay_ms > last_ms);
        last_ms = verdict.delay_ms;
        sum_ms += verdict.delay_ms;
        worker.deaths = verdict.deaths;
    }
    assert_in_range(sum_ms, 100, 1000);
}

static void ends_are_described(void **state)
{
    (void)state;
    assert_string_equal(verdict_describe(CRASHED),
                        "was ended by signal 11 (Segmentation fault)");
    assert_string_equal(verdict_describe(EXITED_1), "gave up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_judged),
        cmocka_unit_test(tries_are_spread),
        cmocka_unit_test(ends_are_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
