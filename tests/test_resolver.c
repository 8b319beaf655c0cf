/* test_resolver.c: names to models over several repositories, some of them dead. */
#include "tests/test.h"

#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "resolver/resolver.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPOSITORIES = 3,
    HOUR_MS = 3600 * 1000,
    THREADS = 8,
};

#define LEGACY "dcdf17d5-2ca8-d9ca-d813-d03a874beac0"

/* Three repositories in memory, each in a counter in a fault. */
struct fixture {
    struct backend *memory[REPOSITORIES], *counting[REPOSITORIES], *fault[REPOSITORIES];
    struct resolver *resolver;
    char *cache_root; /* NULL: none */
};

static void open_resolver(struct fixture *fixture, int64_t ttl_ms, int64_t negative_ms)
{
    struct resolver_repository repositories[REPOSITORIES] = {
        {"first",  fixture->fault[0]},
        {"second", fixture->fault[1]},
        {"third",  fixture->fault[2]},
    };
    struct resolver_options options = {.repositories = repositories,
                                       .repository_count = REPOSITORIES,
                                       .cache_root = fixture->cache_root,
                                       .ttl_alias_ms = ttl_ms,
                                       .ttl_listing_ms = ttl_ms,
                                       .ttl_negative_ms = negative_ms};
    struct error err = {0};

    resolver_close(fixture->resolver);
    fixture->resolver = NULL;
    assert_int_equal(resolver_open(&options, &fixture->resolver, &err), 0);
}

static void set_header(struct backend *backend, const char *id, const char *version)
{
    CLEANUP_FREE char *path =
        xasprintf("_uid/%s/%s/%s-%s.header.yaml", id, version, id, version);
    CLEANUP_FREE char *text = xasprintf("name: x\nsubgroup: ''\nversion: %s\n", version);

    memory_backend_set(backend, path, text);
}

static void set_alias(struct backend *backend, const char *alias, const char *text)
{
    CLEANUP_FREE char *path =
        xasprintf("_alias/%s/1.0.0/%s-1.0.0.alias.yaml", alias, alias);

    memory_backend_set(backend, path, text);
}

static int set_up(void **state)
{
    struct fixture *fixture = XNEW(struct fixture);

    for (size_t i = 0; i < REPOSITORIES; i++) {
        fixture->memory[i] = memory_backend_new();
        fixture->counting[i] = counting_backend_new(fixture->memory[i]);
        fixture->fault[i] = fault_backend_new(fixture->counting[i]);
    }
    open_resolver(fixture, HOUR_MS, HOUR_MS);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    resolver_close(fixture->resolver);
    if (fixture->cache_root)
        assert_int_equal(files_remove_tree(AT_FDCWD, fixture->cache_root, &err), 0);
    free(fixture->cache_root);
    for (size_t i = 0; i < REPOSITORIES; i++)
        backend_close(fixture->fault[i]);
    free(fixture);
    return 0;
}

static void die(struct fixture *fixture, size_t repository)
{
    fault_backend_fail(fixture->fault[repository], FAULT_ALL, NULL, ETIMEDOUT,
                       FAULT_ALWAYS);
}

static uint64_t requests(struct fixture *fixture)
{
    uint64_t total = 0;

    for (size_t i = 0; i < REPOSITORIES; i++)
        total += counting_backend_total(fixture->counting[i]);
    return total;
}

/* "version repository" of each entry, one after the other; * marks the latest. */
static void assert_versions(struct fixture *fixture, const char *id, const char *expected)
{
    struct version_list *list = NULL;
    struct error err = {0};
    char text[1024] = "";
    size_t used = 0;

    assert_int_equal(resolver_versions(fixture->resolver, id, RESOLVE_FETCH, &list, &err),
                     0);
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s:%u%s%s", i ? " " : "",
            list->entries[i].version, list->entries[i].repository,
            list->entries[i].is_shadowed ? "~" : "", i == list->latest ? "*" : "");
    assert_string_equal(text, expected);
    version_list_unref(list);
}

static void assert_resolves(struct fixture *fixture, const char *uid, const char *id,
                            const char *version, unsigned repository)
{
    struct release release = {0};
    struct error err = {0};
    int rc = resolver_resolve(fixture->resolver, uid, RESOLVE_FETCH, &release, &err);

    if (rc < 0)
        print_message("%s\n", err.message);
    assert_int_equal(rc, 0);
    assert_string_equal(release.id, id);
    assert_string_equal(release.version, version);
    assert_int_equal(release.repository, repository);
}

static int resolve(struct fixture *fixture, const char *uid, struct error *err)
{
    struct release release;

    return resolver_resolve(fixture->resolver, uid, RESOLVE_FETCH, &release, err);
}

static void versions_of_all_repositories_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;

    set_header(fixture->memory[0], "3e120e8d", "10.0.0");
    set_header(fixture->memory[0], "3e120e8d", "9.0.0");
    set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    set_header(fixture->memory[1], "3e120e8d", "9.0.0");
    assert_versions(fixture, "3e120e8d", "9.0.0:0 10.0.0:0 1.0.0:1 9.0.0:1~*");
    assert_resolves(fixture, "3e120e8d", "3e120e8d", "9.0.0", 0);
    assert_resolves(fixture, "3e120e8d-1.0.0", "3e120e8d", "1.0.0", 1);
}

static void latest_is_the_last_that_audmodel_accepts(void **state)
{
    struct fixture *fixture = *state;

    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    set_header(fixture->memory[0], "3e120e8d", "v3.0.0");
    set_header(fixture->memory[1], "00000001", "v1.0.0");
    set_header(fixture->memory[1], "00000001", "v2.0.0");
    assert_versions(fixture, "3e120e8d", "1.0.0:0 2.0.0:0* v3.0.0:0");
    assert_versions(fixture, "00000001", "v1.0.0:1 v2.0.0:1*");
    assert_resolves(fixture, "3e120e8d-v3.0.0", "3e120e8d", "v3.0.0", 0);
}

static void folder_without_header_is_no_version(void **state)
{
    struct fixture *fixture = *state;
    struct version_list *list;
    struct error err = {0};

    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    memory_backend_set(fixture->memory[0], "_uid/3e120e8d/2.0.0/3e120e8d-2.0.0.meta.yaml",
                       "{}\n");
    memory_backend_set(fixture->memory[0], "_uid/00000002/1.0.0/00000002-1.0.0.meta.yaml",
                       "{}\n");
    assert_versions(fixture, "3e120e8d", "1.0.0:0*");
    assert_int_equal(
        resolver_versions(fixture->resolver, "00000002", RESOLVE_FETCH, &list, &err),
        -ENOENT);
    assert_int_equal(resolve(fixture, "3e120e8d-2.0.0", &err), -ENOENT);
}

static void unknown_uids_are_reported_as_audmodel_does(void **state)
{
    static const char *const uids[] = {
        "00000000", "00000000-1.0.0", "no-such-alias", LEGACY, LEGACY "-1.0.0",
        "",         "../x",           "a b",           "..",   "3e120e8d-v1",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
        char expected[128];
        struct error err = {0};

        test_row(i, "%s", uids[i]);
        snprintf(expected, sizeof expected, "A model with ID '%s' does not exist.",
                 uids[i]);
        assert_int_equal(resolve(fixture, uids[i], &err), -ENOENT);
        assert_string_equal(err.message, expected);
    }
}

/* A cache folder of our own, in which audmodel has the header of a legacy ID. */
static void make_cache(struct fixture *fixture, const char *version)
{
    const char *parent = getenv("TMPDIR");
    CLEANUP_FREE char *path = NULL;
    struct error err = {0};

    fixture->cache_root = xasprintf("%s/test-resolver-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture->cache_root));
    path = xasprintf("%s/" LEGACY "/%s.header.yaml", fixture->cache_root, version);
    *strrchr(path, '/') = '\0';
    assert_int_equal(files_make_folders(AT_FDCWD, path, 0777, &err), 0);
    path[strlen(path)] = '/';
    assert_int_equal(files_replace(AT_FDCWD, path, "x", 1, 0644, &err), 0);
    open_resolver(fixture, HOUR_MS, 0);
}

static void legacy_id_has_one_version(void **state)
{
    struct fixture *fixture = *state;

    set_header(fixture->memory[2], LEGACY, "1.0.0");
    set_header(fixture->memory[1], LEGACY, "3.0.0");
    set_header(fixture->memory[1], LEGACY, "2.0.0");
    assert_versions(fixture, LEGACY, "2.0.0:1*");
    assert_resolves(fixture, LEGACY, LEGACY, "2.0.0", 1);
    assert_resolves(fixture, LEGACY "-1.0.0", LEGACY, "1.0.0", 2);
}

static void legacy_version_is_taken_from_the_cache_folder_first(void **state)
{
    struct fixture *fixture = *state;

    make_cache(fixture, "1.0.0");
    set_header(fixture->memory[1], LEGACY, "2.0.0");
    /* the header is not there (any more): the repositories know better */
    assert_versions(fixture, LEGACY, "2.0.0:1*");
    set_header(fixture->memory[2], LEGACY, "1.0.0");
    assert_versions(fixture, LEGACY, "1.0.0:2*");
}

static void legacy_id_is_found_offline(void **state)
{
    struct fixture *fixture = *state;

    make_cache(fixture, "1.0.0");
    for (size_t i = 0; i < REPOSITORIES; i++)
        die(fixture, i);
    assert_versions(fixture, LEGACY, "1.0.0:0*");
    assert_resolves(fixture, LEGACY, LEGACY, "1.0.0", 0);
}

static void alias_of_the_first_repository_wins(void **state)
{
    struct fixture *fixture = *state;
    struct alias_target target;
    struct error err = {0};

    set_header(fixture->memory[2], "3e120e8d", "2.0.0");
    set_header(fixture->memory[2], LEGACY, "1.0.0");
    set_alias(fixture->memory[1], "small", "uid: 3e120e8d-2.0.0\n");
    set_alias(fixture->memory[2], "small", "uid: 00000000-1.0.0\n");
    set_alias(fixture->memory[0], "any", "uid: 3e120e8d\n");
    set_alias(fixture->memory[0], "old", "uid: " LEGACY "-1.0.0\n");
    assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 2);
    assert_resolves(fixture, "any", "3e120e8d", "2.0.0", 2);
    assert_resolves(fixture, "old", LEGACY, "1.0.0", 2);
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
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct alias_target target;
        struct error err = {0};
        char alias[16];

        test_row(i, "%s", texts[i]);
        snprintf(alias, sizeof alias, "bad-%zu", i);
        set_alias(fixture->memory[0], alias, texts[i]);
        assert_int_equal(
            resolver_alias(fixture->resolver, alias, RESOLVE_FETCH, &target, &err),
            -EBADMSG);
        assert_non_null(strstr(err.message, alias));
    }
}

static void known_answers_ask_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct alias_target target;
    struct release release;
    struct error err = {0};
    uint64_t before;

    set_header(fixture->memory[1], "3e120e8d", "2.0.0");
    set_alias(fixture->memory[1], "small", "uid: 3e120e8d-2.0.0\n");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_KNOWN, &target, &err),
        -EINPROGRESS);
    assert_int_equal(
        resolver_resolve(fixture->resolver, "small", RESOLVE_STALE, &release, &err),
        -EINPROGRESS);
    assert_int_equal(requests(fixture), 0);
    assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 1);
    before = requests(fixture);
    assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 1);
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_KNOWN, &target, &err), 0);
    assert_in_range(target.fresh.left_ms, HOUR_MS - 20000, HOUR_MS);
    assert_int_equal(requests(fixture), before);
}

static void without_ttl_each_question_is_asked_and_changes_are_seen(void **state)
{
    struct fixture *fixture = *state;
    struct release release;
    struct error err = {0};

    open_resolver(fixture, 0, 0);
    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    set_alias(fixture->memory[0], "small", "uid: 3e120e8d-2.0.0\n");
    assert_int_equal(
        resolver_resolve(fixture->resolver, "small", RESOLVE_KNOWN, &release, &err),
        -EINPROGRESS);
    assert_resolves(fixture, "small", "3e120e8d", "2.0.0", 0);
    assert_int_equal(
        resolver_resolve(fixture->resolver, "small", RESOLVE_STALE, &release, &err), 0);
    assert_string_equal(release.version, "2.0.0");
}

static void dead_repository_leaves_the_last_known_state(void **state)
{
    struct fixture *fixture = *state;
    struct alias_target target;
    struct names *names;
    struct error err = {0};

    open_resolver(fixture, 0, 0);
    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    assert_versions(fixture, "3e120e8d", "1.0.0:0*");
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    names_unref(names);
    for (size_t i = 0; i < REPOSITORIES; i++)
        die(fixture, i);
    assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    assert_versions(fixture, "3e120e8d", "1.0.0:0*");
    assert_int_equal(
        resolver_alias(fixture->resolver, "small", RESOLVE_FETCH, &target, &err), 0);
    assert_int_equal(target.fresh.left_ms, 0);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 1);
    assert_false(names->is_partial);
    names_unref(names);
    assert_int_equal(resolve(fixture, "other", &err), -ETIMEDOUT);
    fault_backend_clear(fixture->fault[0]);
    fault_backend_clear(fixture->fault[1]);
    fault_backend_clear(fixture->fault[2]);
    assert_int_equal(resolve(fixture, "other", &err), -ENOENT);
}

static void dead_later_repository_hides_nothing_of_earlier_ones(void **state)
{
    struct fixture *fixture = *state;
    struct version_list *list = NULL;
    struct error err = {0};

    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
    die(fixture, 1);
    assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 0);
    assert_resolves(fixture, "3e120e8d-1.0.0", "3e120e8d", "1.0.0", 0);
    assert_int_equal(
        resolver_versions(fixture->resolver, "3e120e8d", RESOLVE_FETCH, &list, &err), 0);
    assert_int_equal(list->count, 1);
    assert_true(list->is_partial);
    assert_int_equal(list->fresh.left_ms, 0);
    version_list_unref(list);
    /* which version is the latest cannot be told, though */
    assert_int_equal(resolve(fixture, "3e120e8d", &err), -ETIMEDOUT);
    assert_non_null(strstr(err.message, "second"));
}

static void dead_earlier_repository_is_not_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    set_alias(fixture->memory[1], "small", "uid: 3e120e8d-1.0.0\n");
    die(fixture, 0);
    assert_int_equal(resolve(fixture, "small", &err), -ETIMEDOUT);
    assert_int_equal(resolve(fixture, "3e120e8d-1.0.0", &err), -ETIMEDOUT);
    assert_non_null(strstr(err.message, "repository 'first'"));
    /* the failure is remembered: nobody waits for it again at once */
    fault_backend_clear(fixture->fault[0]);
    assert_int_equal(resolve(fixture, "small", &err), -ETIMEDOUT);
    open_resolver(fixture, 0, 0);
    assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 1);
    /* known not to have it, it may die */
    die(fixture, 0);
    assert_resolves(fixture, "small", "3e120e8d", "1.0.0", 1);
}

static void names_are_sorted_and_each_once(void **state)
{
    struct fixture *fixture = *state;
    struct names *names, *again;
    struct error err = {0};

    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_header(fixture->memory[1], "3e120e8d", "2.0.0");
    set_header(fixture->memory[1], "00000001", "1.0.0");
    set_header(fixture->memory[2], LEGACY, "1.0.0");
    memory_backend_set(fixture->memory[0], "_uid/3e120e8d.aliases/1.0.0/x.yaml", "x");
    memory_backend_set(fixture->memory[0], "_uid/README", "x");
    set_alias(fixture->memory[1], "b", "uid: 3e120e8d-1.0.0\n");
    set_alias(fixture->memory[0], "c", "uid: 3e120e8d-1.0.0\n");
    set_alias(fixture->memory[0], "b", "uid: 3e120e8d-1.0.0\n");
    set_alias(fixture->memory[0], "3e120e8d", "uid: 3e120e8d-1.0.0\n");
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
    struct fixture *fixture = *state;
    struct names *names;
    struct error err = {0};

    set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    die(fixture, 0);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    assert_int_equal(names->count, 1);
    assert_true(names->is_partial);
    names_unref(names);
    die(fixture, 1);
    die(fixture, 2);
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
    struct fixture *fixture = *state;

    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_alias(fixture->memory[0], "x", "uid: 3e120e8d-1.0.0\n");
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
    struct fixture *fixture = *state;
    struct release release = {"3e120e8d", "2.0.0", 0};
    struct names *names;
    struct error err = {0};

    set_header(fixture->memory[0], "3e120e8d", "2.0.0");
    memory_backend_set(fixture->memory[0],
                       "_uid/3e120e8d.aliases/2.0.0/3e120e8d.aliases-2.0.0.yaml", list);
    memory_backend_set(fixture->memory[1],
                       "_uid/3e120e8d.aliases/2.0.0/3e120e8d.aliases-2.0.0.yaml",
                       "aliases: [small, elsewhere]\n");
    set_alias(fixture->memory[0], "small", "uid: 3e120e8d-2.0.0\n");
    set_alias(fixture->memory[0], "moved", "uid: 3e120e8d-1.0.0\n");
    set_alias(fixture->memory[1], "elsewhere", "uid: 3e120e8d-2.0.0\n");
    set_alias(fixture->memory[0], "z", "uid: 3e120e8d-2.0.0\n");
    assert_int_equal(resolver_aliases_of(fixture->resolver, &release, &names, &err), 0);
    assert_int_equal(names->count, 3);
    assert_string_equal(names->names[0], "elsewhere");
    assert_string_equal(names->names[1], "small");
    assert_string_equal(names->names[2], "z");
    names_unref(names);
    release.version[0] = '3';
    assert_int_equal(resolver_aliases_of(fixture->resolver, &release, &names, &err), 0);
    assert_int_equal(names->count, 0);
    names_unref(names);
}

static void documents_come_from_the_repository_of_the_release(void **state)
{
    struct fixture *fixture = *state;
    struct release release = {"3e120e8d", "1.0.0", 1};
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    bytes_init(&text, KIB);
    set_header(fixture->memory[1], "3e120e8d", "1.0.0");
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

static void status_tells_each_repository(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_BYTES struct bytes text;
    struct names *names;
    struct error err = {0};

    bytes_init(&text, 64 * KIB);
    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    die(fixture, 1);
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

static void *resolve_in_thread(void *arg)
{
    struct fixture *fixture = arg;
    struct release release;
    struct error err = {0};

    return resolver_resolve(fixture->resolver, "small", RESOLVE_FETCH, &release, &err) ==
                   0
               ? arg
               : NULL;
}

static void those_who_ask_the_same_share_one_request(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[THREADS];

    set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    set_alias(fixture->memory[0], "small", "uid: 3e120e8d-1.0.0\n");
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
    /* the alias: open and read; the header: stat */
    assert_int_equal(requests(fixture), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(versions_of_all_repositories_one_after_the_other),
        TEST(latest_is_the_last_that_audmodel_accepts),
        TEST(folder_without_header_is_no_version),
        TEST(unknown_uids_are_reported_as_audmodel_does),
        TEST(legacy_id_has_one_version),
        TEST(legacy_version_is_taken_from_the_cache_folder_first),
        TEST(legacy_id_is_found_offline),
        TEST(alias_of_the_first_repository_wins),
        TEST(alias_documents_that_make_no_sense),
        TEST(known_answers_ask_nobody),
        TEST(without_ttl_each_question_is_asked_and_changes_are_seen),
        TEST(dead_repository_leaves_the_last_known_state),
        TEST(dead_later_repository_hides_nothing_of_earlier_ones),
        TEST(dead_earlier_repository_is_not_passed_over),
        TEST(names_are_sorted_and_each_once),
        TEST(names_without_a_dead_repository_are_partial),
        TEST(tree_shows_folders_of_archives_only),
        TEST(aliases_of_a_release_are_those_that_still_name_it),
        TEST(documents_come_from_the_repository_of_the_release),
        TEST(status_tells_each_repository),
        TEST(those_who_ask_the_same_share_one_request),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
