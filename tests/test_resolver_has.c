/* test_resolver_has.c: whether there is a model, and what finding out costs. */
#include "tests/test.h"

#include "resolver/resolver.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>

struct look {
    const char *id;
    int rc;
    uint64_t requests;
};

static void check(struct repositories *fixture, const struct look *looks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t before = repositories_requests(fixture);
        struct freshness fresh;
        struct error err = {0};

        test_row(i, "%s", looks[i].id);
        assert_int_equal(resolver_has_model(fixture->resolver, looks[i].id, RESOLVE_FETCH,
                                            &fresh, &err),
                         looks[i].rc);
        assert_int_equal(repositories_requests(fixture) - before, looks[i].requests);
    }
}
#define CHECK(fixture, ...)                                                              \
    check((fixture), (const struct look[]){__VA_ARGS__},                                 \
          sizeof((const struct look[]){__VA_ARGS__}) / sizeof(struct look))

static void one_listing_tells_of_a_few(void **state)
{
    struct repositories *fixture = *state;

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    repositories_set_header(fixture->memory[0], "00000001", "1.0.0");
    repositories_set_header(fixture->memory[1], "00000002", "1.0.0");
    CHECK(fixture, {"3e120e8d", 0, 1}, {"00000001", 0, 0}, {"00000002", 0, 1},
          {"3e120e8d", 0, 0});
    /* what is not listed is asked for: it may be new */
    repositories_set_header(fixture->memory[1], "00000003", "1.0.0");
    CHECK(fixture, {"00000003", 0, 4}, {"00000003", 0, 0}, {"deadbeef", -ENOENT, 3},
          {"deadbeef", -ENOENT, 0});
}

static void many_are_asked_for_one_by_one(void **state)
{
    struct repositories *fixture = *state;

    for (uint32_t i = 0; i < 1000; i++) {
        char id[16];

        snprintf(id, sizeof id, "%08x", i);
        repositories_set_header(fixture->memory[0], id, "1.0.0");
    }
    CHECK(fixture, {"00000000", 0, 6}, {"00000001", 0, 3}, {"00000001", 0, 0},
          {"deadbeef", -ENOENT, 3});
}

static void an_old_listing_tells_of_what_is_there(void **state)
{
    struct repositories *fixture = *state;
    struct names *names;
    struct error err = {0};

    repositories_open(fixture, 0, 0); /* each answer is old at once */
    repositories_set_header(fixture->memory[1], "3e120e8d", "1.0.0");
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    names_unref(names);
    CHECK(fixture, {"3e120e8d", 0, 0}, {"3e120e8d", 0, 0}, {"deadbeef", -ENOENT, 3},
          {"deadbeef", -ENOENT, 3});
    /* a newer one tells that it went */
    memory_backend_set(fixture->memory[1],
                       "_uid/3e120e8d/1.0.0/3e120e8d-1.0.0.header.yaml", NULL);
    assert_int_equal(
        resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err),
        0);
    names_unref(names);
    CHECK(fixture, {"3e120e8d", -ENOENT, 3});
}

static void dead_servers_are_no_answer(void **state)
{
    struct repositories *fixture = *state;

    for (size_t i = 0; i < REPOSITORIES; i++)
        repositories_die(fixture, i);
    CHECK(fixture, {"3e120e8d", -ETIMEDOUT, 0}, {"3e120e8d", -ETIMEDOUT, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, repositories_set_up, repositories_tear_down)
        TEST(one_listing_tells_of_a_few),
        TEST(many_are_asked_for_one_by_one),
        TEST(an_old_listing_tells_of_what_is_there),
        TEST(dead_servers_are_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
