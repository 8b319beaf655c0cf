/* test.h: what every test file includes first.
 *
 *     for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
 *         test_row(i, "%s", cases[i].text);
 *         assert_int_equal(parse(cases[i].text), cases[i].rc);
 *     }
 *
 * cmocka wants these headers in front of its own, in this order. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>

/* cmocka's macro of that name would hide common/error.h's fail; tests call fail_msg. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                    \
    do {                                                                                 \
        print_error("ERROR: " __VA_ARGS__);                                              \
        print_error("\n");                                                               \
        _fail(__FILE__, __LINE__);                                                       \
    } while (0)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Name the row of a table before it runs, or its failure names no case. */
__attribute__((format(printf, 2, 3))) static inline void test_row(size_t row,
                                                                  const char *format, ...)
{
    va_list arguments;

    printf("    row %zu: ", row);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

#endif
