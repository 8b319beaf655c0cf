/* test_printable.c: what counts as printable; values are str.isprintable's of Python 3.11
 * (Unicode 14.0.0). */
#include "tests/test.h"

#include "resolver/printable.h"

static void borders(void **state)
{
    static const struct {
        uint32_t character;
        bool is_printable;
    } cases[] = {
        {0x0,        false},
        {0x1f,       false},
        {0x20,       true }, /* the blank, alone of the
  separators */
        {0x7e,       true },
        {0x7f,       false},
        {0xa0,       false}, /* no-break space */
        {0xa1,       true },
        {0xad,       false}, /* soft hyphen */
        {0x377,      true },
        {0x378,      false}, /* unassigned */
        {0x2028,     false},
        {0x3000,     false},
        {0x4e2d,     true },
        {0xd800,     false},
        {0xe000,     false}, /* private use */
        {0xfeff,     false},
        {0xfffd,     true },
        {0xffff,     false},
        {0x1f600,    true },
        {0x1fae8,    false}, /* assigned in Unicode 15 */
        {0xe0100,    true }, /* variation selectors are marks */
        {0xe01ef,    true },
        {0xe01f0,    false},
        {0x10ffff,   false},
        {0x110000,   false},
        {UINT32_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "U+%04X", cases[i].character);
        assert_int_equal(printable_is(cases[i].character), cases[i].is_printable);
    }
}

/* sum(chr(c).isprintable() for c in range(0x110000)), and the same weighted by c. */
static void the_whole_table(void **state)
{
    uint64_t count = 0, sum = 0;

    (void)state;
    for (uint32_t character = 0; character < 0x110000; character++) {
        if (printable_is(character)) {
            count++;
            sum += character;
        }
    }
    assert_int_equal(count, 144516);
    assert_int_equal(sum, 14867683184);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(borders),
        cmocka_unit_test(the_whole_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
