/* test_resolver_status.c: what @status says of each repository. */
#include "tests/test.h"

#include "common/sync.h"
#include "resolver/resolver.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <string.h>

static void assert_status(struct repositories *fixture, size_t repository,
                          const char *const *wanted, const char *unwanted)
{
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};
    char *begin, *end;

    bytes_init(&text, MIB);
    assert_int_equal(resolver_print_status(fixture->resolver, &text, &err), 0);
    begin = text.data;
    for (size_t i = 0; i < repository; i++)
        begin = strstr(begin + 1, "  - name: ");
    assert_non_null(begin);
    end = strstr(begin + 1, "  - name: ");
    if (end)
        *end = '\0';
    for (; *wanted; wanted++)
        if (!strstr(begin, *wanted))
            fail_msg("no '%s' in:\n%s", *wanted, begin);
    if (unwanted && strstr(begin, unwanted))
        fail_msg("'%s' in:\n%s", unwanted, begin);
}

static void list_models(struct repositories *fixture)
{
    struct names *names;
    struct error err = {0};

    if (resolver_names(fixture->resolver, NAMES_OF_MODELS, RESOLVE_FETCH, &names, &err) ==
        0)
        names_unref(names);
}

static void states_tell_how_asking_went(void **state)
{
    static const char *const before[] = {"name: \"first\"\n", "state: not asked yet\n",
                                         "requests: 0\n", "failures: 0\n", NULL};
    static const char *const asked[] = {"name: \"first\"\n",   "state: ok\n",
                                        "last_success_s: 0\n", "requests: 1\n",
                                        "    models: 1\n",     NULL};
    static const char *const dead[] = {"name: \"second\"\n",    "state: failing\n",
                                       "last_failure_s: 0\n",   "failures: 1\n",
                                       "last_error: \"fault: ", NULL};
    static const char *const stale[] = {"name: \"first\"\n", "state: stale\n",
                                        "last_error: \"fault: ", "    models: 1\n", NULL};
    struct repositories *fixture = *state;
    struct error why;

    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    assert_status(fixture, 0, before, "models:");
    assert_int_equal(resolver_check(fixture->resolver, 0, &why), -EAGAIN);
    assert_false(resolver_await_answers(fixture->resolver, clock_now_ms()));
    repositories_die(fixture, 1);
    list_models(fixture);
    assert_status(fixture, 0, asked, "last_error");
    assert_status(fixture, 1, dead, "last_success_s");
    assert_true(resolver_await_answers(fixture->resolver, clock_now_ms() + 60000));
    assert_int_equal(resolver_check(fixture->resolver, 0, &why), 0);
    assert_int_equal(resolver_check(fixture->resolver, 1, &why), -EIO);
    assert_non_null(strstr(why.message, "fault: "));
    assert_false(resolver_is_down(fixture->resolver, 0));
    assert_true(resolver_is_down(fixture->resolver, 1));
    repositories_die(fixture, 0);
    resolver_forget_model(fixture->resolver, "3e120e8d", "1.0.0");
    list_models(fixture);
    assert_status(fixture, 0, stale, NULL);
    assert_true(resolver_is_down(fixture->resolver, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(states_tell_how_asking_went, repositories_set_up,
                                        repositories_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
