/* test_entries.c: answers in memory: found by key, forgotten, and dropped when unused. */
#include "tests/test.h"

#include "resolver/entries.h"

#include <string.h>

static const struct catalog_kind kind = {.name = "kind"}, other = {.name = "other"},
                                 kept = {.name = "kept", .is_kept = true};

enum { REPOSITORIES = 3 };

static void make_all(struct entries *entries, size_t memory_max)
{
    struct error err = {0};

    assert_int_equal(entries_init(entries, memory_max, &err), 0);
    for (unsigned i = 0; i < REPOSITORIES; i++) {
        entries_make(entries, i, &kind, "a");
        entries_make(entries, i, &kind, "b");
        entries_make(entries, i, &other, "a");
    }
}

static uint64_t changes(struct entries *entries, unsigned repository,
                        const struct catalog_kind *of, const char *key)
{
    return entries_find(entries, repository, of, key)->changes;
}

static void each_is_itself(void **state)
{
    struct entries entries;

    (void)state;
    make_all(&entries, SIZE_MAX);
    for (unsigned i = 0; i < REPOSITORIES; i++) {
        struct entry *found = entries_find(&entries, i, &kind, "a");

        assert_non_null(found);
        assert_ptr_equal(found, entries_make(&entries, i, &kind, "a"));
        assert_ptr_not_equal(found, entries_find(&entries, i, &other, "a"));
        assert_int_equal(found->repository, i);
        assert_null(entries_find(&entries, i, &kind, "c"));
    }
    entries_done(&entries);
}

static void a_key_is_forgotten_everywhere(void **state)
{
    struct entries entries;

    (void)state;
    make_all(&entries, SIZE_MAX);
    entries_forget(&entries, &kind, "a");
    entries_forget(&entries, &kind, "unknown");
    for (unsigned i = 0; i < REPOSITORIES; i++) {
        assert_int_equal(changes(&entries, i, &kind, "a"), 1);
        assert_int_equal(changes(&entries, i, &kind, "b"), 0);
        assert_int_equal(changes(&entries, i, &other, "a"), 0);
    }
    entries_forget(&entries, &kind, NULL);
    for (unsigned i = 0; i < REPOSITORIES; i++) {
        assert_int_equal(changes(&entries, i, &kind, "a"), 2);
        assert_int_equal(changes(&entries, i, &kind, "b"), 1);
        assert_int_equal(changes(&entries, i, &other, "a"), 0);
    }
    entries_done(&entries);
}

/* The least recently used goes first; what is held or kept stays. */
static void what_is_too_much_goes(void **state)
{
    struct entries entries;
    struct entry *made;
    struct error err = {0};

    (void)state;
    assert_int_equal(entries_init(&entries, SIZE_MAX, &err), 0);
    made = entries_make(&entries, 0, &kept, "kept");
    entries_settle(&entries, made);
    entries_make(&entries, 0, &kind, "held")->users = 1;
    for (const char *key = "held\0old\0used\0"; *key; key += strlen(key) + 1)
        entries_settle(&entries, entries_make(&entries, 0, &kind, key));
    assert_non_null(entries_find(&entries, 0, &kind, "used"));
    entries.memory_max = entries.memory - 1;
    entries_settle(&entries, entries_find(&entries, 0, &kind, "used"));
    assert_null(entries_find(&entries, 0, &kind, "old"));
    assert_non_null(entries_find(&entries, 0, &kind, "held"));
    assert_non_null(entries_find(&entries, 0, &kind, "used"));
    entries.memory_max = 0;
    entries_settle(&entries, entries_find(&entries, 0, &kind, "used"));
    assert_null(entries_find(&entries, 0, &kind, "used"));
    assert_non_null(entries_find(&entries, 0, &kind, "held"));
    assert_non_null(entries_find(&entries, 0, &kept, "kept"));
    entries_done(&entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_itself),
        cmocka_unit_test(a_key_is_forgotten_everywhere),
        cmocka_unit_test(what_is_too_much_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
