/* test_claim.c: one holder at a time; who died is succeeded. */
#include "tests/test.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "publish/claim.h"
#include "publish/process.h"
#include "tests/dead_process.h"
#include "tests/fakes/claims.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define ID "3e120e8d"
#define VERSION "1.0.0"
#define PATH "_uid/" ID "/" VERSION "/" ID "-" VERSION ".claim.yaml"

enum {
    NOW_S = 1700000000,
    THREADS = 8,
    SECOND_MS = 50,       /* of the store's clock, where it runs */
    LIFETIME_MS = 300000, /* the longest: by that clock still 15 s of a busy machine */
};

static const struct claim_options quick = {.lifetime_ms = LIFETIME_MS, .poll_ms = 1};

static int set_up(void **state)
{
    *state = fault_backend_new(memory_backend_new());
    return 0;
}

static int tear_down(void **state)
{
    backend_close(*state);
    return 0;
}

static int take(struct backend *backend, struct claim **ret_claim)
{
    struct error err = {0};

    return claim_take(backend, ID, VERSION, &quick, ret_claim, &err);
}

static bool exists(struct backend *backend)
{
    struct backend_stat stat;
    struct error err = {0};

    return backend_stat(backend, PATH, &stat, &err) == 0;
}

/* Put the claim of somebody else. */
static void put(struct backend *backend, const char *process, int lifetime_s)
{
    claims_put(backend, PATH, "abc", process, lifetime_s, 0);
}

static void test_one_holder_at_a_time(void **state)
{
    struct claim *first, *second;
    struct error err = {0};

    assert_int_equal(take(*state, &first), 0);
    assert_int_equal(claim_check(first, &err), 0);
    assert_int_equal(take(*state, &second), -EEXIST); /* this process lives */
    claim_release(first);
    assert_false(exists(*state));
    assert_int_equal(take(*state, &second), 0);
    claim_release(second);
}

static void test_document_says_who_and_until_when(void **state)
{
    CLEANUP_BYTES struct bytes text;
    char process[PROCESS_NAME_SIZE];
    struct claim *claim;
    struct error err = {0};

    bytes_init(&text, 4096);
    process_name(process);
    assert_int_equal(take(*state, &claim), 0);
    assert_int_equal(backend_get(*state, PATH, &text, &err), 0);
    assert_non_null(strstr(text.data, process));
    assert_non_null(strstr(text.data, "owner: "));
    assert_non_null(strstr(text.data, "nonce: "));
    assert_non_null(strstr(text.data, "\nexpires: 2"));
    claim_release(claim);
}

static void test_processes_have_names(void **state)
{
    char mine[PROCESS_NAME_SIZE], again[PROCESS_NAME_SIZE], dead[PROCESS_NAME_SIZE];
    static const char *const strangers[] = {"", "x", "a/b/c/d", "a/1/2/3", "////"};

    (void)state;
    process_name(mine);
    process_name(again);
    name_dead_process(dead);
    assert_string_equal(mine, again);
    assert_string_not_equal(mine, dead);
    assert_true(process_is_alive(mine) && !process_is_dead(mine));
    assert_true(process_is_dead(dead) && !process_is_alive(dead));
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
        test_row(i, "'%s'", strangers[i]);
        assert_false(process_is_alive(strangers[i]));
        assert_false(process_is_dead(strangers[i]));
    }
}

static void test_takes_over_who_died(void **state)
{
    char dead[PROCESS_NAME_SIZE];
    struct claim *claim;

    name_dead_process(dead);
    put(*state, dead, 60);
    assert_int_equal(take(*state, &claim), 0);
    claim_release(claim);
    assert_false(exists(*state));
}

/* By the store's clock, whatever ours says. */
static void test_takes_over_what_expired(void **state)
{
    static const struct {
        int lifetime_s;
        int age_s;
    } cases[] = {
        {60,      61  },
        {1,       2   },
        {0,       61  }, /* nonsense counts as the usual lifetime */
        {9999999, 3601},
    };
    struct backend *memory = memory_backend_new();
    struct claim *claim;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "lifetime %d, age %d", cases[i].lifetime_s, cases[i].age_s);
        memory_backend_set_now(memory, NOW_S);
        put(memory, "elsewhere", cases[i].lifetime_s);
        memory_backend_set_now(memory, NOW_S + cases[i].age_s);
        assert_int_equal(take(memory, &claim), 0);
        claim_release(claim);
        assert_false(exists(memory));
    }
    memory_backend_set(memory, PATH, "{ no claim");
    memory_backend_set_now(memory, NOW_S + 9999);
    assert_int_equal(take(memory, &claim), 0);
    claim_release(claim);
    backend_close(memory);
}

/* A store that creates on condition, but replaces without: those who come later look for
 * one document, so the one who takes over must have that. */
static void test_takes_over_where_nothing_is_replaced_on_condition(void **state)
{
    struct backend *memory = memory_backend_new();
    struct backend *backend = fault_backend_new(memory);
    char dead[PROCESS_NAME_SIZE];
    struct claim *first, *second;
    struct error err = {0};

    (void)state;
    memory_backend_run_clock(memory, SECOND_MS);
    name_dead_process(dead);
    put(backend, dead, 60);
    fault_backend_fail(backend, FAULT_REPLACE, NULL, ENOTSUP, FAULT_ALWAYS);
    assert_int_equal(take(backend, &first), 0);
    assert_int_equal(claim_check(first, &err), 0);
    assert_int_equal(take(backend, &second), -EEXIST);
    assert_int_equal(claim_check(first, &err), 0);
    fault_backend_clear(backend); /* to remove on condition it knows */
    claim_release(first);
    assert_false(exists(backend));
    backend_close(backend);
}

static int count_down(void *arg, struct error *err)
{
    return --*(int *)arg > 0 ? 0 : fail(err, EEXIST, "the model exists");
}

struct patience {
    int looks; /* left */
    int told;
    char owner[64];
    int64_t at_most_s;
};

static void note_wait(void *arg, const char *owner, int64_t at_most_s)
{
    struct patience *patience = arg;

    patience->told++;
    snprintf(patience->owner, sizeof patience->owner, "%s", owner);
    patience->at_most_s = at_most_s;
}

static void test_waits_until_the_model_exists(void **state)
{
    static const char unbounded[] =
        "owner: 'ann on host'\nprocess: ''\nnonce: 'n'\nlifetime: 9999999\n";
    struct patience patience = {.looks = 5};
    const struct claim_options options = {
        .poll_ms = 1, .is_wanted = count_down, .waits = note_wait, .arg = &patience};
    struct claim *claim;
    struct error err = {0};

    memory_backend_set(*state, PATH, unbounded);
    assert_int_equal(claim_take(*state, ID, VERSION, &options, &claim, &err), -EEXIST);
    assert_string_equal(err.message, "the model exists");
    assert_true(exists(*state));
    assert_int_equal(patience.told, 1);
    assert_string_equal(patience.owner, "ann on host");
    assert_int_equal(patience.at_most_s, 300);
}

struct other {
    struct backend *backend;
    int looks;
    bool removes; /* else it renews */
};

static int act(void *arg, struct error *err)
{
    struct other *other = arg;

    if (++other->looks == 3 && other->removes)
        return backend_remove(other->backend, PATH, err);
    if (other->looks == 3)
        put(other->backend, "elsewhere", 60);
    return 0;
}

static void test_waits_for_who_gives_it_back(void **state)
{
    struct other other = {.backend = *state, .removes = true};
    struct claim *claim;
    struct error err = {0};

    put(*state, "elsewhere", 60);
    assert_int_equal(
        claim_take(*state, ID, VERSION,
                   &(struct claim_options){.poll_ms = 1, .is_wanted = act, .arg = &other},
                   &claim, &err),
        0);
    claim_release(claim);
}

static void test_gives_way_to_who_renews(void **state)
{
    struct other other = {.backend = *state};
    struct claim *claim;
    struct error err = {0};

    put(*state, "elsewhere", 60);
    assert_int_equal(
        claim_take(*state, ID, VERSION,
                   &(struct claim_options){.poll_ms = 1, .is_wanted = act, .arg = &other},
                   &claim, &err),
        -EEXIST);
    assert_non_null(strstr(err.message, "x on y"));
}

static void test_notices_that_it_was_taken_over(void **state)
{
    struct claim *claim;
    struct error err = {0};

    assert_int_equal(take(*state, &claim), 0);
    put(*state, "elsewhere", 60);
    assert_int_equal(claim_check(claim, &err), -EEXIST);
    claim_release(claim);
    assert_true(exists(*state)); /* theirs */
}

static void test_is_renewed_while_held(void **state)
{
    const struct claim_options options = {.lifetime_ms = 2400};
    struct backend_stat before, now;
    struct claim *claim;
    struct error err = {0};

    assert_int_equal(claim_take(*state, ID, VERSION, &options, &claim, &err), 0);
    assert_int_equal(backend_stat(*state, PATH, &before, &err), 0);
    do
        assert_int_equal(backend_stat(*state, PATH, &now, &err), 0);
    while (strcmp(before.tag, now.tag) == 0);
    assert_int_equal(claim_check(claim, &err), 0);
    claim_release(claim);
    assert_false(exists(*state));
}

static void test_a_claim_that_cannot_be_renewed_is_not_trusted(void **state)
{
    const struct claim_options options = {.lifetime_ms = 30};
    struct claim *claim;
    struct error err = {0};
    int rc;

    assert_int_equal(claim_take(*state, ID, VERSION, &options, &claim, &err), 0);
    fault_backend_fail(*state, FAULT_REPLACE, NULL, ETIMEDOUT, FAULT_ALWAYS);
    do
        rc = claim_check(claim, &err);
    while (rc == 0);
    assert_int_equal(rc, -ETIMEDOUT);
    fault_backend_clear(*state);
    claim_release(claim);
    assert_false(exists(*state));
}

/* Who waited for another's claim longer than its own lives has not lost it by that. */
static void test_lives_from_when_it_was_got(void **state)
{
    const struct claim_options options = {.lifetime_ms = 2900, .poll_ms = 1};
    struct claim *claim;
    struct error err = {0};

    put(*state, "elsewhere", 3); /* the store's clock stands still */
    assert_int_equal(claim_take(*state, ID, VERSION, &options, &claim, &err), 0);
    assert_int_equal(claim_check(claim, &err), 0);
    claim_release(claim);
}

static void test_errors_of_the_store_come_through(void **state)
{
    struct claim *claim;

    fault_backend_fail(*state, FAULT_PUT, NULL, EACCES, 1);
    assert_int_equal(take(*state, &claim), -EACCES);
    put(*state, "elsewhere", 60);
    fault_backend_fail(*state, FAULT_OBJECT_OPEN, NULL, EHOSTUNREACH, 1);
    assert_int_equal(take(*state, &claim), -EHOSTUNREACH);
}

struct racer {
    struct backend *backend;
    struct claim *claim;
    int rc;
};

static void *race(void *arg)
{
    struct racer *racer = arg;

    racer->rc = take(racer->backend, &racer->claim);
    return NULL;
}

static void test_one_of_many_gets_it(void **state)
{
    struct racer racers[THREADS] = {{0}};
    pthread_t threads[THREADS];
    char dead[PROCESS_NAME_SIZE];
    int won = 0;

    name_dead_process(dead);
    put(*state, dead, 60);
    for (int i = 0; i < THREADS; i++) {
        racers[i].backend = *state;
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(racers[i].rc == 0 || racers[i].rc == -EEXIST);
        won += racers[i].rc == 0;
    }
    assert_int_equal(won, 1);
    for (int i = 0; i < THREADS; i++)
        claim_release(racers[i].claim);
}

static void test_tells_what_the_dead_left(void **state)
{
    char dead[PROCESS_NAME_SIZE];

    name_dead_process(dead);
    assert_false(claim_is_left(*state, ID, VERSION));
    put(*state, "elsewhere", 60);
    assert_false(claim_is_left(*state, ID, VERSION));
    put(*state, dead, 60);
    assert_true(claim_is_left(*state, ID, VERSION));
    assert_true(exists(*state));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_holder_at_a_time),
        TEST(test_document_says_who_and_until_when),
        TEST(test_processes_have_names),
        TEST(test_takes_over_who_died),
        TEST(test_takes_over_what_expired),
        TEST(test_takes_over_where_nothing_is_replaced_on_condition),
        TEST(test_waits_until_the_model_exists),
        TEST(test_waits_for_who_gives_it_back),
        TEST(test_gives_way_to_who_renews),
        TEST(test_notices_that_it_was_taken_over),
        TEST(test_is_renewed_while_held),
        TEST(test_a_claim_that_cannot_be_renewed_is_not_trusted),
        TEST(test_lives_from_when_it_was_got),
        TEST(test_errors_of_the_store_come_through),
        TEST(test_one_of_many_gets_it),
        TEST(test_tells_what_the_dead_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
