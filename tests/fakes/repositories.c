/* repositories.c: three repositories in memory and a resolver over them. */
#include "tests/fakes/repositories.h"

#include "backends/backend_ops.h"
#include "common/files.h"
#include "common/memory.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

uint64_t repositories_requests(struct repositories *fixture)
{
    uint64_t total = 0;

    for (size_t i = 0; i < REPOSITORIES; i++)
        total += counting_backend_total(fixture->counting[i]);
    return total;
}

void repositories_open(struct repositories *fixture, int64_t ttl_ms, int64_t negative_ms)
{
    struct resolver_repository repositories[REPOSITORIES] = {
        {"first",  fixture->fault[0]},
        {"second", fixture->fault[1]},
        {"third",  fixture->fault[2]},
    };
    struct resolver_options options = {.repositories = repositories,
                                       .repository_count = REPOSITORIES,
                                       .cache_root = fixture->cache_root,
                                       .known_folder = "known",
                                       .ttl_alias_ms = ttl_ms,
                                       .ttl_listing_ms = ttl_ms,
                                       .ttl_negative_ms = negative_ms};
    struct error err = {0};

    resolver_close(fixture->resolver);
    fixture->resolver = NULL;
    assert_int_equal(resolver_open(&options, &fixture->resolver, &err), 0);
}

void repositories_set_header(struct backend *backend, const char *id, const char *version)
{
    CLEANUP_FREE char *path =
        xasprintf("_uid/%s/%s/%s-%s.header.yaml", id, version, id, version);
    CLEANUP_FREE char *text = xasprintf("name: x\nsubgroup: ''\nversion: %s\n", version);

    memory_backend_set(backend, path, text);
}

void repositories_set_alias(struct backend *backend, const char *alias, const char *text)
{
    CLEANUP_FREE char *path =
        xasprintf("_alias/%s/1.0.0/%s-1.0.0.alias.yaml", alias, alias);

    memory_backend_set(backend, path, text);
}

int repositories_set_up(void **state)
{
    static const char *const locations[] = {"memory/first", "memory/second",
                                            "memory/third"};
    struct repositories *fixture = XNEW(struct repositories);

    for (size_t i = 0; i < REPOSITORIES; i++) {
        fixture->memory[i] = memory_backend_new();
        fixture->counting[i] = counting_backend_new(fixture->memory[i]);
        fixture->fault[i] = fault_backend_new(fixture->counting[i]);
        fixture->fault[i]->location = locations[i];
    }
    repositories_open(fixture, HOUR_MS, HOUR_MS);
    *state = fixture;
    return 0;
}

int repositories_tear_down(void **state)
{
    struct repositories *fixture = *state;
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

void repositories_die(struct repositories *fixture, size_t repository)
{
    fault_backend_fail(fixture->fault[repository], FAULT_ALL, NULL, ETIMEDOUT,
                       FAULT_ALWAYS);
}

/* A cache folder of our own, in which audmodel has the header of a legacy ID. */
void repositories_make_cache(struct repositories *fixture, const char *version)
{
    const char *parent = getenv("TMPDIR");
    CLEANUP_FREE char *path = NULL;
    struct error err = {0};

    fixture->cache_root = xasprintf("%s/test-resolver-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture->cache_root));
    if (!version) {
        repositories_open(fixture, HOUR_MS, 0);
        return;
    }
    path = xasprintf("%s/" LEGACY "/%s.header.yaml", fixture->cache_root, version);
    *strrchr(path, '/') = '\0';
    assert_int_equal(files_make_folders(AT_FDCWD, path, 0777, &err), 0);
    path[strlen(path)] = '/';
    assert_int_equal(files_replace(AT_FDCWD, path, "x", 1, 0644, &err), 0);
    repositories_open(fixture, HOUR_MS, 0);
}

/* "version repository" of each entry, one after the other; * marks the latest. */
void repositories_assert_versions(struct repositories *fixture, const char *id,
                                  const char *expected)
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

void repositories_assert_resolves(struct repositories *fixture, const char *uid,
                                  const char *id, const char *version,
                                  unsigned repository)
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

int repositories_resolve(struct repositories *fixture, const char *uid, struct error *err)
{
    struct release release;

    return resolver_resolve(fixture->resolver, uid, RESOLVE_FETCH, &release, err);
}
