/* test_spare.c: memory is taken up to a limit, and can be taken again. */
#include "tests/test.h"

#include "cache/internal.h"
#include "cache/spare.h"

static void no_more_than_there_is(void **state)
{
    static const uint64_t mib = 1 << 20;
    struct cache cache = {0};

    (void)state;
    assert_false(spare_take(&cache, 25 * mib));
    assert_false(spare_take(&cache, UINT64_MAX));
    assert_true(spare_take(&cache, 20 * mib));
    assert_false(spare_take(&cache, 5 * mib));
    assert_true(spare_take(&cache, 4 * mib));
    assert_false(spare_take(&cache, 1));
    spare_give(&cache, 20 * mib);
    assert_true(spare_take(&cache, 20 * mib));
    assert_true(spare_take(&cache, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
