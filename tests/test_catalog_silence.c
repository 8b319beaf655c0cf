/* test_catalog_silence.c: a repository that does not answer holds nobody up. */
#include "tests/test.h"

#include "common/sync.h"
#include "resolver/health.h"
#include "tests/fakes/catalog_fixture.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <pthread.h>

enum {
    ASKERS = 44,      /* more than there are threads that ask */
    HANGING_MAX = 12, /* requests to one repository at once */
};

/* The first that ask it hang until it is opened. */
static struct {
    struct lock lock;
    struct condition changed;
    int hang;    /* so many; guarded by lock, as all here */
    int hanging; /* of them do */
} gate;

static int ask_at_gate(struct catalog_request *request, const char *key,
                       struct listing **ret_listing, struct error *err)
{
    lock_acquire(&gate.lock);
    if (gate.hang > 0) {
        gate.hang--;
        gate.hanging++;
        condition_broadcast(&gate.changed);
        while (gate.hanging > 0)
            condition_wait(&gate.changed, &gate.lock);
    }
    lock_release(&gate.lock);
    return catalog_fixture_ask_document(request, key, ret_listing, err);
}

static const struct catalog_kind gate_kind = {
    .name = "gate", .ttl = CATALOG_TTL_LISTING, .ask = ask_at_gate};

struct waiter {
    struct catalog_fixture *fixture;
    pthread_t thread;
    int rc;
    struct catalog_answer answer;
};

static void *ask_gate(void *arg)
{
    struct waiter *waiter = arg;
    struct error err = {0};

    waiter->rc = catalog_get(waiter->fixture->catalog, 0, &gate_kind, "a", RESOLVE_FETCH,
                             &waiter->answer, &err);
    return NULL;
}

/* One that asks, until its request hangs. */
static void begin_to_hang(struct waiter *waiter, struct catalog_fixture *fixture)
{
    *waiter = (struct waiter){.fixture = fixture};
    lock_acquire(&gate.lock);
    gate.hang = 1;
    assert_int_equal(thread_start(&waiter->thread, "waiter", ask_gate, waiter), 0);
    while (gate.hanging == 0)
        condition_wait(&gate.changed, &gate.lock);
    lock_release(&gate.lock);
}

static void open_gate(void)
{
    lock_acquire(&gate.lock);
    gate.hanging = 0;
    condition_broadcast(&gate.changed);
    lock_release(&gate.lock);
}

static void nobody_waits_for_a_silent_repository(void **state)
{
    struct catalog_fixture *fixture = *state;
    struct waiter waiter;
    int64_t left_ms;

    memory_backend_set(fixture->memory, "a", "one");
    memory_backend_set(fixture->memory, "b", "two");
    begin_to_hang(&waiter, fixture);
    catalog_fixture_now_ms += HEALTH_SILENCE_MS;
    pthread_join(waiter.thread, NULL);
    assert_int_equal(waiter.rc, -ETIMEDOUT);
    assert_string_equal(
        catalog_fixture_ask(fixture, &gate_kind, "a", RESOLVE_KNOWN, &left_ms),
        "-EINPROGRESS"); /* somebody may find out whether it is back */
    /* It is, and what hangs from before is asked anew. */
    assert_string_equal(
        catalog_fixture_ask_back(fixture, &catalog_fixture_kind, "b", &left_ms), "two");
    catalog_fixture_now_ms++;
    assert_string_equal(
        catalog_fixture_ask(fixture, &gate_kind, "a", RESOLVE_FETCH, &left_ms), "one");
    open_gate();
}

static void silent_it_leaves_the_last_answer(void **state)
{
    struct catalog_fixture *fixture = *state;
    struct waiter waiter;
    int64_t left_ms;

    memory_backend_set(fixture->memory, "a", "one");
    assert_string_equal(
        catalog_fixture_ask(fixture, &gate_kind, "a", RESOLVE_FETCH, &left_ms), "one");
    catalog_fixture_now_ms += TTL_MS;
    begin_to_hang(&waiter, fixture);
    catalog_fixture_now_ms += HEALTH_SILENCE_MS;
    pthread_join(waiter.thread, NULL);
    assert_int_equal(waiter.rc, 0);
    assert_string_equal(waiter.answer.listing->names[0], "one");
    assert_int_equal(waiter.answer.left_ms, 0);
    listing_unref(waiter.answer.listing);
    open_gate();
}

/* One that asks a repository that hangs, then another one. */
struct asker {
    struct catalog *catalog;
    pthread_barrier_t *begin;
    pthread_t thread;
    char key[16];
    int rc; /* of the other one */
};

static void *ask_both(void *arg)
{
    struct asker *asker = arg;
    struct catalog_answer answer = {0};
    struct error err = {0};

    pthread_barrier_wait(asker->begin);
    (void)catalog_get(asker->catalog, 0, &catalog_fixture_kind, asker->key, RESOLVE_FETCH,
                      &answer, &err);
    asker->rc = catalog_get(asker->catalog, 1, &catalog_fixture_kind, asker->key,
                            RESOLVE_FETCH, &answer, &err);
    listing_unref(answer.listing);
    return NULL;
}

static struct catalog *open_two(struct backend *hanging, struct backend *good)
{
    struct backend *const backends[] = {hanging, good};
    struct catalog *catalog = NULL;
    struct error err = {0};

    assert_int_equal(catalog_open(
                         &(struct catalog_options){
                             .backends = backends,
                             .backend_count = 2,
                             .ttl_ms = {60000, 60000, 60000},
                             .silence_ms = 300
    },
                         &catalog, &err),
                     0);
    return catalog;
}

/* Of all that ask at one moment too few get a request that hangs to use up the threads
 * that ask. */
static void many_at_once_leave_threads_to_others(void **state)
{
    struct backend *hanging = fault_backend_new(memory_backend_new());
    struct backend *good = memory_backend_new();
    struct catalog *catalog = open_two(hanging, good);
    struct asker askers[ASKERS] = {0};
    struct catalog_state seen;
    pthread_barrier_t begin;

    (void)state;
    fault_backend_block(hanging, FAULT_ALL, NULL);
    pthread_barrier_init(&begin, NULL, ASKERS);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.catalog = catalog, .begin = &begin};
        snprintf(askers[i].key, sizeof askers[i].key, "key-%d", i);
        memory_backend_set(good, askers[i].key, "text");
        assert_int_equal(thread_start(&askers[i].thread, "asker", ask_both, &askers[i]),
                         0);
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].rc, 0);
    }
    catalog_state(catalog, 0, &seen);
    assert_in_range(seen.requests, 1, HANGING_MAX);
    fault_backend_release(hanging);
    pthread_barrier_destroy(&begin);
    catalog_close(catalog);
    backend_close(hanging);
    backend_close(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, catalog_fixture_open, catalog_fixture_close)
        TEST(nobody_waits_for_a_silent_repository),
        TEST(silent_it_leaves_the_last_answer),
#undef TEST
        cmocka_unit_test(many_at_once_leave_threads_to_others),
    };

    lock_init(&gate.lock);
    condition_init(&gate.changed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
