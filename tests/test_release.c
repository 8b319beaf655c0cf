/* test_release.c: when two releases are the same one. */
#include "tests/test.h"

#include "resolver/release.h"

static void same_and_other(void **state)
{
    static const struct release one = {"3e120e8d", "1.0.0", 0};
    static const struct {
        struct release other;
        bool is_version, is_same;
    } cases[] = {
        {{"3e120e8d", "1.0.0", 0},  true,  true },
        {{"3e120e8d", "1.0.0", 1},  true,  false},
        {{"3e120e8d", "1.0.00", 0}, false, false},
        {{"3e120e8e", "1.0.0", 0},  false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct release *other = &cases[i].other;

        test_row(i, "%s-%s in %u", other->id, other->version, other->repository);
        assert_int_equal(release_is_version(&one, other->id, other->version),
                         cases[i].is_version);
        assert_int_equal(release_is_same(&one, other), cases[i].is_same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_and_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
