/* test_failures.c: a failure is said once, and the last ones are remembered. */
#include "tests/test.h"

#include "common/yaml.h"
#include "fs/failures.h"

#include <string.h>

static void test_said_once(void **state)
{
    struct failures *failures = failures_new();
    struct error err = {0};
    struct bytes text;
    struct yaml *yaml = NULL;

    (void)state;
    for (int i = 0; i < 5; i++)
        failures_note(failures, "model 3e120e8d: \"damaged\"\n\\ at é");
    failures_note(failures, "something else");
    assert_int_equal(failures_count(failures), 6);

    bytes_init(&text, 64 * KIB);
    assert_int_equal(bytes_printf(&text, &err, "errors:\n"), 0);
    assert_int_equal(failures_print(failures, &text, &err), 0);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    assert_int_equal(yaml_get(yaml_root(yaml), "errors")->list.count, 2);
    yaml_tree_free(yaml);
    bytes_done(&text);
    failures_free(failures);
}

static void test_only_the_last_are_kept(void **state)
{
    struct failures *failures = failures_new();
    struct error err = {0};
    struct bytes text;
    char message[32];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(message, sizeof message, "failure %d.", i);
        failures_note(failures, message);
    }
    bytes_init(&text, 64 * KIB);
    assert_int_equal(failures_print(failures, &text, &err), 0);
    assert_null(strstr(text.data, "failure 1."));
    assert_non_null(strstr(text.data, "failure 99."));
    assert_true(strstr(text.data, "failure 98.") < strstr(text.data, "failure 99."));
    bytes_done(&text);
    failures_free(failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said_once),
        cmocka_unit_test(test_only_the_last_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
