/* test_alias_edit.c: alias documents and both lists, over several repositories. */
#include "tests/test.h"

#include "common/memory.h"
#include "common/sync.h"
#include "publish/alias_edit.h"
#include "publish/publish.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <string.h>

enum { MODELS = 4 };

static const char *const ids[MODELS] = {"3e120e8d", "11111111", "22222222", "33333333"};

/* Model i lies in the repository i, the last one in the first. */
static int set_up(void **state)
{
    struct repositories *fixture;

    if (repositories_set_up(state) < 0)
        return -1;
    fixture = *state;
    for (size_t i = 0; i < MODELS; i++)
        repositories_set_header(fixture->memory[i % REPOSITORIES], ids[i], "1.0.0");
    return 0;
}

/* The document, or NULL; the caller frees it. */
static char *get(struct repositories *fixture, unsigned repository, const char *path)
{
    struct bytes text;
    struct error err = {0};

    bytes_init(&text, MIB);
    if (backend_get(fixture->memory[repository], path, &text, &err) < 0) {
        bytes_done(&text);
        return NULL;
    }
    return bytes_detach(&text);
}

static void assert_document(struct repositories *fixture, unsigned repository,
                            const char *path, const char *expected)
{
    CLEANUP_FREE char *found = get(fixture, repository, path);

    if (!expected)
        assert_null(found);
    else if (!found)
        fail_msg("'%s' is not there", path);
    else
        assert_string_equal(found, expected);
}

static void assert_list(struct repositories *fixture, size_t model, const char *expected)
{
    CLEANUP_FREE char *path =
        xasprintf("_uid/%s.aliases/1.0.0/%s.aliases-1.0.0.yaml", ids[model], ids[model]);

    for (unsigned i = 0; i < REPOSITORIES; i++)
        assert_document(fixture, i, path, i == model % REPOSITORIES ? expected : NULL);
}

static void set_list(struct repositories *fixture, size_t model, const char *text)
{
    CLEANUP_FREE char *path =
        xasprintf("_uid/%s.aliases/1.0.0/%s.aliases-1.0.0.yaml", ids[model], ids[model]);

    memory_backend_set(fixture->memory[model % REPOSITORIES], path, text);
}

static void assert_alias(struct repositories *fixture, const char *alias, int model)
{
    CLEANUP_FREE char *path =
        xasprintf("_alias/%s/1.0.0/%s-1.0.0.alias.yaml", alias, alias);

    for (int i = 0; i < REPOSITORIES; i++) {
        CLEANUP_FREE char *text =
            xasprintf("uid: %s-1.0.0\n", model < 0 ? "" : ids[model]);

        assert_document(fixture, (unsigned)i, path,
                        model >= 0 && i == model % REPOSITORIES ? text : NULL);
    }
}

static int set(struct repositories *fixture, const char *alias, size_t model)
{
    struct error err = {0};

    return publish_set_alias(fixture->resolver, alias, ids[model], &err);
}

static void test_makes_an_alias(void **state)
{
    assert_int_equal(set(*state, "small", 0), 0);
    assert_alias(*state, "small", 0);
    assert_list(*state, 0, "aliases:\n- small\n");
    assert_int_equal(set(*state, "big", 0), 0);
    assert_list(*state, 0, "aliases:\n- big\n- small\n");
}

/* Within a repository and from each to each, and at once for who asks. */
static void test_moves_an_alias(void **state)
{
    struct repositories *fixture = *state;
    static const size_t way[] = {0, 3, 0, 1, 2, 0, 2, 1, 3};

    for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
        test_row(i, "to %s", ids[way[i]]);
        assert_int_equal(set(fixture, "small", way[i]), 0);
        assert_alias(fixture, "small", (int)way[i]);
        assert_list(fixture, way[i], "aliases:\n- small\n");
        if (i > 0)
            assert_list(fixture, way[i - 1], "aliases: []\n");
        repositories_assert_resolves(fixture, "small", ids[way[i]], "1.0.0",
                                     (unsigned)(way[i] % REPOSITORIES));
    }
}

static void test_setting_it_again_changes_nothing(void **state)
{
    assert_int_equal(set(*state, "small", 0), 0);
    assert_int_equal(set(*state, "small", 0), 0);
    assert_alias(*state, "small", 0);
    assert_list(*state, 0, "aliases:\n- small\n");
}

static void test_heals_lists(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"aliases: [small, elsewhere]\n",    "aliases:\n- new\n- small\n"},
        {"aliases: [small, nowhere, new]\n", "aliases:\n- new\n- small\n"},
        {"aliases: [small, small]\n",        "aliases:\n- new\n- small\n"},
        {"aliases: []\n",                    "aliases:\n- new\n"         },
        {"aliases:\n",                       "aliases:\n- new\n"         },
        {"no list\n",                        "aliases:\n- new\n"         },
        {"{ no YAML",                        "aliases:\n- new\n"         },
        {"aliases: [1, {}]\n",               "aliases:\n- new\n"         },
    };
    struct repositories *fixture = *state;

    repositories_set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[0], "elsewhere", "uid: 11111111-1.0.0\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].before);
        set_list(fixture, 0, cases[i].before);
        assert_int_equal(set(fixture, "new", 0), 0);
        assert_list(fixture, 0, cases[i].after);
    }
}

/* Whoever cannot be asked is believed. */
static void test_keeps_names_it_cannot_check(void **state)
{
    struct repositories *fixture = *state;

    set_list(fixture, 0, "aliases: [odd name, unknown]\n");
    fault_backend_fail(fixture->fault[0], FAULT_OBJECT_OPEN, "_alias/unknown/", ETIMEDOUT,
                       FAULT_ALWAYS);
    assert_int_equal(set(fixture, "small", 0), 0);
    assert_list(fixture, 0, "aliases:\n- odd name\n- small\n- unknown\n");
}

static void test_an_alias_that_makes_no_sense_is_overwritten(void **state)
{
    static const char *const texts[] = {"",
                                        "{ no YAML",
                                        "uid: 1\n",
                                        "uid: ../../etc\n",
                                        "uid: 99999999-1.0.0\n",
                                        "uid: 3e120e8d\n"};
    struct repositories *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        test_row(i, "%s", texts[i]);
        repositories_set_alias(fixture->memory[0], "small", texts[i]);
        assert_int_equal(set(fixture, "small", 0), 0);
        assert_alias(fixture, "small", 0);
    }
}

static void test_removes_an_alias(void **state)
{
    struct repositories *fixture = *state;
    struct error err = {0};

    assert_int_equal(set(fixture, "small", 1), 0);
    assert_int_equal(set(fixture, "big", 1), 0);
    repositories_set_alias(fixture->memory[2], "small", "uid: 22222222-1.0.0\n");
    assert_int_equal(publish_remove_alias(fixture->resolver, "small", NULL, &err), 0);
    assert_alias(fixture, "small", -1);
    assert_list(fixture, 1, "aliases:\n- big\n");
    assert_int_equal(repositories_resolve(fixture, "small", &err), -ENOENT);
    assert_int_equal(publish_remove_alias(fixture->resolver, "small", NULL, &err),
                     -ENOENT);
    assert_int_equal(publish_remove_alias(fixture->resolver, "..", NULL, &err), -ENOENT);
}

static void test_removes_what_it_still_names(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        {"uid: 22222222-1.0.0\n", -ESTALE},
        {"uid: 11111111-1.0.0\n", 0      },
        {"uid: '11111111'\n",     0      }, /* whichever is the latest */
    };
    const struct release target = {.id = "11111111", .version = "1.0.0"};
    struct repositories *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        repositories_set_alias(fixture->memory[1], "small", cases[i].text);
        assert_int_equal(publish_remove_alias(fixture->resolver, "small", &target, &err),
                         cases[i].rc);
        assert_int_equal(publish_remove_alias(fixture->resolver, "small", NULL, &err),
                         cases[i].rc == 0 ? -ENOENT : 0);
    }
}

/* Whoever asks again, or the next worker, finishes it. */
static void test_a_removal_that_fails_can_be_repeated(void **state)
{
    static const struct {
        unsigned calls;
        const char *path;
    } cases[] = {
        {FAULT_REPLACE, "11111111"},
        {FAULT_REMOVE,  "small"   },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct repositories *fixture;
        struct error err = {0};

        test_row(i, "%s", cases[i].path);
        assert_int_equal(repositories_tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        fixture = *state;
        assert_int_equal(set(fixture, "small", 1), 0);
        fault_backend_fail(fixture->fault[1], cases[i].calls, cases[i].path, EACCES, 1);
        assert_int_equal(publish_remove_alias(fixture->resolver, "small", NULL, &err),
                         -EACCES);
        assert_int_equal(publish_remove_alias(fixture->resolver, "small", NULL, &err), 0);
        assert_alias(fixture, "small", -1);
        assert_list(fixture, 1, "aliases: []\n");
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *alias;
        const char *uid;
        int rc;
    } cases[] = {
        {"deadbeef",       "3e120e8d",       -EINVAL},
        {"deadbeef-1.0.0", "3e120e8d",       -EINVAL},
        {"a b",            "3e120e8d",       -EINVAL},
        {"..",             "3e120e8d",       -EINVAL},
        {"",               "3e120e8d",       -EINVAL},
        {"good",           "99999999",       -ENOENT},
        {"good",           "3e120e8d-2.0.0", -ENOENT},
        {"good",           "good",           -ENOENT},
        {"good",           "../3e120e8d",    -ENOENT},
    };
    struct repositories *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "'%s' to '%s'", cases[i].alias, cases[i].uid);
        assert_int_equal(
            publish_set_alias(fixture->resolver, cases[i].alias, cases[i].uid, &err),
            cases[i].rc);
        assert_true(err.message[0]);
    }
    for (unsigned i = 0; i < REPOSITORIES; i++) {
        struct counting_calls calls = counting_backend_calls(fixture->counting[i]);

        assert_int_equal(calls.put + calls.replace + calls.remove, 0);
    }
}

/* The model was removed by hand while its header was remembered. */
static void test_a_model_must_be_there_now(void **state)
{
    struct repositories *fixture = *state;
    struct error err = {0};

    assert_int_equal(repositories_resolve(fixture, "3e120e8d-1.0.0", &err), 0);
    memory_backend_set(fixture->memory[0],
                       "_uid/3e120e8d/1.0.0/3e120e8d-1.0.0.header.yaml", NULL);
    assert_int_equal(
        publish_set_alias(fixture->resolver, "small", "3e120e8d-1.0.0", &err), -ENOENT);
    assert_alias(fixture, "small", -1);
}

/* Others change the list of the same model, and each of them is quicker. */
static void test_many_change_one_list(void **state)
{
    struct repositories *fixture = *state;

    assert_int_equal(set(fixture, "small", 0), 0);
    fault_backend_fail(fixture->fault[0], FAULT_REPLACE, "3e120e8d.aliases", ESTALE, 10);
    assert_int_equal(set(fixture, "big", 0), 0);
    assert_list(fixture, 0, "aliases:\n- big\n- small\n");
}

struct remover {
    struct repositories *fixture;
    int rc;
};

static void *remove_going(void *arg)
{
    struct remover *remover = arg;
    struct error err = {0};

    remover->rc = publish_remove_alias(remover->fixture->resolver, "going", NULL, &err);
    return NULL;
}

static void *move_going(void *arg)
{
    struct remover *remover = arg;

    remover->rc = set(remover->fixture, "going", 1);
    return NULL;
}

/* Who is about to set "coming" has it in the list of its new model and not in its
 * document yet. Another change of that list, which takes "going" off it, takes it for
 * stale and is written last: it is blocked there. */
static void begin_removal(struct repositories *fixture, void *(*take_off)(void *),
                          struct remover *remover, pthread_t *thread)
{
    *remover = (struct remover){.fixture = fixture, .rc = -1};
    repositories_set_alias(fixture->memory[0], "going", "uid: 3e120e8d-1.0.0\n");
    repositories_set_alias(fixture->memory[1], "coming", "uid: 11111111-1.0.0\n");
    set_list(fixture, 0, "aliases:\n- coming\n- going\n");
    fault_backend_block(fixture->fault[0], FAULT_REPLACE, "3e120e8d.aliases/");
    assert_int_equal(thread_start(thread, "remover", take_off, remover), 0);
    assert_true(fault_backend_wait_blocked(fixture->fault[0], 1));
    assert_int_equal(set(fixture, "coming", 0), 0);
}

static void test_an_alias_on_its_way_is_not_stale(void **state)
{
    struct repositories *fixture = *state;
    struct remover remover;
    pthread_t thread;

    begin_removal(fixture, remove_going, &remover, &thread);
    fault_backend_release(fixture->fault[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(remover.rc, 0);
    assert_alias(fixture, "coming", 0);
    assert_list(fixture, 0, "aliases:\n- coming\n");
}

/* The list can be set right later; the alias is removed. */
static void test_a_removal_succeeds_whatever_becomes_of_another(void **state)
{
    struct repositories *fixture = *state;
    struct remover remover;
    pthread_t thread;

    begin_removal(fixture, remove_going, &remover, &thread);
    fault_backend_fail(fixture->fault[0], FAULT_OBJECT_OPEN, "3e120e8d.aliases/", EACCES,
                       1);
    fault_backend_release(fixture->fault[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(remover.rc, 0);
    assert_alias(fixture, "going", -1);
    assert_list(fixture, 0, "aliases: []\n");
}

/* It is about to be listed again, and whoever removed it has looked at the list before.
 * Nobody else looks at that list again. */
static void test_an_alias_that_was_removed_is_not_listed_again(void **state)
{
    static const char list[] = "_uid/3e120e8d.aliases/1.0.0/3e120e8d.aliases-1.0.0.yaml";
    struct repositories *fixture = *state;
    struct remover remover;
    bool is_dropped = false;
    pthread_t thread;

    begin_removal(fixture, move_going, &remover, &thread);
    fault_backend_block(fixture->fault[0], FAULT_OBJECT_OPEN, "3e120e8d.aliases/");
    while (!is_dropped) {
        CLEANUP_FREE char *text = get(fixture, 0, list);

        is_dropped = strcmp(text, "aliases: []\n") == 0;
        clock_sleep_ms(1);
    }
    assert_true(fault_backend_wait_blocked(fixture->fault[0], 1));
    repositories_set_alias(fixture->memory[0], "coming", NULL);
    fault_backend_release(fixture->fault[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(remover.rc, 0);
    assert_list(fixture, 0, "aliases: []\n");
}

/* After a failure at any step the alias names the old or the new model, and setting it
 * again makes all right. */
static void test_failures_on_the_way(void **state)
{
    static const struct {
        const char *path;
        unsigned repository, calls;
    } cases[] = {
        {"_alias/small/",     0, FAULT_OBJECT_OPEN},
        {"3e120e8d.aliases/", 0, FAULT_OBJECT_OPEN},
        {"3e120e8d.aliases/", 0, FAULT_REPLACE    },
        {"11111111.aliases/", 1, FAULT_PUT        },
        {"_alias/small/",     1, FAULT_PUT        },
        {"_alias/small/",     0, FAULT_REMOVE     },
    };
    struct repositories *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct alias_target target;
        struct error err = {0};

        test_row(i, "%s", cases[i].path);
        assert_int_equal(repositories_tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        fixture = *state;
        assert_int_equal(set(fixture, "small", 0), 0);
        fault_backend_fail(fixture->fault[cases[i].repository], cases[i].calls,
                           cases[i].path, EACCES, 1);
        assert_int_equal(set(fixture, "small", 1), -EACCES);
        assert_int_equal(
            resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
        assert_true(strcmp(target.id, ids[0]) == 0 || strcmp(target.id, ids[1]) == 0);
        assert_int_equal(set(fixture, "small", 1), 0);
        assert_alias(fixture, "small", 1);
        assert_list(fixture, 0, "aliases: []\n");
        assert_list(fixture, 1, "aliases:\n- small\n");
    }
}

#define TEST(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, set_up, repositories_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_makes_an_alias),
        TEST(test_moves_an_alias),
        TEST(test_setting_it_again_changes_nothing),
        TEST(test_many_change_one_list),
        TEST(test_an_alias_on_its_way_is_not_stale),
        TEST(test_a_removal_succeeds_whatever_becomes_of_another),
        TEST(test_an_alias_that_was_removed_is_not_listed_again),
        TEST(test_heals_lists),
        TEST(test_keeps_names_it_cannot_check),
        TEST(test_an_alias_that_makes_no_sense_is_overwritten),
        TEST(test_removes_an_alias),
        TEST(test_removes_what_it_still_names),
        TEST(test_a_removal_that_fails_can_be_repeated),
        TEST(test_refuses),
        TEST(test_a_model_must_be_there_now),
        TEST(test_failures_on_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
