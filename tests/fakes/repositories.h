/* repositories.h: three repositories in memory and a resolver over them; for tests.
 *
 *     cmocka_unit_test_setup_teardown(test, repositories_set_up, repositories_tear_down)
 *
 * Each repository is memory in a counter in a fault. They are called "first", "second",
 * "third"; answers stay fresh for an hour unless repositories_open says otherwise. */
#ifndef TESTS_FAKES_REPOSITORIES_H
#define TESTS_FAKES_REPOSITORIES_H

#include "resolver/resolver.h"

enum {
    REPOSITORIES = 3,
    HOUR_MS = 3600 * 1000,
};

#define LEGACY "dcdf17d5-2ca8-d9ca-d813-d03a874beac0"

struct repositories {
    struct backend *memory[REPOSITORIES], *counting[REPOSITORIES], *fault[REPOSITORIES];
    struct resolver *resolver;
    char *cache_root; /* NULL: none */
};

int repositories_set_up(void **state);
int repositories_tear_down(void **state);

/* A new resolver, which knows nothing yet. */
void repositories_open(struct repositories *fixture, int64_t ttl_ms, int64_t negative_ms);

/* Make a cache folder in which audmodel has the header of LEGACY (with version NULL: that
 * is empty), and a new resolver. */
void repositories_make_cache(struct repositories *fixture, const char *version);

void repositories_set_header(struct backend *backend, const char *id,
                             const char *version);
void repositories_set_alias(struct backend *backend, const char *alias, const char *text);

/* From now on each call of that repository fails with -ETIMEDOUT. */
void repositories_die(struct repositories *fixture, size_t repository);

/* Calls that all three were asked. */
uint64_t repositories_requests(struct repositories *fixture);

/* expected: "version:repository" of each entry, "~" if shadowed, "*" if the latest. */
void repositories_assert_versions(struct repositories *fixture, const char *id,
                                  const char *expected);
void repositories_assert_resolves(struct repositories *fixture, const char *uid,
                                  const char *id, const char *version,
                                  unsigned repository);

/* What resolver_resolve returns. */
int repositories_resolve(struct repositories *fixture, const char *uid,
                         struct error *err);

#endif
