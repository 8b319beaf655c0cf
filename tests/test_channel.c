/* test_channel.c: what is agreed with the kernel in INIT, and what follows from it. */
#include "tests/test.h"

#include "fs/channel.h"
#include "fs/kernel.h"
#include "tests/fakes/fuse_fake.h"

#include <errno.h>
#include <string.h>

enum { MMAP = KERNEL_DIRECT_IO_ALLOW_MMAP, PASS = KERNEL_PASSTHROUGH, OTHER = 1 << 9 };

struct reply {
    struct kernel_out_header header;
    struct kernel_init_out init;
};

static void init_is_amended(void **state)
{
    static const struct {
        struct fuse_fake_kernel kernel;
        struct channel_options options;
        uint32_t flags2; /* agreed */
        bool maps, passes;
    } cases[] = {
        {{MMAP | PASS | OTHER, false, false}, {0},                      MMAP | PASS, true,  true },
        {{MMAP | PASS, false, true},          {0},                      MMAP | PASS, true,  false},
        {{MMAP, false, false},                {0},                      MMAP,        true,  false},
        {{0, false, false},                   {0},                      0,           false, false},
        {{MMAP | PASS, true, false},          {0},                      0,           false, false},
        {{MMAP | PASS, false, false},         {.no_passthrough = true}, MMAP,        true,  false},
        {{MMAP | PASS, false, false},         {.no_direct_mmap = true}, PASS,        false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct channel *channel;
        struct reply reply;

        test_row(i, "kernel offers %x", cases[i].kernel.flags2);
        channel = fuse_fake_channel(&cases[i].kernel, &cases[i].options, NULL);
        assert_int_equal(fuse_fake_init_reply(&reply, sizeof reply), sizeof reply);
        assert_int_equal(reply.header.len, sizeof reply);
        assert_int_equal(reply.header.error, 0);
        assert_int_equal(reply.init.major, 7);
        assert_int_equal(reply.init.flags2, cases[i].flags2);
        /* libfuse sets it too, for whom it knows it. */
        if (cases[i].flags2 || cases[i].kernel.no_flags2)
            assert_int_equal((reply.init.flags & KERNEL_INIT_EXT) != 0,
                             cases[i].flags2 != 0);
        assert_int_equal(reply.init.max_stack_depth, cases[i].flags2 & PASS ? 1 : 0);
        assert_true(reply.init.max_background >= 1024);
        assert_int_equal(channel_maps_direct_io(channel), cases[i].maps);
        assert_int_equal(channel_no_passthrough(channel) == NULL, cases[i].passes);
        assert_int_equal(fuse_fake_backings(), 0); /* the probe's is closed */
        channel_close(channel);
    }
}

static void backing_files(void **state)
{
    static const struct fuse_fake_kernel kernels[] = {
        {PASS, false, false},
        {PASS, false, true },
        {0,    false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
        struct channel *channel =
            fuse_fake_channel(&kernels[i], &(struct channel_options){0}, NULL);
        struct error err = {0};
        uint32_t backing_id = 0;
        int rc = channel_backing_open(channel, 1, &backing_id, &err);

        test_row(i, "%s", rc < 0 ? err.message : "passthrough");
        assert_int_equal(rc, i == 0 ? 0 : -ENOTSUP);
        assert_int_equal(backing_id != 0, i == 0);
        assert_int_equal(fuse_fake_backings(), i == 0);
        if (rc == 0)
            channel_backing_close(channel, backing_id);
        assert_int_equal(fuse_fake_backings(), 0);
        channel_close(channel);
    }
}

static void requests_know_their_owner(void **state)
{
    int owner;
    struct channel *channel = fuse_fake_channel(&(struct fuse_fake_kernel){0},
                                                &(struct channel_options){0}, &owner);
    struct fuse_req *req = fuse_fake_request(channel);

    (void)state;
    assert_ptr_equal(channel_owner(req), &owner);
    fuse_fake_free(req);
    channel_close(channel);
    channel_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_is_amended),
        cmocka_unit_test(backing_files),
        cmocka_unit_test(requests_know_their_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
