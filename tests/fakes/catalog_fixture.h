/* catalog_fixture.h: a catalog over one repository in memory, and a clock of its own.
 *
 *     TEST(name) cmocka_unit_test_setup_teardown(name, catalog_fixture_open, ..._close)
 *     struct catalog_fixture *fixture = *state;
 *     memory_backend_set(fixture->memory, "a", "one");
 *     catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_FETCH, &left_ms)
 *
 * One at a time. */
#ifndef TESTS_FAKES_CATALOG_FIXTURE_H
#define TESTS_FAKES_CATALOG_FIXTURE_H

#include "resolver/catalog.h"

enum {
    TTL_MS = 1000,
    NEGATIVE_MS = 100,
};

struct catalog_fixture {
    struct backend *memory, *counting, *fault;
    struct catalog *catalog;
};

/* The clock of the catalog. */
extern _Atomic int64_t catalog_fixture_now_ms;

/* A kind of question: the text of the document named by the key; "bad" makes no sense. */
extern const struct catalog_kind catalog_fixture_kind;
int catalog_fixture_ask_document(struct catalog_request *request, const char *key,
                                 struct listing **ret_listing, struct error *err);

/* Set-up and tear-down of a test. */
int catalog_fixture_open(void **state);
int catalog_fixture_close(void **state);

/* What catalog_get says, as text: the document, or "-" and the error's name. Valid until
 * the next call. */
const char *catalog_fixture_ask(struct catalog_fixture *fixture,
                                const struct catalog_kind *of, const char *key,
                                enum resolve_how how, int64_t *ret_left_ms);

/* Wait until the repository does not count as down: somebody's request is under way. */
void catalog_fixture_wait_until_up(struct catalog_fixture *fixture,
                                   struct catalog_state *ret_state);

/* catalog_fixture_ask by RESOLVE_FETCH, of a repository that counts as down and is back.
 * Who finds that out waits for 300 ms only; on a busy machine the answer comes later. */
const char *catalog_fixture_ask_back(struct catalog_fixture *fixture,
                                     const struct catalog_kind *of, const char *key,
                                     int64_t *ret_left_ms);

#endif
