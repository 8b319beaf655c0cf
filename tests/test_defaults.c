/* test_defaults.c: who publishes, in the order of Python's getpass.getuser(). */
#include "tests/test.h"

#include "common/defaults.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {"LOGNAME", "USER", "LNAME", "USERNAME"};

static void check_author(const char *expected)
{
    struct error err = {0};
    char *author = NULL;

    assert_int_equal(defaults_author(&author, &err), 0);
    assert_string_equal(author, expected);
    free(author);
}

static void the_first_variable_that_is_set_counts(void **state)
{
    const struct passwd *user = getpwuid(getuid());

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
    if (user)
        check_author(user->pw_name);
    for (size_t i = ARRAY_SIZE(names); i-- > 0;) {
        test_row(i, "%s", names[i]);
        setenv(names[i], names[i], 1);
        check_author(names[i]);
    }
    setenv("LOGNAME", "", 1);
    check_author("USER");
}

static void today_is_a_day_of_the_local_calendar(void **state)
{
    char before[DEFAULTS_DATE_SIZE], after[DEFAULTS_DATE_SIZE];

    (void)state;
    setenv("TZ", "AAA+12", 1);
    tzset();
    defaults_date(before);
    setenv("TZ", "AAA-13", 1); /* 25 hours on: the day after, or the one after that */
    tzset();
    defaults_date(after);
    assert_int_equal(strlen(before), 10);
    assert_true(strcmp(before, after) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_variable_that_is_set_counts),
        cmocka_unit_test(today_is_a_day_of_the_local_calendar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
