/* test_reply_backed.c: what OPEN is told about files for passthrough. */
#include "tests/test.h"

#include "fs/kernel.h"
#include "fs/reply_backed.h"
#include "tests/fakes/fuse_fake.h"

#include <string.h>

static void opens_name_their_backing_file(void **state)
{
    struct fuse_file_info fi = {.fh = 77, .keep_cache = 1, .noflush = 1};
    struct fuse_req *plain = fuse_fake_request(NULL), *backed = fuse_fake_request(NULL);
    struct kernel_open_out out;

    (void)state;
    assert_int_equal(reply_backed_open(plain, &fi, 0), 0);
    assert_int_equal(plain->reply.kind, REPLY_OPEN);
    assert_int_equal(plain->reply.fi.fh, 77);
    assert_int_equal(reply_backed_open(backed, &fi, 5), 0);
    assert_int_equal(backed->reply.kind, REPLY_BYTES);
    assert_int_equal(backed->reply.size, sizeof out);
    memcpy(&out, backed->reply.data, sizeof out);
    assert_int_equal(out.fh, 77);
    assert_int_equal(out.open_flags, 1 << 7 | 1 << 5); /* FOPEN_PASSTHROUGH, _NOFLUSH */
    assert_int_equal(out.backing_id, 5);
    fuse_fake_free(plain);
    fuse_fake_free(backed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_name_their_backing_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
