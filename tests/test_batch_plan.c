/* test_batch_plan.c: which members come along with another one. */
#include "tests/test.h"

#include "tests/many.h"

/* By names, or by inode numbers as cp -r: archives have another order. */
static void who_reads_all_reads_in_any_order(void **state)
{
    static const struct {
        const char *what;
        int step; /* and FILES have no common factor */
    } rows[] = {
        {"mixed",     1237     },
        {"backwards", FILES - 1},
        {"leaps",     7        },
    };
    struct many *many = many_new();

    (void)state;
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
        struct counting_calls calls;
        struct place place;
        struct archive *archive = open_many(&place, PLACE_REMOTE, many);

        test_row(row, "%s", rows[row].what);
        counting_backend_reset(place.fixture.counting);
        for (int i = 0, index = 0; i < FILES; i++) {
            index = (index + rows[row].step) % FILES;
            assert_true(
                fixture_has(archive, many->names[index], many->noise + index, TEXT));
        }
        calls = counting_backend_calls(place.fixture.counting);
        printf("    %ju requests, %ju bytes\n", (uintmax_t)calls.object_read,
               (uintmax_t)calls.bytes_read);
        assert_in_range(calls.object_read, 1, 20);
        assert_in_range(calls.bytes_read, FILES * TEXT, 2 * FILES * TEXT);
        archive_unref(archive);
        place_close(&place);
    }
    many_free(many);
}

/* What lies before a file comes first; it is fetched alone when that does not end well.
 */
static void a_range_that_ends_before_the_lead_is_no_failure(void **state)
{
    struct many *many = many_new();
    struct place place;
    struct archive *archive = open_many(&place, PLACE_REMOTE, many);

    (void)state;
    assert_true(fixture_has(archive, many->names[1000], many->noise + 1000, TEXT));
    fault_backend_truncate(place.fixture.fault, ".zip", 5 * TEXT);
    assert_true(fixture_has(archive, many->names[999], many->noise + 999, TEXT));
    archive_unref(archive);
    place_close(&place);
    many_free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_reads_all_reads_in_any_order),
        cmocka_unit_test(a_range_that_ends_before_the_lead_is_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
