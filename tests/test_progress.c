/* test_progress.c: what a progress bar shows, at which width. */
#include "tests/test.h"

#include "cli/progress.h"

#include <string.h>

static const struct {
    struct progress_state state;
    size_t width;
    const char *line;
} cases[] = {
  /* Nothing is known of the rate yet. */
    {{"m", 0, 4096, 0, 0},                 47, "m  [......................]    0%  0 B of 4 KiB"     },
    {{"m", 2048, 4096, 2048, 1000},
     52,                                       "m  [#####.....]   50%  2 KiB of 4 KiB  2 KiB/s  0:01"},
 /* What was there before does not count for the rate, so the rest takes long. */
    {{"m", 2048, 4096, 16, 1000},
     50,                                       "m  [####.....]   50%  2 KiB of 4 KiB  16 B/s  2:08"  },
 /* No room for a bar, then none for the numbers. */
    {{"3e120e8d-1.0.0", 4096, 4096, 0, 0}, 40, "3e120e8d-1.0.0  100%  4 KiB of 4 KiB"                },
    {{"3e120e8d-1.0.0", 4096, 4096, 0, 0}, 20, "3e120e8d-1.0.0  100%"                                },
    {{"m", 0, 0, 0, 0},                    25, "m  100%  0 B of 0 B"                                 },
 /* More than was announced is all. */
    {{"m", 9000, 4096, 0, 0},              30, "m  100%  4 KiB of 4 KiB"                             },
};

static void a_line_shows_what_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char line[256];

        test_row(i, "%s", cases[i].line);
        progress_format(&cases[i].state, cases[i].width, line, sizeof line);
        assert_true(strlen(line) <= cases[i].width);
        assert_string_equal(line, cases[i].line);
    }
}

static void a_small_buffer_is_not_overrun(void **state)
{
    char line[8];

    (void)state;
    progress_format(&cases[0].state, 60, line, sizeof line);
    assert_int_equal(strlen(line), sizeof line - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_shows_what_fits),
        cmocka_unit_test(a_small_buffer_is_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
