/* test_handover.c: the memory that workers share, and who may have it. */
#include "tests/test.h"

#include "fs/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct handover *make(void)
{
    struct handover *handover = NULL;
    struct error err = {0};

    assert_int_equal(handover_new(&handover, &err), 0);
    handover->device_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return handover;
}

/* As another process gets them. */
static void copy(const struct handover *handover, int fds[HANDOVER_FDS])
{
    handover_list(handover, fds);
    for (size_t i = 0; i < HANDOVER_FDS; i++) {
        fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        assert_true(fds[i] >= 0);
    }
}

static void close_all(const int fds[HANDOVER_FDS])
{
    for (size_t i = 0; i < HANDOVER_FDS; i++)
        close(fds[i]);
}

static void both_see_one_block(void **state)
{
    struct handover *first = make(), *second = NULL;
    int fds[HANDOVER_FDS], device_fd = first->device_fd;
    struct error err = {0};

    (void)state;
    copy(first, fds);
    assert_int_equal(handover_adopt(fds, &second, &err), 0);
    first->block->restarts = 17;
    assert_int_equal(second->block->restarts, 17);
    second->block->links_end = 3;
    assert_int_equal(first->block->links_end, 3);
    close(second->device_fd); /* the one that is not the handover's */
    handover_free(second);
    assert_int_equal(first->block->restarts, 17);
    handover_free(first);
    close(device_fd);
}

/* What is of another layout, or no block at all, is refused, and stays the caller's. */
static void others_are_refused(void **state)
{
    static const char *const rows[] = {"layout", "magic", "size", "no memory at all"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct handover *handover = make(), *adopted = NULL;
        int fds[HANDOVER_FDS], device_fd = handover->device_fd;
        struct error err = {0};

        test_row(i, "%s", rows[i]);
        copy(handover, fds);
        if (i == 0)
            handover->block->layout++;
        if (i == 1)
            handover->block->magic[0] ^= 1;
        if (i >= 2) {
            close(fds[HANDOVER_BLOCK]);
            fds[HANDOVER_BLOCK] = i == 2 ? memfd_create("small", MFD_CLOEXEC)
                                         : open("/dev/null", O_RDWR | O_CLOEXEC);
        }
        assert_int_equal(handover_adopt(fds, &adopted, &err), -EPROTO);
        assert_null(adopted);
        for (size_t at = 0; at < HANDOVER_FDS; at++)
            assert_true(fcntl(fds[at], F_GETFD) >= 0);
        close_all(fds);
        handover_free(handover);
        close(device_fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_see_one_block),
        cmocka_unit_test(others_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
