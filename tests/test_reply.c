/* test_reply.c: which errno users see, and which failures are told in the log. */
#include "tests/test.h"

#include "fs/failures.h"
#include "fs/reply.h"
#include "tests/fakes/fuse_fake.h"

#include <errno.h>
#include <string.h>

static const struct {
    enum call_kind kind;
    int inside, outside;
    unsigned told;
} rows[] = {
    {CALL_READ,  ENOENT,       ENOENT,       0},
    {CALL_READ,  ETIMEDOUT,    ETIMEDOUT,    1},
    {CALL_READ,  ECONNREFUSED, ECONNREFUSED, 1},
    {CALL_READ,  EACCES,       EACCES,       1},
    {CALL_READ,  EBADMSG,      EIO,          1},
    {CALL_READ,  EINVAL,       EIO,          1},
    {CALL_READ,  EIO,          EIO,          1},
    {CALL_READ,  ENOSPC,       ENOSPC,       1},
    {CALL_READ,  EROFS,        EROFS,        0},
    {CALL_READ,  ENOTSUP,      ENOTSUP,      1},
    {CALL_READ,  EAGAIN,       EAGAIN,       1},
    {CALL_READ,  ESTALE,       ESTALE,       0},
    {CALL_READ,  EFBIG,        EIO,          1},
    {CALL_READ,  EALREADY,     EIO,          0}, /* told when the publish failed */
    {CALL_WRITE, EINVAL,       EINVAL,       1},
    {CALL_WRITE, EFBIG,        EFBIG,        1},
};

static void test_errno_and_log(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fs fs = {.failures = failures_new()};
        const struct call call = {.kind = rows[i].kind, .req = fuse_fake_request(&fs)};
        struct error err = {0};
        int rc = fail(&err, rows[i].inside, "row %zu", i);

        test_row(i, "%s", strerrorname_np(rows[i].inside));
        reply(&fs, &call, rc, NULL, &err);
        assert_int_equal(fuse_fake_replies(call.req), 1);
        assert_int_equal(call.req->reply.kind, REPLY_ERR);
        assert_int_equal(call.req->reply.code, rows[i].outside);
        assert_int_equal(failures_count(fs.failures), rows[i].told);
        fuse_fake_free(call.req);
        failures_free(fs.failures);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errno_and_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
