/* test_alias.c: the documents that make an alias, as audmodel writes them. */
#include "tests/test.h"

#include "resolver/alias.h"

#include <errno.h>
#include <string.h>

static void an_alias_names_a_model(void **state)
{
    static const struct {
        const char *text;
        int rc;
        const char *uid;     /* or */
        const char *message; /* in part */
    } cases[] = {
        {"uid: 3e120e8d-2.0.0\n", 0,        "3e120e8d-2.0.0", NULL                                       },
        {"uid: '12345678'\n",     0,        "12345678",       NULL                                       },
        {"{other: 1, uid: a}",    0,        "a",              NULL                                       },
        {"",                      -EBADMSG, NULL,             "it must be a mapping, not null"           },
        {"- a\n",                 -EBADMSG, NULL,             "it must be a mapping, not list"           },
        {"id: a\n",               -EBADMSG, NULL,             "it has no 'uid'"                          },
        {"uid: 12345678\n",       -EBADMSG, NULL,             "line 1, column 6: 'uid' must be text, not"},
        {"uid: \"a\\0b\"\n",      -EBADMSG, NULL,             "'uid' must be text"                       },
        {"uid: [\n",              -EBADMSG, NULL,             "line 2, column 1: "                       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *uid = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        assert_int_equal(alias_parse(cases[i].text, strlen(cases[i].text), &uid, &err),
                         cases[i].rc);
        if (cases[i].rc == 0) {
            assert_string_equal(uid, cases[i].uid);
            continue;
        }
        assert_null(uid);
        assert_non_null(strstr(err.message, "alias document: "));
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void a_list_has_its_aliases(void **state)
{
    static const struct {
        const char *text;
        int rc;
        const char *joined;  /* or */
        const char *message; /* in part */
    } cases[] = {
        {"aliases:\n- emotion-production\n- emotion-small\n", 0,
         "emotion-production,emotion-small,",                                     NULL                                },
        {"aliases: []\n",                                     0,        "",       NULL                                },
        {"aliases:\n",                                        0,        "",       NULL                                },
        {"aliases: ['123', a]\n",                             0,        "123,a,", NULL                                },
        {"",                                                  -EBADMSG, NULL,     "it must be a mapping, not null"    },
        {"a: 1\n",                                            -EBADMSG, NULL,     "it has no 'aliases'"               },
        {"aliases: a\n",                                      -EBADMSG, NULL,     "'aliases' must be a list, not text"},
        {"aliases:\n- a\n- 5\n",                              -EBADMSG, NULL,
         "line 3, column 3: an alias must be text"                                                                    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ALIAS_LIST struct alias_list list = {0};
        struct error err = {0};
        char joined[100] = "";

        test_row(i, "%s", cases[i].text);
        assert_int_equal(
            alias_list_parse(cases[i].text, strlen(cases[i].text), &list, &err),
            cases[i].rc);
        if (cases[i].rc < 0) {
            assert_non_null(strstr(err.message, "list of aliases: "));
            assert_non_null(strstr(err.message, cases[i].message));
            continue;
        }
        for (size_t j = 0; j < list.count; j++) {
            size_t used = strlen(joined);

            snprintf(joined + used, sizeof joined - used, "%s,", list.aliases[j]);
        }
        assert_string_equal(joined, cases[i].joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alias_names_a_model),
        cmocka_unit_test(a_list_has_its_aliases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
