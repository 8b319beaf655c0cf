/* test_listing.c: names sorted, each once, in little memory. */
#include "tests/test.h"

#include "resolver/listing.h"
#include "resolver/version.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 200000 };

static struct listing *build(const char *names, listing_compare *compare)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    CLEANUP_FREE char *copy = strdup(names);
    struct listing *listing = NULL;
    struct error err = {0};
    char *rest = copy, *name;

    listing_builder_init(&builder);
    while ((name = strsep(&rest, " ")))
        if (*name)
            assert_int_equal(listing_add(&builder, name, &err), 0);
    assert_int_equal(listing_finish(&builder, compare, &listing, &err), 0);
    assert_int_equal(builder.count, 0);
    return listing;
}

static void names_are_sorted_and_each_once(void **state)
{
    static const struct {
        const char *names;
        listing_compare *compare;
        const char *expected;
    } cases[] = {
        {"",                   strcmp,          ""                  },
        {"a",                  strcmp,          "a"                 },
        {"b a",                strcmp,          "a b"               },
        {"b a b a a",          strcmp,          "a b"               },
        {"b a b",              NULL,            "b a b"             },
        {"a B _ - 0",          strcmp,          "- 0 B _ a"         },
        {"10.0.0 9.0.0 1.0.0", strcmp,          "1.0.0 10.0.0 9.0.0"},
        {"10.0.0 9.0.0 1.0.0", version_compare, "1.0.0 9.0.0 10.0.0"},
        {"2.0.0 1.0.0 2.0.0",  version_compare, "1.0.0 2.0.0"       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_LISTING struct listing *listing = build(cases[i].names, cases[i].compare);
        char text[256] = "";
        size_t used = 0;

        test_row(i, "%s", cases[i].names);
        for (size_t j = 0; j < listing->count; j++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                     j ? " " : "", listing->names[j]);
        assert_string_equal(text, cases[i].expected);
    }
}

static void has_finds_what_is_there(void **state)
{
    static const struct {
        const char *name;
        bool expected;
    } cases[] = {
        {"a", true },
        {"c", true },
        {"e", true },
        {"",  false},
        {"b", false},
        {"f", false},
    };
    CLEANUP_LISTING struct listing *listing = build("e c a", strcmp);
    CLEANUP_LISTING struct listing *none = build("", strcmp);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].name);
        assert_int_equal(listing_has(listing, strcmp, cases[i].name), cases[i].expected);
        assert_false(listing_has(none, strcmp, cases[i].name));
    }
}

static void many_names_take_little_memory(void **state)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    CLEANUP_LISTING struct listing *listing = NULL;
    struct error err = {0};

    (void)state;
    listing_builder_init(&builder);
    for (unsigned i = 0; i < MANY; i++) {
        char name[32];

        snprintf(name, sizeof name, "alias-%09u", i * 7919 % MANY);
        assert_int_equal(listing_add(&builder, name, &err), 0);
    }
    assert_int_equal(listing_finish(&builder, strcmp, &listing, &err), 0);
    assert_int_equal(listing->count, MANY);
    assert_string_equal(listing->names[0], "alias-000000000");
    assert_string_equal(listing->names[MANY - 1], "alias-000199999");
    assert_in_range(listing->memory_bytes, MANY * 24, MANY * 25); /* 16 and a pointer */
}

static void the_last_reference_frees(void **state)
{
    struct listing *listing = build("a", strcmp);

    (void)state;
    assert_ptr_equal(listing_ref(listing), listing);
    listing_unref(listing);
    assert_string_equal(listing->names[0], "a");
    listing_unref(listing); /* the sanitizer tells of a leak */
    listing_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_and_each_once),
        cmocka_unit_test(has_finds_what_is_there),
        cmocka_unit_test(many_names_take_little_memory),
        cmocka_unit_test(the_last_reference_frees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
