/* test_reply.c: which errno users see. */
#include "tests/test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errno_of_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
