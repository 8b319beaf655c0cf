/* test_catalog_silence.c: a repository that does not answer holds nobody up. */
#include "tests/test.h"

#include "common/sync.h"
#include "resolver/health.h"
#include "tests/fakes/catalog_fixture.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, catalog_fixture_open, catalog_fixture_close)
        TEST(nobody_waits_for_a_silent_repository),
        TEST(silent_it_leaves_the_last_answer),
#undef TEST
    };

    lock_init(&gate.lock);
    condition_init(&gate.changed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
