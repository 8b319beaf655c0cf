/* test_channel.c: what is agreed with the kernel in INIT, and what follows from it. */
#include "tests/test.h"

#include "common/sync.h"
#include "fs/channel.h"
#include "fs/kernel.h"
#include "tests/fakes/fuse_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MMAP = KERNEL_DIRECT_IO_ALLOW_MMAP, PASS = KERNEL_PASSTHROUGH, OTHER = 1 << 9 };
enum { WAIT_MS = 10000 };

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

/* A mount whose device is a socket, and two threads that read it to its end. */
struct reading {
    struct handover *handover;
    struct channel *channel;
    pthread_t first, second;
};

static void *read_on(void *arg)
{
    struct reading *reading = arg;
    struct fuse_session *session = channel_session(reading->channel);
    struct fuse_buf buffer = {.mem = NULL};

    while (fuse_session_receive_buf(session, &buffer) > 0)
        ;
    free(buffer.mem);
    return NULL;
}

static void *agree_and_read_on(void *arg)
{
    struct reading *reading = arg;
    struct error err = {0};

    assert_int_equal(channel_agree(reading->channel, &err), 0);
    assert_int_equal(thread_start(&reading->second, "second", read_on, reading), 0);
    return read_on(arg);
}

static struct handover *open_on_socket(struct channel **ret_channel, int *ret_kernel_fd)
{
    struct handover *handover;
    struct error err = {0};
    int fds[2];

    assert_int_equal(handover_new(&handover, &err), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    handover->device_fd = fds[1];
    assert_int_equal(channel_open(&(struct channel_options){.handover = handover},
                                  &(struct fuse_lowlevel_ops){.init = NULL}, NULL,
                                  ret_channel, &err),
                     0);
    *ret_kernel_fd = fds[0];
    return handover;
}

static void send_request(int kernel_fd, uint32_t opcode)
{
    struct {
        struct kernel_in_header header;
        union {
            struct kernel_init_in init;
            struct kernel_io_in io;
        } body;
    } request = {
        .header = {.len = sizeof request, .opcode = opcode, .unique = 2 * opcode},
    };

    if (opcode == KERNEL_FUSE_INIT)
        request.body.init = (struct kernel_init_in){.major = 7, .minor = 38};
    else
        request.body.io = (struct kernel_io_in){.size = 1 << 20};
    assert_int_equal(send(kernel_fd, &request, sizeof request, 0), sizeof request);
}

/* A request that came was read, and nobody is at it any more. */
static bool is_idle(const struct handover_thread *threads, uint32_t opcode)
{
    bool is_read = false;

    for (int i = 0; i < 2; i++) {
        if (__atomic_load_n(&threads[i].header.unique, __ATOMIC_ACQUIRE) != 0)
            return false;
        is_read = is_read || threads[i].header.opcode == opcode;
    }
    return is_read;
}

/* A thread that waits until another one has read the device is at no request. */
static void who_waits_is_not_to_blame(void **state)
{
    struct reading reading = {.handover = NULL};
    const struct handover_block *block;
    int64_t deadline_ms;
    int kernel_fd;

    (void)state;
    reading.handover = open_on_socket(&reading.channel, &kernel_fd);
    block =
        mmap(NULL, sizeof *block, PROT_READ, MAP_SHARED, reading.handover->block_fd, 0);
    assert_ptr_not_equal(block, MAP_FAILED); /* as the next worker sees it */
    send_request(kernel_fd, KERNEL_FUSE_INIT);
    send_request(kernel_fd, KERNEL_FUSE_READ);
    assert_int_equal(thread_start(&reading.first, "first", agree_and_read_on, &reading),
                     0);
    deadline_ms = clock_now_ms() + WAIT_MS;
    while (!is_idle(block->threads, KERNEL_FUSE_READ)) {
        assert_true(clock_now_ms() < deadline_ms);
        clock_sleep_ms(1);
    }
    shutdown(kernel_fd, SHUT_RDWR);
    pthread_join(reading.first, NULL);
    pthread_join(reading.second, NULL);
    channel_close(reading.channel);
    close(reading.handover->device_fd);
    close(kernel_fd);
    munmap((void *)block, sizeof *block);
    handover_free(reading.handover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_is_amended),
        cmocka_unit_test(backing_files),
        cmocka_unit_test(requests_know_their_owner),
        cmocka_unit_test(who_waits_is_not_to_blame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
