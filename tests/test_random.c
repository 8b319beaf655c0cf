/* test_random.c: names that do not meet. */
#include "tests/test.h"

#include "common/random.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES = 1000 };

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void names_do_not_meet(void **state)
{
    static char names[NAMES][RANDOM_NAME_SIZE];
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        assert_int_equal(random_name(names[i], &err), 0);
        assert_int_equal(strlen(names[i]), RANDOM_NAME_SIZE - 1);
        assert_int_equal(strspn(names[i], "0123456789abcdef"), RANDOM_NAME_SIZE - 1);
    }
    qsort(names, NAMES, sizeof *names, compare);
    for (size_t i = 1; i < NAMES; i++)
        assert_string_not_equal(names[i - 1], names[i]);
}

static void bytes_fill_all(void **state)
{
    unsigned char bytes[64] = {0}, before[64];
    struct error err = {0};

    (void)state;
    assert_int_equal(random_bytes(bytes, 32, &err), 0);
    memset(before, 0, sizeof before);
    assert_memory_not_equal(bytes, before, 32);
    assert_memory_equal(bytes + 32, before, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_do_not_meet),
        cmocka_unit_test(bytes_fill_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
