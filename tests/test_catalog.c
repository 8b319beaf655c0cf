/* test_catalog.c: answers with their age, one request at a time, limited memory. */
#include "tests/test.h"

#include "common/memory.h"
#include "common/sync.h"
#include "resolver/catalog.h"
#include "resolver/health.h"
#include "tests/fakes/catalog_fixture.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8 };

static const struct catalog_kind alias_kind = {
    .name = "alias", .ttl = CATALOG_TTL_ALIAS, .ask = catalog_fixture_ask_document};
static const struct catalog_kind kept_kind = {.name = "kept",
                                              .ttl = CATALOG_TTL_LISTING,
                                              .is_kept = true,
                                              .ask = catalog_fixture_ask_document};

/* One script: at each time a document is set or a fault, and a question is answered. */
static void answers_age(void **state)
{
    static const struct {
        int64_t at_ms;
        const char *set; /* the document's new text; "" removes it; NULL: as it was */
        int fault;       /* code of all calls; 0: none */
        enum resolve_how how;
        const char *answer;
        int64_t left_ms;
        unsigned requests; /* that reach the backend */
    } steps[] = {
        {0,    "one", 0,      RESOLVE_KNOWN, "-EINPROGRESS", 0,    0},
        {0,    NULL,  0,      RESOLVE_STALE, "-EINPROGRESS", 0,    0},
        {0,    NULL,  0,      RESOLVE_FETCH, "one",          1000, 1},
        {0,    NULL,  0,      RESOLVE_KNOWN, "one",          1000, 0},
        {600,  "two", 0,      RESOLVE_FETCH, "one",          400,  0},
        {999,  NULL,  0,      RESOLVE_KNOWN, "one",          1,    0},
        {1000, NULL,  0,      RESOLVE_KNOWN, "-EINPROGRESS", 0,    0},
        {1000, NULL,  0,      RESOLVE_STALE, "one",          0,    0},
        {1000, NULL,  0,      RESOLVE_FETCH, "two",          1000, 1},
 /* it refuses: the last state stands, and nobody asks for a while */
        {2000, NULL,  EACCES, RESOLVE_FETCH, "two",          0,    0},
        {2050, NULL,  0,      RESOLVE_FETCH, "two",          0,    0},
        {2050, NULL,  0,      RESOLVE_KNOWN, "two",          0,    0},
        {2100, NULL,  0,      RESOLVE_KNOWN, "-EINPROGRESS", 0,    0},
        {2100, NULL,  0,      RESOLVE_FETCH, "two",          1000, 1},
 /* it is removed: remembered for the shorter time */
        {3100, "",    0,      RESOLVE_FETCH, "-ENOENT",      100,  1},
        {3199, "six", 0,      RESOLVE_KNOWN, "-ENOENT",      1,    0},
        {3200, NULL,  0,      RESOLVE_KNOWN, "-EINPROGRESS", 0,    0},
        {3200, NULL,  0,      RESOLVE_STALE, "-ENOENT",      0,    0},
        {3200, NULL,  EACCES, RESOLVE_FETCH, "-ENOENT",      0,    0},
        {3300, NULL,  0,      RESOLVE_FETCH, "six",          1000, 1},
 /* a document that makes no sense is an error, whatever was there before */
        {4300, "bad", 0,      RESOLVE_FETCH, "-EBADMSG",     0,    1},
        {4300, NULL,  0,      RESOLVE_KNOWN, "-EBADMSG",     0,    0},
        {4400, "end", 0,      RESOLVE_KNOWN, "-EINPROGRESS", 0,    0},
        {4400, NULL,  0,      RESOLVE_FETCH, "end",          1000, 1},
    };
    struct catalog_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        int64_t left_ms;

        test_row(i, "%lld ms: %s", (long long)steps[i].at_ms, steps[i].answer);
        catalog_fixture_now_ms = 1000000 + steps[i].at_ms;
        if (steps[i].set)
            memory_backend_set(fixture->memory, "a",
                               steps[i].set[0] ? steps[i].set : NULL);
        fault_backend_fail(fixture->fault, FAULT_ALL, NULL, steps[i].fault,
                           steps[i].fault ? FAULT_ALWAYS : 0);
        counting_backend_reset(fixture->counting);
        assert_string_equal(catalog_fixture_ask(fixture, &catalog_fixture_kind, "a",
                                                steps[i].how, &left_ms),
                            steps[i].answer);
        assert_int_equal(left_ms, steps[i].left_ms);
        assert_int_equal(counting_backend_total(fixture->counting), steps[i].requests);
    }
}

struct asker {
    struct catalog_fixture *fixture;
    const struct catalog_kind *kind;
    char answer[256];
    pthread_t thread;
};

static void *ask_in_thread(void *arg)
{
    struct asker *asker = arg;
    struct catalog_answer answer = {0};
    struct error err = {0};
    int rc = catalog_get(asker->fixture->catalog, 0, asker->kind, "a", RESOLVE_FETCH,
                         &answer, &err);

    snprintf(asker->answer, sizeof asker->answer, "%s",
             rc == 0 ? answer.listing->names[0] : strerrorname_np(-rc));
    listing_unref(answer.listing);
    return NULL;
}

/* The backend dies: what is known is given at once, and one try each NEGATIVE_MS, behind
 * that, finds out when it is back. */
static void what_is_down_costs_nobody_a_wait(void **state)
{
    static const struct {
        const char *key;
        enum resolve_how how;
        const char *answer;
    } asked[] = {
        {"a", RESOLVE_KNOWN, "one"       },
        {"a", RESOLVE_STALE, "one"       },
        {"a", RESOLVE_FETCH, "one"       },
        {"b", RESOLVE_KNOWN, "-ETIMEDOUT"},
        {"b", RESOLVE_FETCH, "-ETIMEDOUT"},
        {"c", RESOLVE_FETCH, "-ETIMEDOUT"},
    };
    struct catalog_fixture *fixture = *state;
    struct catalog_state seen;
    int64_t left_ms, begun_ms;
    struct error err = {0};

    memory_backend_set(fixture->memory, "a", "one");
    memory_backend_set(fixture->memory, "b", "two");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_FETCH, &left_ms),
        "one");
    catalog_fixture_now_ms += TTL_MS;
    fault_backend_fail(fixture->fault, FAULT_ALL, NULL, ETIMEDOUT, FAULT_ALWAYS);
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "b", RESOLVE_FETCH, &left_ms),
        "-ETIMEDOUT");
    fault_backend_block(fixture->fault, FAULT_ALL, NULL); /* who asks now is stuck */
    catalog_fixture_now_ms += NEGATIVE_MS - 1;
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        test_row(i, "%s", asked[i].key);
        assert_string_equal(catalog_fixture_ask(fixture, &catalog_fixture_kind,
                                                asked[i].key, asked[i].how, &left_ms),
                            asked[i].answer);
        assert_int_equal(left_ms, 0);
    }
    assert_int_equal(catalog_enter(fixture->catalog, 0, &begun_ms, &err), -ETIMEDOUT);
    catalog_fixture_now_ms += 1;
    for (size_t i = 0; i < 3; i++) /* one of them tries, behind the answer */
        assert_string_equal(catalog_fixture_ask(fixture, &catalog_fixture_kind, "a",
                                                RESOLVE_KNOWN, &left_ms),
                            "one");
    assert_true(fault_backend_wait_blocked(fixture->fault, 1));
    memory_backend_set(fixture->memory, "a", "new");
    fault_backend_clear(fixture->fault);
    catalog_fixture_wait_until_up(fixture, &seen);
    assert_int_equal(seen.requests, 3);
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_KNOWN, &left_ms),
        "new");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "c", RESOLVE_FETCH, &left_ms),
        "-ENOENT");
}

/* Some answers come with others and cannot be asked for. */
static void what_is_only_noted_is_not_asked_for(void **state)
{
    static const struct catalog_kind noted = {.name = "noted",
                                              .ttl = CATALOG_TTL_LISTING};
    struct catalog_fixture *fixture = *state;
    struct listing_builder builder;
    struct listing *listing = NULL;
    struct error err = {0};
    int64_t left_ms;

    listing_builder_init(&builder);
    assert_int_equal(listing_add(&builder, "text", &err), 0);
    assert_int_equal(listing_finish(&builder, NULL, &listing, &err), 0);
    catalog_note(fixture->catalog, 0, &noted, "n", listing);
    assert_string_equal(
        catalog_fixture_ask(fixture, &noted, "n", RESOLVE_KNOWN, &left_ms), "text");
    assert_int_equal(left_ms, TTL_MS);
    fault_backend_fail(fixture->fault, FAULT_ALL, NULL, ETIMEDOUT, FAULT_ALWAYS);
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "b", RESOLVE_FETCH, &left_ms),
        "-ETIMEDOUT");
    catalog_fixture_now_ms += TTL_MS;
    assert_string_equal(
        catalog_fixture_ask(fixture, &noted, "n", RESOLVE_KNOWN, &left_ms), "text");
    assert_int_equal(left_ms, 0);
    catalog_close(steal_ptr(&fixture->catalog)); /* after all that is under way */
}

/* It neither answers nor refuses. */
static void what_is_silent_counts_as_down(void **state)
{
    struct catalog_fixture *fixture = *state;
    struct asker asker = {.fixture = fixture, .kind = &alias_kind};
    struct catalog_state seen;
    int64_t left_ms;

    memory_backend_set(fixture->memory, "a", "one");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_FETCH, &left_ms),
        "one");
    catalog_fixture_now_ms += TTL_MS;
    fault_backend_block(fixture->fault, FAULT_ALL, NULL);
    assert_int_equal(thread_start(&asker.thread, "ask", ask_in_thread, &asker), 0);
    assert_true(fault_backend_wait_blocked(fixture->fault, 1));
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_KNOWN, &left_ms),
        "-EINPROGRESS");
    catalog_fixture_now_ms += HEALTH_SILENCE_MS;
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_KNOWN, &left_ms),
        "one");
    assert_true(fault_backend_wait_blocked(fixture->fault, 2)); /* that one's try */
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_FETCH, &left_ms),
        "one");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "b", RESOLVE_FETCH, &left_ms),
        "-ETIMEDOUT");
    catalog_state(fixture->catalog, 0, &seen);
    assert_true(seen.is_down);
    assert_int_equal(seen.requests, 3);
    fault_backend_clear(fixture->fault);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    catalog_fixture_wait_until_up(fixture, &seen);
}

static void failure_is_told_while_nothing_is_known(void **state)
{
    struct catalog_fixture *fixture = *state;
    struct catalog_state seen;
    int64_t left_ms;

    memory_backend_set(fixture->memory, "a", "one");
    catalog_state(fixture->catalog, 0, &seen);
    assert_int_equal(seen.success_age_ms, -1);
    fault_backend_fail(fixture->fault, FAULT_ALL, NULL, ECONNREFUSED, FAULT_ALWAYS);
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_FETCH, &left_ms),
        "-ECONNREFUSED");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_KNOWN, &left_ms),
        "-ECONNREFUSED");
    catalog_fixture_now_ms += 7;
    catalog_state(fixture->catalog, 0, &seen);
    assert_true(seen.is_failing);
    assert_int_equal(seen.failures, 1);
    assert_int_equal(seen.failure_age_ms, 7);
    assert_non_null(strstr(seen.message, "on purpose"));
    fault_backend_clear(fixture->fault);
    catalog_fixture_now_ms += NEGATIVE_MS;
    assert_string_equal(
        catalog_fixture_ask_back(fixture, &catalog_fixture_kind, "a", &left_ms), "one");
    catalog_state(fixture->catalog, 0, &seen);
    assert_false(seen.is_failing);
    assert_int_equal(seen.requests, 2);
    assert_int_equal(seen.success_age_ms, 0);
}

static void memory_is_limited_but_for_kept_kinds(void **state)
{
    struct catalog_fixture *fixture = *state;
    int64_t left_ms;
    char key[16];
    int known = 0;

    memory_backend_set(fixture->memory, "kept", "kept");
    assert_string_equal(
        catalog_fixture_ask(fixture, &kept_kind, "kept", RESOLVE_FETCH, &left_ms),
        "kept");
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        memory_backend_set(fixture->memory, key, key);
        assert_string_equal(catalog_fixture_ask(fixture, &catalog_fixture_kind, key,
                                                RESOLVE_FETCH, &left_ms),
                            key);
        assert_string_equal(catalog_fixture_ask(fixture, &catalog_fixture_kind, "0",
                                                RESOLVE_FETCH, &left_ms),
                            "0");
    }
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        known += strcmp(catalog_fixture_ask(fixture, &catalog_fixture_kind, key,
                                            RESOLVE_KNOWN, &left_ms),
                        key) == 0;
    }
    assert_in_range(known, 2, 4096 / 100); /* an entry takes more than that */
    /* what was used of late is there, what was not is gone */
    assert_string_equal(catalog_fixture_ask(fixture, &catalog_fixture_kind, "99",
                                            RESOLVE_KNOWN, &left_ms),
                        "99");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "0", RESOLVE_KNOWN, &left_ms),
        "0");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "1", RESOLVE_KNOWN, &left_ms),
        "-EINPROGRESS");
    assert_string_equal(
        catalog_fixture_ask(fixture, &kept_kind, "kept", RESOLVE_KNOWN, &left_ms),
        "kept");
}

static void kinds_do_not_mix(void **state)
{
    struct catalog_fixture *fixture = *state;
    int64_t left_ms;

    memory_backend_set(fixture->memory, "a", "one");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "a", RESOLVE_FETCH, &left_ms),
        "one");
    assert_string_equal(
        catalog_fixture_ask(fixture, &kept_kind, "a", RESOLVE_KNOWN, &left_ms),
        "-EINPROGRESS");
}

/* The first asks and is held; the others come meanwhile. One that was scheduled only
 * after the release asks by itself (its TTL is 0), so that at most THREADS ask. */
static void ask_at_once(struct catalog_fixture *fixture, int code, const char *expected)
{
    struct asker askers[THREADS];
    int64_t left_ms;

    fault_backend_block(fixture->fault, FAULT_OBJECT_OPEN, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.fixture = fixture, .kind = &alias_kind};
        assert_int_equal(
            thread_start(&askers[i].thread, "ask", ask_in_thread, &askers[i]), 0);
    }
    assert_true(fault_backend_wait_blocked(fixture->fault, 1));
    /* whoever must not wait is answered meanwhile */
    assert_string_equal(
        catalog_fixture_ask(fixture, &alias_kind, "a", RESOLVE_KNOWN, &left_ms),
        "-EINPROGRESS");
    assert_string_equal(
        catalog_fixture_ask(fixture, &catalog_fixture_kind, "b", RESOLVE_KNOWN, &left_ms),
        "-EINPROGRESS");
    if (code)
        fault_backend_fail(fixture->fault, FAULT_ALL, NULL, code, FAULT_ALWAYS);
    fault_backend_release(fixture->fault);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_string_equal(askers[i].answer, expected);
    }
}

static void nobody_waits_but_who_fetches_the_same(void **state)
{
    struct catalog_fixture *fixture = *state;

    memory_backend_set(fixture->memory, "a", "one");
    ask_at_once(fixture, 0, "one");
    assert_in_range(counting_backend_calls(fixture->counting).get, 1, THREADS);
}

static void all_who_wait_get_the_failure(void **state)
{
    struct catalog_fixture *fixture = *state;

    ask_at_once(fixture, ETIMEDOUT, "ETIMEDOUT");
    assert_int_equal(counting_backend_total(fixture->counting), 0);
}

/* Once, and whoever wants it meanwhile waits for that. */
static void what_is_prefetched_is_asked_for_once(void **state)
{
    struct catalog_fixture *fixture = *state;
    struct asker asker = {.fixture = fixture, .kind = &kept_kind};

    memory_backend_set(fixture->memory, "a", "one");
    fault_backend_block(fixture->fault, FAULT_OBJECT_OPEN, NULL);
    catalog_prefetch(fixture->catalog, 0, &kept_kind, "a");
    catalog_prefetch(fixture->catalog, 0, &kept_kind, "a");
    assert_true(fault_backend_wait_blocked(fixture->fault, 1));
    assert_int_equal(thread_start(&asker.thread, "ask", ask_in_thread, &asker), 0);
    fault_backend_release(fixture->fault);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_string_equal(asker.answer, "one");
    assert_int_equal(counting_backend_calls(fixture->counting).get, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, catalog_fixture_open, catalog_fixture_close)
        TEST(answers_age),
        TEST(what_is_down_costs_nobody_a_wait),
        TEST(what_is_only_noted_is_not_asked_for),
        TEST(what_is_silent_counts_as_down),
        TEST(failure_is_told_while_nothing_is_known),
        TEST(memory_is_limited_but_for_kept_kinds),
        TEST(kinds_do_not_mix),
        TEST(nobody_waits_but_who_fetches_the_same),
        TEST(all_who_wait_get_the_failure),
        TEST(what_is_prefetched_is_asked_for_once),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
