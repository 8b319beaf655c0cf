/* test_utf8.c: characters as the Unicode standard has them. */
#include "tests/test.h"

#include "common/utf8.h"

/* Borders of table 3-7 of the Unicode standard. */
static void borders(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        bool ok;
    } cases[] = {
        {"",                 0, true },
        {"plain",            5, true },
        {"\0",               1, true },
        {"\x7f",             1, true },
        {"\xc2\x80",         2, true },
        {"\xdf\xbf",         2, true },
        {"\xe0\xa0\x80",     3, true },
        {"\xed\x9f\xbf",     3, true },
        {"\xee\x80\x80",     3, true },
        {"\xef\xbf\xbf",     3, true },
        {"\xf0\x90\x80\x80", 4, true },
        {"\xf4\x8f\xbf\xbf", 4, true },
        {"\x80",             1, false},
        {"\xbf",             1, false},
        {"\xc0\x80",         2, false}, /* overlong */
        {"\xc1\xbf",         2, false},
        {"\xe0\x9f\xbf",     3, false},
        {"\xf0\x8f\xbf\xbf", 4, false},
        {"\xed\xa0\x80",     3, false}, /* surrogates */
        {"\xed\xbf\xbf",     3, false},
        {"\xf4\x90\x80\x80", 4, false}, /* past U+10FFFF */
        {"\xf5\x80\x80\x80", 4, false},
        {"\xff",             1, false},
        {"a\xc2",            2, false}, /* cut */
        {"\xe2\x82",         2, false},
        {"\xf0\x9f\x98",     3, false},
        {"\xc2x",            2, false},
        {"\xe2\x82x",        3, false},
        {"\xf0\x9f\x98x",    4, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%zu bytes", cases[i].size);
        assert_int_equal(utf8_is_valid(cases[i].text, cases[i].size), cases[i].ok);
    }
}

/* What follows a character does not count. */
static void sizes(void **state)
{
    (void)state;
    assert_int_equal(utf8_size("ab", 2), 1);
    assert_int_equal(utf8_size("\xc3\xa4\xff", 3), 2);
    assert_int_equal(utf8_size("\xe2\x82\xac\x80", 4), 3);
    assert_int_equal(utf8_size("\xf0\x9f\x98\x80", 4), 4);
    assert_int_equal(utf8_size("\xf0\x9f\x98\x80", 3), 0);
    assert_int_equal(utf8_size("\x80", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(borders),
        cmocka_unit_test(sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
