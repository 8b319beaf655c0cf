/* test_resolver.c: aliases, releases and documents over several repositories, some of
 * them dead. */
#include "tests/test.h"

#include "common/sync.h"
#include "resolver/resolver.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <string.h>

enum { THREADS = 8 };

static void alias_of_the_first_repository_wins(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct error err = {0};

    repositories_set_header(fixture->memory[2], "3e120e8d", "2.0.0");
    repositories_set_header(fixture->memory[2], LEGACY, "1.0.0");
    repositories_set_alias(fixture->memory[1], "small", "uid: 3e120e8d-2.0.0\n");
    repositories_set_alias(fixture->memory[2], "small", "uid: 00000000-1.0.0\n");
    repositories_set_alias(fixture->memory[0], "any", "uid: 3e120e8d\n");
    repositories_set_alias(fixture->memory[0], "old", "uid: " LEGACY "-1.0.0\n");
    repositories_assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 2);
    repositories_assert_resolves(fixture, "any", "3e120e8d", "2.0.0", 2);
    repositories_assert_resolves(fixture, "old", LEGACY, "1.0.0", 2);
    assert_int_equal(
        resolver_alias(fixture->resolver, "any", RESOLVE_KNOWN, &target, &err), 0);
    assert_string_equal(target.id, "3e120e8d");
    assert_string_equal(target.version, "");
}

static void alias_documents_that_make_no_sense(void **state)
{
    static const char *const texts[] = {
        "",
        "uid: [",
        "uid: 7\n",
        "id: 3e120e8d-1.0.0\n",
        "uid: other-alias\n",
        "uid: 3e120e8d-../../x\n",
        "- uid\n",
    };
    struct repositories *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct alias_target target;
        struct error err = {0};
        char alias[16];

        test_row(i, "%s", texts[i]);
        snprintf(alias, sizeof alias, "bad-%zu", i);
        repositories_set_alias(fixture->memory[0], alias, texts[i]);
        assert_int_equal(
            resolver_alias(fixture->resolver, alias, RESOLVE_FETCH, &target, &err),
            -EBADMSG);
        assert_non_null(strstr(err.message, alias));
    }
}

static void known_answers_ask_nobody(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct release release;
    struct error err = {0};
    uint64_t before;

    repositories_set_header(fixture->memory[1], "3e120e8d", "2.0.0");
    repositories_set_alias(fixture->memory[1], "small", "uid: 3e120e8d-2.0.0\n");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_KNOWN, &target, &err),
        -EINPROGRESS);
    assert_int_equal(
        resolver_resolve(fixture->resolver, "small", RESOLVE_STALE, &release, &err),
        -EINPROGRESS);
    assert_int_equal(repositories_requests(fixture), 0);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 1);
    before = repositories_requests(fixture);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 1);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_KNOWN, &target, &err), 0);
    assert_in_range(target.fresh.left_ms, HOUR_MS - 20000, HOUR_MS);
    assert_int_equal(repositories_requests(fixture), before);
}

static void without_ttl_each_question_is_asked_and_changes_are_seen(void **state)
{
    struct repositories *fixture = *state;
    struct release release;
    struct error err = {0};

    repositories_open(fixture, 0, 0);
    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-2.0.0\n");
    assert_int_equal(
        resolver_resolve(fixture->resolver, "small", RESOLVE_KNOWN, &release, &err),
        -EINPROGRESS);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 0);
    assert_int_equal(
        resolver_resolve(fixture->resolver, "small", RESOLVE_STALE, &release, &err), 0);
    assert_string_equal(release.version, "2.0.0");
}

static void dead_repository_leaves_the_last_known_state(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct names *names;
    struct error err = {0};

    repositories_open(fixture, 0, 0);
    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    repositories_assert_versions(fixture, "3e120e8d", "1.0.0:0*");
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    names_unref(names);
    for (size_t i = 0; i < REPOSITORIES; i++)
        repositories_die(fixture, i);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    repositories_assert_versions(fixture, "3e120e8d", "1.0.0:0*");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
    assert_int_equal(target.fresh.left_ms, 0);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 1);
    assert_false(names->is_partial);
    names_unref(names);
    assert_int_equal(repositories_resolve(fixture, "other", &err), -ETIMEDOUT);
    fault_backend_clear(fixture->fault[0]);
    fault_backend_clear(fixture->fault[1]);
    fault_backend_clear(fixture->fault[2]);
    assert_int_equal(repositories_resolve(fixture, "other", &err), -ENOENT);
}

static void dead_earlier_repository_hides_nothing_of_later_ones(void **state)
{
    struct repositories *fixture = *state;
    struct error err = {0};

    repositories_set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    repositories_set_alias(fixture->memory[1], "small", "uid: 3e120e8d-1.0.0\n");
    repositories_die(fixture, 0);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 1);
    repositories_assert_resolves(fixture, "3e120e8d-1.0.0", "3e120e8d", "1.0.0", 1);
    /* what no other has may be there */
    assert_int_equal(repositories_resolve(fixture, "tall", &err), -ETIMEDOUT);
    assert_int_equal(repositories_resolve(fixture, "3e120e8d-2.0.0", &err), -ETIMEDOUT);
    assert_non_null(strstr(err.message, "repository 'first'"));
    /* a newer version may be there */
    assert_int_equal(repositories_resolve(fixture, "3e120e8d", &err), -ETIMEDOUT);
    /* the failure is remembered: nobody waits for it again at once */
    fault_backend_clear(fixture->fault[0]);
    assert_int_equal(repositories_resolve(fixture, "tall", &err), -ETIMEDOUT);
    repositories_open(fixture, 0, 0);
    assert_int_equal(repositories_resolve(fixture, "tall", &err), -ENOENT);
}

static void documents_come_from_the_repository_of_the_release(void **state)
{
    struct repositories *fixture = *state;
    struct release release = {"3e120e8d", "1.0.0", 1};
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    bytes_init(&text, KIB);
    repositories_set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    memory_backend_set(fixture->memory[1], "_uid/3e120e8d/1.0.0/3e120e8d-1.0.0.meta.yaml",
                       "a: 1\n");
    assert_int_equal(resolver_get_meta(fixture->resolver, &release, &text, &err), 0);
    assert_string_equal(text.data, "a: 1\n");
    assert_int_equal(resolver_get_header(fixture->resolver, &release, &text, &err), 0);
    assert_non_null(strstr(text.data, "version: 1.0.0"));
    release.repository = 0;
    assert_int_equal(resolver_get_header(fixture->resolver, &release, &text, &err),
                     -ENOENT);
    assert_non_null(strstr(err.message, "repository 'first'"));
}

static void *resolve_in_thread(void *arg)
{
    struct repositories *fixture = arg;
    struct release release;
    struct error err = {0};

    return resolver_resolve(fixture->resolver, "small", RESOLVE_FETCH, &release, &err) ==
                   0
               ? arg
               : NULL;
}

static void those_who_ask_the_same_share_one_request(void **state)
{
    struct repositories *fixture = *state;
    pthread_t threads[THREADS];

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    fault_backend_block(fixture->fault[0], FAULT_ALL, NULL);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], "resolve", resolve_in_thread, fixture),
                         0);
    assert_true(fault_backend_wait_blocked(fixture->fault[0], 1));
    fault_backend_release(fixture->fault[0]);
    for (size_t i = 0; i < THREADS; i++) {
        void *result;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, fixture);
    }
    /* the alias and the header */
    assert_int_equal(repositories_requests(fixture), 2);
}

static void what_is_forgotten_is_asked_anew(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct release release;
    struct freshness fresh;
    struct names *names;
    struct error err = {0};

    assert_int_equal(resolver_release(fixture->resolver, "3e120e8d", "1.0.0",
                                      RESOLVE_FETCH, &release, &fresh, &err),
                     -ENOENT);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err),
        -ENOENT);
    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err),
        -ENOENT);
    resolver_forget_model(fixture->resolver, "3e120e8d", "1.0.0");
    resolver_forget_alias(fixture->resolver, "small");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_STALE, &target, &err),
        -EINPROGRESS);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_ALIASES, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 1);
    names_unref(names);

    resolver_forget_alias(fixture->resolver, "small"); /* a failure leaves the answer */
    for (size_t i = 0; i < REPOSITORIES; i++)
        repositories_die(fixture, i);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
    assert_int_equal(target.fresh.left_ms, 0);
}

static void *ask_alias_in_thread(void *arg)
{
    struct repositories *fixture = arg;
    struct alias_target target;
    struct error err = {0};

    return resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err) ==
                   -ENOENT
               ? arg
               : NULL;
}

static void a_request_under_way_counts_as_made_before(void **state)
{
    struct repositories *fixture = *state;
    struct alias_target target;
    struct error err = {0};
    pthread_t thread;
    void *result;

    fault_backend_block(fixture->fault[REPOSITORIES - 1], FAULT_ALL, NULL);
    assert_int_equal(thread_start(&thread, "resolve", ask_alias_in_thread, fixture), 0);
    assert_true(fault_backend_wait_blocked(fixture->fault[REPOSITORIES - 1], 1));
    resolver_forget_alias(fixture->resolver, "small");
    fault_backend_release(fixture->fault[REPOSITORIES - 1]);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, fixture);
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, repositories_set_up, repositories_tear_down)
        TEST(alias_of_the_first_repository_wins),
        TEST(alias_documents_that_make_no_sense),
        TEST(known_answers_ask_nobody),
        TEST(without_ttl_each_question_is_asked_and_changes_are_seen),
        TEST(dead_repository_leaves_the_last_known_state),
        TEST(dead_earlier_repository_hides_nothing_of_later_ones),
        TEST(documents_come_from_the_repository_of_the_release),
        TEST(those_who_ask_the_same_share_one_request),
        TEST(what_is_forgotten_is_asked_anew),
        TEST(a_request_under_way_counts_as_made_before),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
