/* test_login.c: what servers say is searched for secrets. */
#include "tests/test.h"

#include "backends/login.h"

static char user[] = "somebody-with-a-name", secret[] = "correct horse", brief[] = "pin",
            token[] = "eyJhbGciOi.token";

static void test_tells_who_repeats_a_secret(void **state)
{
    static const struct {
        const char *name, *text;
        struct login login;
        bool is_told;
    } cases[] = {
        {"the secret",     "Bad: correct horse",  {.user = user, .secret = secret}, true },
        {"its beginning",  "Bad: correct ",       {.user = user, .secret = secret}, true },
        {"less than that", "Bad: correct",        {.user = user, .secret = secret}, false},
        {"a short one",    "Bad: pin",            {.user = user, .secret = brief},  true },
        {"a token",        "Bearer eyJhbGciOi.t", {.user = user, .token = token},   true },
        {"the user",       "No somebody-with-a-", {.user = user, .secret = secret}, false},
        {"nobody's",       "Bad",                 {.is_anonymous = true},           false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].name);
        assert_int_equal(login_is_told(&cases[i].login, cases[i].text), cases[i].is_told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_who_repeats_a_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
