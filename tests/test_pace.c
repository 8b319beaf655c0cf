/* test_pace.c: how many connections a member gets on links of several sorts. */
#include "tests/test.h"

#include "cache/pace.h"

enum { STEP_MS = 10, MAX = 16 };

/* Rates in bytes a millisecond. */
struct link {
    const char *what;
    uint64_t total, each; /* of the link, of one connection at most */
    unsigned least, most; /* connections in the end */
    unsigned peak;        /* at any time */
};

static uint64_t rate_of(const struct link *link, unsigned count)
{
    return count * link->each < link->total ? count * link->each : link->total;
}

static void as_many_as_raise_the_rate(void **state)
{
    static const struct link links[] = {
        {"clean, 1 Gbit/s",       115000, 115000, 1,   1,   2  },
        {"clean, 1 Mbit/s",       125,    125,    1,   1,   2  },
        {"30 MiB/s each of 110",  115000, 31500,  4,   4,   5  },
        {"10 MiB/s each of 110",  115000, 10500,  10,  11,  16 },
        {"half of the link each", 100000, 50000,  2,   2,   4  },
        {"a bit more than half",  100000, 60000,  2,   2,   3  },
        {"never enough",          900000, 1000,   MAX, MAX, MAX},
        {"stands still",          0,      0,      1,   1,   2  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        struct pace pace;
        unsigned count = 1, peak = 1;

        test_row(i, "%s", links[i].what);
        pace_init(&pace, MAX);
        for (int64_t now_ms = 1000; now_ms < 5000; now_ms += STEP_MS) {
            count = pace_add(&pace, STEP_MS * rate_of(&links[i], count), now_ms);
            peak = count > peak ? count : peak;
        }
        assert_in_range(count, links[i].least, links[i].most);
        assert_in_range(peak, links[i].least, links[i].peak);
    }
}

/* What did not help once is tried again, but less and less often. */
static void the_link_may_change(void **state)
{
    struct link link = {"", 100000, 100000, 0, 0, 0};
    struct pace pace;
    unsigned count = 1;

    (void)state;
    pace_init(&pace, MAX);
    for (int64_t now_ms = 1; now_ms < 30000; now_ms += STEP_MS) {
        if (now_ms > 3000)
            link.each = 25000;
        count = pace_add(&pace, STEP_MS * rate_of(&link, count), now_ms);
    }
    assert_int_equal(count, 4);
}

static void fewer_than_wanted_is_settled_for(void **state)
{
    struct link link = {"", 100000, 25000, 0, 0, 0};
    struct pace pace;
    unsigned count = 1;
    int64_t now_ms = 1;

    (void)state;
    pace_init(&pace, MAX);
    for (; count < 2; now_ms += STEP_MS)
        count = pace_add(&pace, STEP_MS * rate_of(&link, count), now_ms);
    pace_settle_for(&pace, 5, now_ms); /* more than that are no matter */
    assert_int_equal(pace_add(&pace, 1, now_ms), 2);
    pace_settle_for(&pace, 1, now_ms);
    for (int64_t end_ms = now_ms + 900; now_ms < end_ms; now_ms += STEP_MS)
        assert_int_equal(pace_add(&pace, STEP_MS * rate_of(&link, 1), now_ms), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_raise_the_rate),
        cmocka_unit_test(the_link_may_change),
        cmocka_unit_test(fewer_than_wanted_is_settled_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
