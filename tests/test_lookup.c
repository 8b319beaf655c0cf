/* test_lookup.c: look-ups, attributes and links as the kernel is told of them. */
#include "tests/test.h"

#include "fs/lookup.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <string.h>

enum { TTL_MS = 100000 };

static int look_up(struct fs_fixture *fixture, const char *folder, const char *name,
                   enum resolve_how how, struct answer *answer)
{
    struct call call = {.kind = CALL_LOOKUP, .node_id = fs_fixture_node(fixture, folder)};
    struct place place = fs_fixture_place(fixture, folder);
    struct error err = {0};

    snprintf(call.name, sizeof call.name, "%s", name);
    answer_init(answer);
    return lookup_entry(&fixture->fs, &call, &place, how, answer, &err);
}

static void how_long_the_kernel_keeps_names(void **state)
{
    static const struct {
        const char *folder, *name;
        bool exists, is_for_ever;
    } cases[] = {
        {"",                     "@info",          true,  true },
        {"",                     "3e120e8d",       true,  false},
        {"",                     "small",          true,  false},
        {"",                     "3e120e8d-1.0.0", true,  true },
        {"",                     "unknown",        false, false},
        {"3e120e8d",             "1.0.0",          true,  true },
        {"3e120e8d",             "latest",         true,  false},
        {"3e120e8d",             "9.0.0",          false, false},
        {"small",                "current",        true,  false},
        {"3e120e8d/1.0.0",       "model.yaml",     true,  true },
        {"3e120e8d/1.0.0",       "unknown",        false, true },
        {"3e120e8d/1.0.0/log",   "unknown",        false, true },
        {"@info/3e120e8d/1.0.0", "uid",            true,  true },
        {"@info/3e120e8d/1.0.0", "unknown",        false, true },
        {"@tree",                "emotion",        true,  false},
        {"@tree",                "unknown",        false, false},
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){.ttl_ms = TTL_MS});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWER struct answer answer;
        double timeout_s;

        test_row(i, "'%s' in '%s'", cases[i].name, cases[i].folder);
        assert_int_equal(
            look_up(&fixture, cases[i].folder, cases[i].name, RESOLVE_FETCH, &answer), 0);
        assert_int_equal(answer.kind, ANSWER_ENTRY);
        assert_int_equal(answer.entry.ino != 0, cases[i].exists);
        timeout_s = answer.entry.entry_timeout;
        if (cases[i].is_for_ever)
            assert_true(timeout_s == FS_FOREVER_S);
        else
            assert_true(timeout_s > 0 && timeout_s <= TTL_MS / 1000);
    }
    fs_fixture_close(&fixture);
}

static void failures_are_no_missing_names(void **state)
{
    static const struct {
        enum resolve_how how;
        int rc;
    } cases[] = {
        {RESOLVE_KNOWN, -EINPROGRESS},
        {RESOLVE_STALE, -EINPROGRESS},
        {RESOLVE_FETCH, -ETIMEDOUT  },
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fault_backend_fail(fixture.cache.fault, FAULT_ALL, NULL, ETIMEDOUT, FAULT_ALWAYS);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWER struct answer answer;

        test_row(i, "%d", cases[i].how);
        assert_int_equal(look_up(&fixture, "", "small", cases[i].how, &answer),
                         cases[i].rc);
        assert_int_equal(answer.kind, ANSWER_NONE);
    }
    fs_fixture_close(&fixture);
}

static void attributes_are_those_of_the_look_up(void **state)
{
    static const struct {
        const char *folder, *name;
    } cases[] = {
        {"",               "small"     },
        {"3e120e8d",       "1.0.0"     },
        {"3e120e8d/1.0.0", "model.yaml"},
        {"3e120e8d/1.0.0", "big.bin"   },
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWER struct answer found, answer;
        struct error err = {0};
        struct place place;

        test_row(i, "'%s' in '%s'", cases[i].name, cases[i].folder);
        answer_init(&answer);
        assert_int_equal(
            look_up(&fixture, cases[i].folder, cases[i].name, RESOLVE_FETCH, &found), 0);
        assert_int_equal(place_of(fixture.fs.slots, found.entry.ino, &place, &err), 0);
        assert_int_equal(
            lookup_attributes(&fixture.fs, NULL, &place, RESOLVE_KNOWN, &answer, &err),
            0);
        assert_int_equal(answer.kind, ANSWER_ATTR);
        assert_memory_equal(&answer.entry.attr, &found.entry.attr, sizeof(struct stat));
    }
    fs_fixture_close(&fixture);
}

static void links_are_read_without_asking(void **state)
{
    static const struct {
        const char *path;
        int rc;
        const char *target;
    } cases[] = {
        {"small/current", 0,       "../3e120e8d/1.0.0"},
        {"small",         -EINVAL, NULL               },
        {"@status",       -EINVAL, NULL               },
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = fs_fixture_place(&fixture, cases[i].path);
        CLEANUP_ANSWER struct answer answer;
        struct error err = {0};

        test_row(i, "%s", cases[i].path);
        answer_init(&answer);
        resolver_forget_alias(fixture.fs.resolver, "small");
        assert_int_equal(
            lookup_link(&fixture.fs, NULL, &place, RESOLVE_KNOWN, &answer, &err),
            cases[i].rc);
        if (cases[i].target) {
            assert_int_equal(answer.kind, ANSWER_TEXT);
            assert_string_equal(answer.bytes.data, cases[i].target);
        }
    }
    fs_fixture_close(&fixture);
}

/* A moved link is a new inode: the kernel would keep the old one's target for good. */
static void a_moved_alias_is_a_new_node(void **state)
{
    CLEANUP_ANSWER struct answer before, after;
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    assert_int_equal(look_up(&fixture, "small", "current", RESOLVE_FETCH, &before), 0);
    memory_backend_set(fixture.cache.memory, "_alias/small/1.0.0/small-1.0.0.alias.yaml",
                       "uid: 3e120e8d-2.0.0\n");
    resolver_forget_alias(fixture.fs.resolver, "small");
    assert_int_equal(look_up(&fixture, "small", "current", RESOLVE_FETCH, &after), 0);
    assert_int_not_equal(before.entry.ino, after.entry.ino);
    assert_int_not_equal(before.entry.attr.st_ino, after.entry.attr.st_ino);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_long_the_kernel_keeps_names),
        cmocka_unit_test(failures_are_no_missing_names),
        cmocka_unit_test(attributes_are_those_of_the_look_up),
        cmocka_unit_test(links_are_read_without_asking),
        cmocka_unit_test(a_moved_alias_is_a_new_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
