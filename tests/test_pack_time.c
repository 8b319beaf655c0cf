/* test_pack_time.c: Unix times as zip archives write them. */
#include "tests/test.h"

#include "publish/pack_time.h"

#define DATE(year, month, day) ((year - 1980) << 9 | (month) << 5 | (day))
#define TIME(hour, minute, second) ((hour) << 11 | (minute) << 5 | (second) / 2)

/* Unix times by `date -u +%s`. */
static void times_are_rounded_down_and_clamped(void **state)
{
    static const struct {
        int64_t unix_s;
        bool is_exact;
        int date, time;
    } cases[] = {
        {315532800,  true,  DATE(1980, 1,  1),  TIME(0,  0,  0) },
        {315532799,  false, DATE(1980, 1,  1),  TIME(0,  0,  0) },
        {0,          false, DATE(1980, 1,  1),  TIME(0,  0,  0) },
        {-1,         false, DATE(1980, 1,  1),  TIME(0,  0,  0) },
        {INT64_MIN,  false, DATE(1980, 1,  1),  TIME(0,  0,  0) },
        {951782399,  true,  DATE(2000, 2,  28), TIME(23, 59, 58)},
        {951782400,  true,  DATE(2000, 2,  29), TIME(0,  0,  0) },
        {1234567890, true,  DATE(2009, 2,  13), TIME(23, 31, 30)},
        {1234567891, true,  DATE(2009, 2,  13), TIME(23, 31, 30)},
        {4354819199, true,  DATE(2107, 12, 31), TIME(23, 59, 58)},
        {4354819200, false, DATE(2107, 12, 31), TIME(23, 59, 58)},
        {INT64_MAX,  false, DATE(2107, 12, 31), TIME(23, 59, 58)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pack_time time;

        test_row(i, "%lld", (long long)cases[i].unix_s);
        assert_int_equal(pack_time_from_unix(cases[i].unix_s, &time), cases[i].is_exact);
        assert_int_equal(time.date, cases[i].date);
        assert_int_equal(time.time, cases[i].time);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_rounded_down_and_clamped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
