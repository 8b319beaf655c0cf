/* test_reply.c: which errno users see, and that a failure is said once. */
#include "tests/test.h"

#include "common/yaml.h"
#include "fs/reply.h"

#include <errno.h>
#include <string.h>

static void test_errno_of_users(void **state)
{
    static const struct {
        int inside, outside;
    } rows[] = {
        {-ENOENT,       ENOENT      },
        {-ETIMEDOUT,    ETIMEDOUT   },
        {-ECONNREFUSED, ECONNREFUSED},
        {-EACCES,       EACCES      },
        {-EBADMSG,      EIO         },
        {-EIO,          EIO         },
        {-ENOSPC,       ENOSPC      },
        {-EROFS,        EROFS       },
        {-ENOTSUP,      ENOTSUP     },
        {-EAGAIN,       EAGAIN      },
        {-ESTALE,       ESTALE      },
        {-EFBIG,        EIO         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        test_row(i, "%s", strerrorname_np(-rows[i].inside));
        assert_int_equal(reply_errno(CALL_READ, rows[i].inside), rows[i].outside);
    }
}

static void test_said_once(void **state)
{
    struct reply_log *log = reply_log_new();
    struct error err = {0};
    struct bytes text;
    struct yaml *yaml = NULL;

    (void)state;
    for (int i = 0; i < 5; i++)
        reply_note(log, "model 3e120e8d: \"damaged\"\n\\ at é");
    reply_note(log, "something else");
    assert_int_equal(reply_log_count(log), 6);

    bytes_init(&text, 64 * KIB);
    assert_int_equal(bytes_printf(&text, &err, "errors:\n"), 0);
    assert_int_equal(reply_log_print(log, &text, &err), 0);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    assert_int_equal(yaml_get(yaml_root(yaml), "errors")->list.count, 2);
    yaml_tree_free(yaml);
    bytes_done(&text);
    reply_log_free(log);
}

static void test_only_the_last_are_kept(void **state)
{
    struct reply_log *log = reply_log_new();
    struct error err = {0};
    struct bytes text;
    char message[32];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(message, sizeof message, "failure %d.", i);
        reply_note(log, message);
    }
    bytes_init(&text, 64 * KIB);
    assert_int_equal(reply_log_print(log, &text, &err), 0);
    assert_null(strstr(text.data, "failure 1."));
    assert_non_null(strstr(text.data, "failure 99."));
    assert_true(strstr(text.data, "failure 98.") < strstr(text.data, "failure 99."));
    bytes_done(&text);
    reply_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errno_of_users),
        cmocka_unit_test(test_said_once),
        cmocka_unit_test(test_only_the_last_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
