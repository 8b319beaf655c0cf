/* test_offline.c: what goes on working when no repository can be asked, also after a
 * restart. */
#include "tests/test.h"

#include "resolver/health.h"
#include "resolver/resolver.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <string.h>

enum { PAUSE_MS = 1000 };

static void fill(struct repositories *fixture)
{
    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    repositories_set_header(fixture->memory[1], "deadf00d", "1.0.0");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[1], "other", "uid: deadf00d\n");
}

static size_t count_names(struct repositories *fixture, enum names_of of)
{
    struct names *names = NULL;
    struct error err = {0};
    size_t count;

    if (resolver_names(fixture->resolver, of, RESOLVE_FETCH, &names, &err) < 0)
        fail_msg("%s", err.message);
    count = names->count;
    assert_false(names->is_partial);
    names_unref(names);
    return count;
}

static void assert_all_is_known(struct repositories *fixture)
{
    struct freshness fresh;
    struct names *names;
    struct error err = {0};

    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    repositories_assert_resolves(fixture, "other", "deadf00d", "1.0.0", 1);
    repositories_assert_resolves(fixture, "3e120e8d", "3e120e8d", "2.0.0", 0);
    repositories_assert_resolves(fixture, "3e120e8d-2.0.0", "3e120e8d", "2.0.0", 0);
    repositories_assert_versions(fixture, "deadf00d", "1.0.0:1*");
    assert_int_equal(count_names(fixture, NAMES_OF_MODELS), 2);
    assert_int_equal(count_names(fixture, NAMES_OF_ALIASES), 2);
    assert_int_equal(
        resolver_has_model(fixture->resolver, "3e120e8d", RESOLVE_FETCH, &fresh, &err),
        0);
    assert_int_equal(
        resolver_has_alias(fixture->resolver, "small", RESOLVE_FETCH, &fresh, &err), 0);
    assert_int_equal(resolver_tree(fixture->resolver, "", RESOLVE_FETCH, &names, &err),
                     0);
    names_unref(names);
}

static void kill_all(struct repositories *fixture, int code)
{
    for (size_t i = 0; i < REPOSITORIES; i++)
        fault_backend_fail(fixture->fault[i], FAULT_ALL, NULL, code, FAULT_ALWAYS);
}

static void revive_all(struct repositories *fixture)
{
    for (size_t i = 0; i < REPOSITORIES; i++)
        fault_backend_clear(fixture->fault[i]);
}

static bool status_has(struct repositories *fixture, const char *text)
{
    CLEANUP_BYTES struct bytes status;
    struct error err = {0};

    bytes_init(&status, MIB);
    assert_int_equal(resolver_print_status(fixture->resolver, &status, &err), 0);
    return strstr(status.data, text) != NULL;
}

static void what_was_seen_is_known_after_a_restart(void **state)
{
    static const int codes[] = {ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, EACCES};
    struct repositories *fixture = *state;

    repositories_make_cache(fixture, NULL);
    fill(fixture);
    assert_all_is_known(fixture);
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        struct alias_target target;
        struct error err = {0};

        test_row(i, "%s", strerrorname_np(codes[i]));
        repositories_open(fixture, HOUR_MS, HOUR_MS); /* a refusal is remembered, too */
        kill_all(fixture, codes[i]);
        assert_all_is_known(fixture);
        assert_int_equal(
            resolver_alias(fixture->resolver, "small", RESOLVE_KNOWN, &target, &err), 0);
        assert_int_equal(target.fresh.left_ms, 0);
        assert_true(status_has(fixture, "state: stale"));
        /* what was never seen is not made up */
        assert_int_equal(repositories_resolve(fixture, "unheard", &err), -codes[i]);
        assert_int_equal(repositories_resolve(fixture, "deadbeef", &err), -codes[i]);
        assert_int_equal(repositories_resolve(fixture, "3e120e8d-9.0.0", &err),
                         -codes[i]);
        revive_all(fixture);
    }
}

static void what_was_seen_is_not_used_while_a_repository_answers(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct error err = {0};

    repositories_make_cache(fixture, NULL);
    fill(fixture);
    assert_all_is_known(fixture);
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-2.0.0\n");
    repositories_set_alias(fixture->memory[1], "other", NULL);
    repositories_open(fixture, HOUR_MS, PAUSE_MS);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 0);
    assert_int_equal(repositories_resolve(fixture, "other", &err), -ENOENT);
    assert_false(status_has(fixture, "state: stale"));
    /* and that is what is known from now on */
    repositories_open(fixture, HOUR_MS, PAUSE_MS);
    kill_all(fixture, ETIMEDOUT);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
    assert_string_equal(target.version, "2.0.0");
    assert_int_equal(repositories_resolve(fixture, "other", &err), -ETIMEDOUT);
}

static void without_an_answer_the_deadline_tells_what_was_seen(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct names *names;
    struct error err = {0};

    repositories_make_cache(fixture, NULL);
    fill(fixture);
    assert_all_is_known(fixture);
    repositories_open(fixture, HOUR_MS, PAUSE_MS);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_KNOWN, &target, &err),
        -EINPROGRESS);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_SAVED, &target, &err), 0);
    assert_string_equal(target.version, "1.0.0");
    assert_int_equal(target.fresh.left_ms, 0);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_SAVED, &names, &err),
        0);
    assert_int_equal(names->count, 2);
    names_unref(names);
    assert_int_equal(
        resolver_alias(fixture->resolver, "unheard", RESOLVE_SAVED, &target, &err),
        -EINPROGRESS);
}

static void it_is_as_before_when_repositories_are_back(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target = {.version = ""};
    struct error err = {0};

    repositories_make_cache(fixture, NULL);
    fill(fixture);
    assert_all_is_known(fixture);
    repositories_open(fixture, HOUR_MS, PAUSE_MS);
    kill_all(fixture, ECONNREFUSED);
    assert_all_is_known(fixture);
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-2.0.0\n");
    revive_all(fixture);
    while (strcmp(target.version, "2.0.0") != 0) /* as soon as somebody tried */
        assert_int_equal(
            resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
    assert_in_range(target.fresh.left_ms, 1, HOUR_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, repositories_set_up, repositories_tear_down)
        TEST(what_was_seen_is_known_after_a_restart),
        TEST(what_was_seen_is_not_used_while_a_repository_answers),
        TEST(without_an_answer_the_deadline_tells_what_was_seen),
        TEST(it_is_as_before_when_repositories_are_back),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
