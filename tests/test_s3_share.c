/* test_s3_share.c: how the names of a long listing are divided. */
#include "tests/test.h"

#include "backends/s3_share.h"

#include <stdint.h>
#include <stdio.h>

static void a_first_page_tells_how_many_shares_are_worth_it(void **state)
{
    static const struct {
        const char *last;
        unsigned shares;
    } cases[] = {
        {"0290ab12/",                             8}, /* 100 pages */
        {"1000/",                                 4}, /* 15 more */
        {"2488ffff/",                             2},
        {"2493ffff/",                             0}, /* 6 more */
        {"fffff/",                                0},
        {"00000000/",                             8},
        {"0290ab12-2ca8-d9ca-d813-d03a874beac0/", 8},
        {"emotion-small/",                        0},
        {"029/",                                  0},
        {"029A0000/",                             0},
        {"",                                      0},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct s3_share shares[S3_SHARE_MAX];

        test_row(i, "%s", cases[i].last);
        assert_int_equal(s3_share_split(cases[i].last, shares), cases[i].shares);
    }
}

/* How many of the shares have it. */
static unsigned count_with(const struct s3_share *shares, unsigned count,
                           const char *name)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++)
        found +=
            !s3_share_is_before(&shares[i], name) && !s3_share_is_past(&shares[i], name);
    return found;
}

static void each_name_is_in_one_share(void **state)
{
    static const char *const others[] = {"-", "1",     "9~", ":",   "a",       "a/",
                                         "f", "ffff0", "g",  "zz/", "\xc3\xbc"};
    struct s3_share shares[S3_SHARE_MAX];
    unsigned count = s3_share_split("0290ab12/", shares);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        test_row(i, "%s", others[i]);
        assert_int_equal(count_with(shares, count, others[i]), 1);
    }
    for (uint32_t i = 0; i < 0x10000; i++) {
        char name[16];

        snprintf(name, sizeof name, "%04x", i);
        assert_int_equal(count_with(shares, count, name), 1);
        snprintf(name, sizeof name, "%04x0000/", i);
        assert_int_equal(count_with(shares, count, name), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_page_tells_how_many_shares_are_worth_it),
        cmocka_unit_test(each_name_is_in_one_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
