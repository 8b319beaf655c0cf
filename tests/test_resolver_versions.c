/* test_resolver_versions.c: the versions of a model, and which of them an ID means. */
#include "tests/test.h"

#include "resolver/resolver.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <string.h>

static void versions_of_all_repositories_one_after_the_other(void **state)
{
    struct repositories *fixture = *state;

    repositories_set_header(fixture->memory[0], "3e120e8d", "10.0.0");
    repositories_set_header(fixture->memory[0], "3e120e8d", "9.0.0");
    repositories_set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    repositories_set_header(fixture->memory[1], "3e120e8d", "9.0.0");
    repositories_assert_versions(fixture, "3e120e8d",
                                 "9.0.0:0 10.0.0:0 1.0.0:1 9.0.0:1~*");
    repositories_assert_resolves(fixture, "3e120e8d", "3e120e8d", "9.0.0", 0);
    repositories_assert_resolves(fixture, "3e120e8d-1.0.0", "3e120e8d", "1.0.0", 1);
}

static void latest_is_the_last_that_audmodel_accepts(void **state)
{
    struct repositories *fixture = *state;

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    repositories_set_header(fixture->memory[0], "3e120e8d", "v3.0.0");
    repositories_set_header(fixture->memory[1], "00000001", "v1.0.0");
    repositories_set_header(fixture->memory[1], "00000001", "v2.0.0");
    repositories_assert_versions(fixture, "3e120e8d", "1.0.0:0 2.0.0:0* v3.0.0:0");
    repositories_assert_versions(fixture, "00000001", "v1.0.0:1 v2.0.0:1*");
    repositories_assert_resolves(fixture, "3e120e8d-v3.0.0", "3e120e8d", "v3.0.0", 0);
}

static void folder_without_header_is_no_version(void **state)
{
    struct repositories *fixture = *state;
    struct version_list *list;
    struct error err = {0};

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    memory_backend_set(fixture->memory[0], "_uid/3e120e8d/2.0.0/3e120e8d-2.0.0.meta.yaml",
                       "{}\n");
    memory_backend_set(fixture->memory[0], "_uid/00000002/1.0.0/00000002-1.0.0.meta.yaml",
                       "{}\n");
    repositories_assert_versions(fixture, "3e120e8d", "1.0.0:0*");
    assert_int_equal(
        resolver_versions(fixture->resolver, "00000002", RESOLVE_FETCH, &list, &err),
        -ENOENT);
    assert_int_equal(repositories_resolve(fixture, "3e120e8d-2.0.0", &err), -ENOENT);
}

static void legacy_id_has_one_version(void **state)
{
    struct repositories *fixture = *state;

    repositories_set_header(fixture->memory[2], LEGACY, "1.0.0");
    repositories_set_header(fixture->memory[1], LEGACY, "3.0.0");
    repositories_set_header(fixture->memory[1], LEGACY, "2.0.0");
    repositories_assert_versions(fixture, LEGACY, "2.0.0:1*");
    repositories_assert_resolves(fixture, LEGACY, LEGACY, "2.0.0", 1);
    repositories_assert_resolves(fixture, LEGACY "-1.0.0", LEGACY, "1.0.0", 2);
}

static void legacy_version_is_taken_from_the_cache_folder_first(void **state)
{
    struct repositories *fixture = *state;

    repositories_make_cache(fixture, "1.0.0");
    repositories_set_header(fixture->memory[1], LEGACY, "2.0.0");
    /* the header is not there (any more): the repositories know better */
    repositories_assert_versions(fixture, LEGACY, "2.0.0:1*");
    repositories_set_header(fixture->memory[2], LEGACY, "1.0.0");
    repositories_assert_versions(fixture, LEGACY, "1.0.0:2*");
}

static void legacy_id_is_found_offline(void **state)
{
    struct repositories *fixture = *state;

    repositories_make_cache(fixture, "1.0.0");
    for (size_t i = 0; i < REPOSITORIES; i++)
        repositories_die(fixture, i);
    repositories_assert_versions(fixture, LEGACY, "1.0.0:0*");
    repositories_assert_resolves(fixture, LEGACY, LEGACY, "1.0.0", 0);
}

static void dead_later_repository_hides_nothing_of_earlier_ones(void **state)
{
    struct repositories *fixture = *state;
    struct version_list *list = NULL;
    struct error err = {0};

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    repositories_die(fixture, 1);
    repositories_assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    repositories_assert_resolves(fixture, "3e120e8d-1.0.0", "3e120e8d", "1.0.0", 0);
    assert_int_equal(
        resolver_versions(fixture->resolver, "3e120e8d", RESOLVE_FETCH, &list, &err), 0);
    assert_int_equal(list->count, 1);
    assert_true(list->is_partial);
    assert_int_equal(list->fresh.left_ms, 0);
    version_list_unref(list);
    /* which version is the latest cannot be told, though */
    assert_int_equal(repositories_resolve(fixture, "3e120e8d", &err), -ETIMEDOUT);
    assert_non_null(strstr(err.message, "second"));
}

static void unknown_uids_are_told_apart(void **state)
{
    static const struct {
        const char *uid, *sentence;
    } cases[] = {
        {"00000000",       "no model '00000000'"                             },
        {"00000000-1.0.0", "no model '00000000-1.0.0'"                       },
        {"no-such-alias",  "no model or alias 'no-such-alias'"               },
        {LEGACY,           "no model '" LEGACY "'"                           },
        {LEGACY "-1.0.0",  "no model '" LEGACY "-1.0.0'"                     },
        {"3e120e8d-v1",    "no model '3e120e8d-v1'"                          },
        {"",               "'' is neither the ID of a model nor an alias"    },
        {"../x",           "'../x' is neither the ID of a model nor an alias"},
        {"a b",            "'a b' is neither the ID of a model nor an alias" },
        {"..",             "'..' is neither the ID of a model nor an alias"  },
    };
    struct repositories *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "%s", cases[i].uid);
        assert_int_equal(repositories_resolve(fixture, cases[i].uid, &err), -ENOENT);
        assert_string_equal(err.message, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, repositories_set_up, repositories_tear_down)
        TEST(versions_of_all_repositories_one_after_the_other),
        TEST(latest_is_the_last_that_audmodel_accepts),
        TEST(folder_without_header_is_no_version),
        TEST(unknown_uids_are_told_apart),
        TEST(legacy_id_has_one_version),
        TEST(legacy_version_is_taken_from_the_cache_folder_first),
        TEST(legacy_id_is_found_offline),
        TEST(dead_later_repository_hides_nothing_of_earlier_ones),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
