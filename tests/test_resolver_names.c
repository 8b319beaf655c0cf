/* test_resolver_names.c: models, aliases and folders of several repositories. */
#include "tests/test.h"

#include "resolver/resolver.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <string.h>

static void names_are_sorted_and_each_once(void **state)
{
    struct repositories *fixture = *state;
    struct names *names, *again;
    struct error err = {0};

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_header(fixture->memory[1], "3e120e8d", "2.0.0");
    repositories_set_header(fixture->memory[1], "00000001", "1.0.0");
    repositories_set_header(fixture->memory[2], LEGACY, "1.0.0");
    memory_backend_set(fixture->memory[0], "_uid/3e120e8d.aliases/1.0.0/x.yaml", "x");
    memory_backend_set(fixture->memory[0], "_uid/README", "x");
    repositories_set_alias(fixture->memory[1], "b", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[0], "c", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[0], "b", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[0], "3e120e8d", "uid: 3e120e8d-1.0.0\n");
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 3);
    assert_string_equal(names->names[0], "00000001");
    assert_string_equal(names->names[1], "3e120e8d");
    assert_string_equal(names->names[2], LEGACY);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_KNOWN, &again, &err),
        0);
    assert_ptr_equal(names->names, again->names); /* a million names are merged once */
    names_unref(names);
    names_unref(again);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_ALIASES, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 2);
    assert_string_equal(names->names[0], "b");
    assert_string_equal(names->names[1], "c");
    names_unref(names);
}

static void names_without_a_dead_repository_are_partial(void **state)
{
    struct repositories *fixture = *state;
    struct names *names;
    struct error err = {0};

    repositories_set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    repositories_die(fixture, 0);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 1);
    assert_true(names->is_partial);
    names_unref(names);
    repositories_die(fixture, 1);
    repositories_die(fixture, 2);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_ALIASES, RESOLVE_FETCH, &names, &err),
        -ETIMEDOUT);
}

static void tree_shows_folders_of_archives_only(void **state)
{
    static const struct {
        const char *folder;
        int rc;
        const char *names;
    } cases[] = {
        {"",                     0,       "a emotion"},
        {"emotion",              0,       "cnn rnn"  },
        {"emotion/cnn",          0,       "3e120e8d" },
        {"emotion/cnn/3e120e8d", 0,       "1.0.0"    },
        {"emotion/none",         -ENOENT, NULL       },
        {"_uid",                 -ENOENT, NULL       },
        {"_uid/3e120e8d",        -ENOENT, NULL       },
        {"_alias",               -ENOENT, NULL       },
        {"emotion/..",           -ENOENT, NULL       },
        {"/",                    -ENOENT, NULL       },
        {"a//b",                 -ENOENT, NULL       },
        {"a/_uid",               0,       ""         },
    };
    struct repositories *fixture = *state;

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_alias(fixture->memory[0], "x", "uid: 3e120e8d-1.0.0\n");
    memory_backend_set(fixture->memory[0], "emotion/cnn/3e120e8d/1.0.0/a.zip", "x");
    memory_backend_set(fixture->memory[1], "emotion/rnn/00000001/1.0.0/a.zip", "x");
    memory_backend_set(fixture->memory[1], "emotion/readme", "x");
    memory_backend_set(fixture->memory[2], "a/_uid/x.zip", "x");
    memory_backend_set(fixture->memory[2], "b c/x.zip", "x");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct names *names;
        struct error err = {0};
        char text[256] = "";
        size_t used = 0;

        test_row(i, "%s", cases[i].folder);
        assert_int_equal(resolver_tree(fixture->resolver, cases[i].folder, RESOLVE_FETCH,
                                       &names, &err),
                         cases[i].rc);
        if (cases[i].rc < 0)
            continue;
        for (size_t j = 0; j < names->count; j++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                     j ? " " : "", names->names[j]);
        assert_string_equal(text, cases[i].names);
        names_unref(names);
    }
}

static void aliases_of_a_release_are_those_that_still_name_it(void **state)
{
    static const char list[] = "aliases:\n- small\n- moved\n- gone\n- z\n";
    struct repositories *fixture = *state;
    struct release release = {"3e120e8d", "2.0.0", 0};
    struct names *names;
    struct error err = {0};

    repositories_set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    memory_backend_set(fixture->memory[0],
                       "_uid/3e120e8d.aliases/2.0.0/3e120e8d.aliases-2.0.0.yaml", list);
    memory_backend_set(fixture->memory[1],
                       "_uid/3e120e8d.aliases/2.0.0/3e120e8d.aliases-2.0.0.yaml",
                       "aliases: [small, elsewhere]\n");
    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-2.0.0\n");
    repositories_set_alias(fixture->memory[0], "moved", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[1], "elsewhere", "uid: 3e120e8d-2.0.0\n");
    repositories_set_alias(fixture->memory[0], "z", "uid: 3e120e8d-2.0.0\n");
    assert_int_equal(resolver_aliases_of(fixture->resolver, &release, &names, &err), 0);
    assert_int_equal(names->count, 5);
    assert_string_equal(names->names[0], "elsewhere");
    assert_string_equal(names->names[1], "gone");
    assert_string_equal(names->names[2], "moved");
    assert_string_equal(names->names[3], "small");
    assert_string_equal(names->names[4], "z");
    names_unref(names);
    release.version[0] = '3';
    assert_int_equal(resolver_aliases_of(fixture->resolver, &release, &names, &err), 0);
    assert_int_equal(names->count, 0);
    names_unref(names);
}

static void status_tells_each_repository(void **state)
{
    struct repositories *fixture = *state;
    CLEANUP_BYTES struct bytes text;
    struct names *names;
    struct error err = {0};

    bytes_init(&text, 64 * KIB);
    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_die(fixture, 1);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    names_unref(names);
    assert_int_equal(resolver_print_status(fixture->resolver, &text, &err), 0);
    assert_non_null(strstr(text.data, "  - name: \"first\"\n    backend: \"fault\"\n"));
    assert_non_null(strstr(text.data, "    state: ok\n"));
    assert_non_null(strstr(text.data, "    models: 1\n"));
    assert_non_null(strstr(text.data, "    state: failing\n"));
    assert_non_null(strstr(text.data, "fails on purpose\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, repositories_set_up, repositories_tear_down)
        TEST(names_are_sorted_and_each_once),
        TEST(names_without_a_dead_repository_are_partial),
        TEST(tree_shows_folders_of_archives_only),
        TEST(aliases_of_a_release_are_those_that_still_name_it),
        TEST(status_tells_each_repository),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
