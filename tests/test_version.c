/* test_version.c: the order of versions; lists are audmodel's own (golden data). */
#include "tests/test.h"

#include "resolver/version.h"

/* Each list is sorted; so every pair of it has an order to check. */
static const char *const audmodel_list[] = {
    "0.0.1",  "1.0.0",        "1.0.0-rc1",  "01.2.3",    "1.9.0",
    "1.10.0", "2.0.0-1-gabc", "3.0.0",      "3.0.0-RC1", "9.0.0",
    "10.0.0", "11.0.0-rc.1",  "2024.01.15", NULL,
};

/* What audmodel raises an error for: numbers before texts, then bytes. */
static const char *const total_list[] = {
    "",
    "0",
    "00",
    "1",
    "1.",
    "1.0",
    "01.0.0",
    "1.0.0",
    "1.0.0-1-gabc",
    "1.0.0-rc1",
    "1.0.0a",
    "1.0.0a1",
    "1.0.0b",
    "1.234",
    "3",
    "4.0.0.1",
    "18446744073709551615.0",
    "18446744073709551616.0",
    "99999999999999999999999999999999999999.0",
    "100000000000000000000000000000000000000.0",
    "_",
    "rc1",
    NULL,
};

static const char *const *const lists[] = {audmodel_list, total_list};

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void every_pair_has_its_order(void **state)
{
    (void)state;
    for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
        for (size_t i = 0; lists[list][i]; i++) {
            for (size_t j = 0; lists[list][j]; j++) {
                int expected = (i > j) - (i < j);
                int order = version_compare(lists[list][i], lists[list][j]);

                if (sign(order) != expected)
                    fail_msg("'%s' and '%s': %d", lists[list][i], lists[list][j], order);
            }
        }
    }
}

static void equal_values_are_told_apart_by_bytes(void **state)
{
    static const char *const cases[][2] = {
        {"01.0.0", "1.0.0" },
        {"1.0.0",  "v1.0.0"},
        {"1.0.0",  "1.00.0"},
        {"1..0",   "1.0"   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s %s", cases[i][0], cases[i][1]);
        assert_true(version_compare(cases[i][0], cases[i][1]) < 0);
        assert_true(version_compare(cases[i][1], cases[i][0]) > 0);
    }
    assert_int_equal(version_compare("v1.0.0", "v1.0.0"), 0);
}

static void only_one_leading_v_is_ignored(void **state)
{
    (void)state;
    assert_true(version_compare("v1.0.0", "2.0.0") < 0);
    assert_true(version_compare("v2.0.0", "1.0.0") > 0);
    assert_true(version_compare("vv1.0.0", "2.0.0") > 0); /* a text after numbers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_has_its_order),
        cmocka_unit_test(equal_values_are_told_apart_by_bytes),
        cmocka_unit_test(only_one_leading_v_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
