/* test_claim_listed.c: one holder at a time without conditional writes. */
#include "tests/test.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/sync.h"
#include "publish/claim.h"
#include "tests/dead_process.h"
#include "tests/fakes/claims.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define ID "3e120e8d"
#define VERSION "1.0.0"
#define FOLDER "_uid/" ID "/" VERSION
#define PREFIX ID "-" VERSION ".claim-"

enum {
    NOW_S = 1700000000,   /* when the store's clock starts */
    SECOND_MS = 50,       /* of it */
    LIFETIME_MS = 300000, /* the longest: by that clock still 15 s of a busy machine */
    THREADS = 20,
    ROUNDS = 5,
};

static const struct claim_options quick = {.lifetime_ms = LIFETIME_MS, .poll_ms = 1};

static struct backend *memory; /* what *state is around */

static int set_up(void **state)
{
    memory = memory_backend_new();
    memory_backend_forget_conditions(memory);
    memory_backend_run_clock(memory, SECOND_MS);
    *state = fault_backend_new(memory);
    return 0;
}

static int tear_down(void **state)
{
    backend_close(*state);
    return 0;
}

static int take(struct backend *backend, struct claim **ret_claim, struct error *err)
{
    return claim_take(backend, ID, VERSION, &quick, ret_claim, err);
}

/* For the shortest lifetime that there is. */
static int take_short(struct backend *backend, struct claim **ret_claim)
{
    struct error err = {0};

    return claim_take(backend, ID, VERSION,
                      &(struct claim_options){.lifetime_ms = 1, .poll_ms = 1}, ret_claim,
                      &err);
}

struct found {
    unsigned count;
    char path[256]; /* of the last one */
};

static int note(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct found *found = arg;

    (void)err;
    if (strncmp(entry->name, PREFIX, strlen(PREFIX)) == 0) {
        found->count++;
        snprintf(found->path, sizeof found->path, FOLDER "/%s", entry->name);
    }
    return 0;
}

static struct found find(struct backend *backend)
{
    struct found found = {.count = 0};
    struct error err = {0};
    int rc = backend_list(backend, FOLDER, note, &found, &err);

    assert_true(rc == 0 || rc == -ENOENT);
    return found;
}

/* Put the claim of somebody else; since_s 0: as it is put first. */
static void put(struct backend *backend, const char *nonce, const char *process,
                int lifetime_s, long long since_s)
{
    CLEANUP_FREE char *path = xasprintf(FOLDER "/" PREFIX "%s.yaml", nonce);

    claims_put(backend, path, nonce, process, lifetime_s, since_s);
}

static void test_one_holder_at_a_time(void **state)
{
    struct claim *first, *second;
    struct error err = {0};

    assert_int_equal(take(*state, &first, &err), 0);
    assert_int_equal(find(*state).count, 1);
    assert_int_equal(claim_check(first, &err), 0);
    assert_int_equal(take(*state, &second, &err), -EEXIST); /* this process lives */
    assert_int_equal(find(*state).count, 1);
    claim_release(first);
    assert_int_equal(find(*state).count, 0);
    assert_int_equal(take(*state, &second, &err), 0);
    claim_release(second);
}

/* A store that knows conditions, but not the one for what is new: only the first write
 * tells. */
static void test_a_store_that_creates_without_conditions(void **state)
{
    struct backend *inner = memory_backend_new();
    struct backend *backend = fault_backend_new(inner);
    struct claim *claim;
    struct error err = {0};

    (void)state;
    memory_backend_run_clock(inner, SECOND_MS);
    fault_backend_fail(backend, FAULT_PUT, ".claim.yaml", ENOTSUP, FAULT_ALWAYS);
    assert_int_equal(take(backend, &claim, &err), 0);
    assert_int_equal(find(backend).count, 1);
    claim_release(claim);
    assert_int_equal(find(backend).count, 0);
    backend_close(backend);
}

struct racer {
    struct backend *backend;
    pthread_barrier_t *start;
    struct claim *claim;
    int rc;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct error err = {0};

    pthread_barrier_wait(racer->start);
    racer->rc = take(racer->backend, &racer->claim, &err);
    return NULL;
}

static void race_once(struct backend *backend)
{
    struct racer racers[THREADS] = {{0}};
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    int won = 0;

    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.backend = backend, .start = &start};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(racers[i].rc == 0 || racers[i].rc == -EEXIST);
        won += racers[i].rc == 0;
    }
    assert_int_equal(won, 1);
    assert_int_equal(find(backend).count, 1);
    for (int i = 0; i < THREADS; i++) {
        struct error err = {0};

        if (racers[i].claim)
            assert_int_equal(claim_check(racers[i].claim, &err), 0);
        claim_release(racers[i].claim);
    }
    assert_int_equal(find(backend).count, 0);
    pthread_barrier_destroy(&start);
}

static void test_one_of_many_gets_it(void **state)
{
    char dead[PROCESS_NAME_SIZE];

    name_dead_process(dead);
    for (size_t round = 0; round < ROUNDS; round++) {
        test_row(round, "%d at once", THREADS);
        put(*state, "00", dead, 60, 0);
        race_once(*state);
    }
}

static void test_counts_out_and_removes_who_died(void **state)
{
    char dead[PROCESS_NAME_SIZE];
    struct claim *claim;
    struct error err = {0};

    name_dead_process(dead);
    put(*state, "aa", dead, 60, NOW_S - 1000);
    put(*state, "bb", "elsewhere", 1, NOW_S - 1000);
    memory_backend_set(memory, FOLDER "/" PREFIX "cc.yaml", "{ none");
    memory_backend_set_now(memory, NOW_S + 100);
    assert_true(claim_is_left(*state, ID, VERSION));
    assert_int_equal(take(*state, &claim, &err), 0);
    assert_int_equal(find(*state).count, 1);
    assert_false(claim_is_left(*state, ID, VERSION));
    claim_release(claim);
    assert_int_equal(find(*state).count, 0);
    assert_false(claim_is_left(*state, ID, VERSION));
}

struct other {
    struct backend *backend;
    int looks;
    bool removes; /* else it renews */
};

static int act(void *arg, struct error *err)
{
    struct other *other = arg;
    struct found found;

    if (++other->looks != 3)
        return 0;
    found = find(other->backend);
    assert_int_equal(found.count, 1); /* who waits has none there */
    if (other->removes)
        return backend_remove(other->backend, found.path, err);
    put(other->backend, "ff", "elsewhere", 600, NOW_S);
    return 0;
}

static void test_waits_for_who_gives_it_back(void **state)
{
    struct other other = {.backend = *state, .removes = true};
    const struct claim_options options = {.poll_ms = 1, .is_wanted = act, .arg = &other};
    struct claim *claim;
    struct error err = {0};

    put(*state, "ff", "elsewhere", 600, 0);
    assert_int_equal(claim_take(*state, ID, VERSION, &options, &claim, &err), 0);
    claim_release(claim);
}

static void test_gives_way_to_who_renews(void **state)
{
    struct other other = {.backend = *state};
    const struct claim_options options = {.poll_ms = 1, .is_wanted = act, .arg = &other};
    struct claim *claim;
    struct error err = {0};

    put(*state, "ff", "elsewhere", 600, 0);
    assert_int_equal(claim_take(*state, ID, VERSION, &options, &claim, &err), -EEXIST);
    assert_non_null(strstr(err.message, "x on y"));
    assert_int_equal(find(*state).count, 1);
}

static void test_younger_claims_do_not_count(void **state)
{
    struct claim *claim;
    struct error err = {0};

    assert_int_equal(take(*state, &claim, &err), 0);
    put(*state, "00", "elsewhere", 600, 0);
    assert_int_equal(claim_check(claim, &err), 0);
    claim_release(claim);
    assert_int_equal(find(*state).count, 1); /* theirs */
}

static void test_older_claim_that_comes_back_counts(void **state)
{
    struct claim *claim;
    struct error err = {0};

    assert_int_equal(take(*state, &claim, &err), 0);
    put(*state, "00", "elsewhere", 600, NOW_S - 1);
    assert_int_equal(claim_check(claim, &err), -EEXIST);
    assert_non_null(strstr(err.message, "x on y"));
    claim_release(claim);
}

/* A renewal that put it back could let two hold it. */
static void test_removed_claim_is_lost(void **state)
{
    struct claim *claim;
    struct found found;
    struct error err = {0};

    assert_int_equal(take_short(*state, &claim), 0);
    found = find(*state);
    fault_backend_block(*state, FAULT_STAT, found.path);
    assert_true(fault_backend_wait_blocked(*state, 1)); /* the renewal begins */
    assert_int_equal(backend_remove(*state, found.path, &err), 0);
    fault_backend_release(*state);
    assert_int_equal(claim_check(claim, &err), -EEXIST);
    claim_release(claim);
    assert_int_equal(find(*state).count, 0);
}

static void test_is_renewed_in_its_place(void **state)
{
    CLEANUP_BYTES struct bytes text;
    struct backend_stat before, now;
    struct claim *claim;
    struct found found;
    struct error err = {0};
    char since[64];

    bytes_init(&text, 4096);
    assert_int_equal(take_short(*state, &claim), 0);
    found = find(*state);
    assert_int_equal(backend_stat(*state, found.path, &before, &err), 0);
    do {
        clock_sleep_ms(10);
        assert_int_equal(backend_stat(*state, found.path, &now, &err), 0);
    } while (strcmp(before.tag, now.tag) == 0);
    assert_int_equal(backend_get(*state, found.path, &text, &err), 0);
    snprintf(since, sizeof since, "\nsince: %lld\n", (long long)before.mtime_s);
    assert_non_null(strstr(text.data, since));
    claim_release(claim);
    assert_int_equal(find(*state).count, 0);
}

static void test_errors_of_the_store_come_through(void **state)
{
    static const struct {
        enum fault_calls calls;
        int code;
    } cases[] = {
        {FAULT_LIST, EHOSTUNREACH},
        {FAULT_PUT,  EACCES      },
        {FAULT_STAT, EIO         },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct claim *claim;
        struct error err = {0};

        test_row(i, "%d", cases[i].code);
        fault_backend_fail(*state, cases[i].calls, NULL, cases[i].code, 1);
        assert_int_equal(take(*state, &claim, &err), -cases[i].code);
        fault_backend_clear(*state);
        assert_int_equal(find(*state).count, 0);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_holder_at_a_time),
        cmocka_unit_test(test_a_store_that_creates_without_conditions),
        TEST(test_one_of_many_gets_it),
        TEST(test_counts_out_and_removes_who_died),
        TEST(test_waits_for_who_gives_it_back),
        TEST(test_gives_way_to_who_renews),
        TEST(test_younger_claims_do_not_count),
        TEST(test_older_claim_that_comes_back_counts),
        TEST(test_removed_claim_is_lost),
        TEST(test_is_renewed_in_its_place),
        TEST(test_errors_of_the_store_come_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
