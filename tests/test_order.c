/* test_order.c: files are found in the order in which they lie in the archive. */
#include "tests/test.h"

#include "cache/order.h"
#include "cache/toc_build.h"
#include "tests/toc_find.h"

static void files_come_as_they_lie(void **state)
{
    static const struct {
        const char *name;
        const char *paths[6]; /* in the archive; folders end with "/" */
        const char *order[5]; /* of the files alone */
    } cases[] = {
        {"nothing",            {NULL},                        {NULL}                  },
        {"one",                {"a"},                         {"a"}                   },
        {"folders alone",      {"a/", "b/c/"},                {NULL}                  },
        {"by name",            {"a", "b", "c"},               {"a", "b", "c"}         },
        {"against the names",  {"c", "b", "a"},               {"c", "b", "a"}         },
        {"across folders",     {"z/a", "b", "a/z", "c"},      {"z/a", "b", "a/z", "c"}},
        {"folders in between", {"m", "a/", "k", "b/c/", "j"}, {"m", "k", "j"}         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
        struct toc *toc = NULL;
        struct order *order = NULL;
        struct error err = {0};
        uint32_t count = 0;

        test_row(i, "%s", cases[i].name);
        for (size_t j = 0; cases[i].paths[j]; j++) {
            const char *path = cases[i].paths[j];
            bool is_folder = path[strlen(path) - 1] == '/';
            struct toc_entry entry = {
                .kind = is_folder ? TOC_FOLDER : TOC_FILE,
                .archive_first = 100 * j,
                .archive_last = 100 * j + 99,
            };

            assert_int_equal(
                toc_build_add(build, path, strlen(path) - is_folder, &entry, &err), 0);
        }
        assert_int_equal(toc_build_finish(build, &toc, &err), 0);
        assert_int_equal(order_new(toc, &order, &err), 0);
        for (; cases[i].order[count]; count++) {
            uint32_t index;

            assert_int_equal(toc_find(toc, cases[i].order[count], &index), 0);
            assert_int_equal(order_at(order, count), index);
            assert_int_equal(order_find(order, index), count);
        }
        assert_int_equal(order_count(order), count);
        order_free(order);
        toc_free(toc);
    }
    order_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_as_they_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
