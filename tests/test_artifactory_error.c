#include "tests/test.h"

#include "backends/artifactory_error.h"

#include <errno.h>
#include <string.h>

static const struct {
    int status;
    const char *message;
    const char *user;
    bool is_about_repository;
    int rc;
    const char *part;
} cases[] = {
    {404, "Unable to find item",  "me", false, -ENOENT,       "'a/b' does not exist"        },
    {404, "File not found.",      "me", false, -ENOENT,       "'a/b' does not exist"        },
    {404, "Not Found",            "me", false, -ENOENT,       "'a/b' does not exist"        },
    {404, "",                     "me", false, -EHOSTUNREACH, "no repository 'models' at"   },
    {404, "no such context",      "me", false, -EHOSTUNREACH, "no such context; check"      },
    {404, "Unable to find item",  "me", true,  -EHOSTUNREACH, "no repository 'models'"      },
    {400, "Bad Request",          "me", true,  -EHOSTUNREACH, "no repository 'models'"      },
    {400, "Bad Request",          "me", false, -EIO,          "status 400 about 'a/b'"      },
    {401, "Bad credentials",      "me", false, -EACCES,       "the password of user 'me'"   },
    {401, "",                     "",   false, -EACCES,       "refuses the token; check"    },
    {401, "",                     NULL, false, -EACCES,       "set ARTIFACTORY_USERNAME"    },
    {403, "not permitted",        "me", false, -EACCES,       "user 'me' may not do that"   },
    {403, "",                     NULL, false, -EACCES,       "set ARTIFACTORY_USERNAME"    },
    {409, "Checksum error",       "me", false, -EIO,          "what arrived is not what was"},
    {412, "",                     "me", false, -ESTALE,       "was replaced"                },
    {413, "",                     "me", false, -EFBIG,        "larger than the server takes"},
    {416, "",                     "me", false, -EIO,          "ends before the part"        },
    {429, "",                     "me", false, -ETIMEDOUT,    "too many requests"           },
    {503, "",                     "me", false, -ETIMEDOUT,    "overloaded"                  },
    {507, "",                     "me", false, -ENOSPC,       "no room left"                },
    {500, "NullPointerException", "me", false, -EIO,          "status 500 about 'a/b': Null"},
};

static void test_statuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};
        int rc;

        test_row(i, "%d %s", cases[i].status, cases[i].message);
        rc = artifactory_error_fail(
            &(struct artifactory_error_facts){
                .status = cases[i].status,
                .message = cases[i].message,
                .host = "https://x/artifactory",
                .repository = "models",
                .path = "a/b",
                .user = cases[i].user,
                .moved_to = "",
                .is_about_repository = cases[i].is_about_repository,
            },
            &err);
        assert_int_equal(rc, cases[i].rc);
        if (!strstr(err.message, cases[i].part))
            fail_msg("%s", err.message);
    }
}

/* A redirect led to another server, as from http to https. */
static void test_elsewhere(void **state)
{
    static const struct {
        int status;
        int rc;
        const char *part;
    } rows[] = {
        {301, -EIO,    "sends requests on to 'https://y'; if"},
        {401, -EACCES, "no credentials and refuses them"     },
        {403, -EACCES, "'https://y'"                         },
        {404, -ENOENT, "'a/b' does not exist"                },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error err = {0};

        test_row(i, "%d", rows[i].status);
        assert_int_equal(artifactory_error_fail(
                             &(struct artifactory_error_facts){
                                 .status = rows[i].status,
                                 .message = "Not Found",
                                 .host = "http://x/artifactory",
                                 .repository = "models",
                                 .path = "a/b",
                                 .user = "me",
                                 .moved_to = "https://y",
                             },
                             &err),
                         rows[i].rc);
        assert_non_null(strstr(err.message, rows[i].part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
