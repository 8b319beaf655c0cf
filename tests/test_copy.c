/* test_copy.c: bytes from file to file, on one disk and between two. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 1000000 };

static void fill(int fd)
{
    CLEANUP_FREE char *text = malloc(SIZE);

    for (int i = 0; i < SIZE; i++)
        text[i] = (char)(i * 7 + i / 251);
    assert_int_equal(pwrite(fd, text, SIZE, 0), SIZE);
}

static int disk_file(void)
{
    int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

/* Whatever the kernel can do for these two, the bytes are the same. */
static void bytes_arrive_at_any_offset(void **state)
{
    static const struct {
        const char *what;
        bool from_memory, to_memory;
        uint64_t from_offset, to_offset, size;
        int rc;
    } cases[] = {
        {"whole, one disk",     false, false, 0,        0,    SIZE, 0   },
        {"a part, one disk",    false, false, 12345,    4096, 7777, 0   },
        {"memory to disk",      true,  false, 17,       3,    5555, 0   },
        {"disk to memory",      false, true,  4096,     0,    9999, 0   },
        {"nothing",             false, false, 5,        5,    0,    0   },
        {"past the end",        false, false, SIZE,     0,    1,    -EIO},
        {"partly past the end", false, true,  SIZE - 9, 0,    10,   -EIO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_CLOSE int from =
            cases[i].from_memory ? memfd_create("from", MFD_CLOEXEC) : disk_file();
        CLEANUP_CLOSE int to =
            cases[i].to_memory ? memfd_create("to", MFD_CLOEXEC) : disk_file();
        size_t size = (size_t)cases[i].size;
        CLEANUP_FREE char *before = malloc(size + 1), *after = malloc(size + 1);
        struct error err = {0};

        test_row(i, "%s", cases[i].what);
        fill(from);
        assert_int_equal(
            copy_range(from, cases[i].from_offset, to, cases[i].to_offset, size, &err),
            cases[i].rc);
        if (cases[i].rc < 0)
            continue;
        assert_int_equal(pread(from, before, size, (off_t)cases[i].from_offset), size);
        assert_int_equal(pread(to, after, size + 1, (off_t)cases[i].to_offset), size);
        assert_memory_equal(before, after, size);
    }
}

/* Not on every disk, and not at every offset; but never a part. */
static void blocks_are_shared_or_nothing_is_done(void **state)
{
    CLEANUP_CLOSE int from = disk_file(), to = disk_file();
    CLEANUP_FREE char *before = malloc(SIZE), *after = malloc(SIZE);
    enum { BLOCK = 65536 };

    (void)state;
    fill(from);
    assert_int_equal(pread(from, before, SIZE, 0), SIZE);
    assert_false(copy_share(from, 1, to, 0, BLOCK)); /* inside a block of the disk */
    assert_int_equal(pread(to, after, SIZE, 0), 0);
    if (copy_share(from, BLOCK, to, 0, BLOCK)) {
        assert_int_equal(pread(to, after, SIZE, 0), BLOCK);
        assert_memory_equal(before + BLOCK, after, BLOCK);
    } else {
        assert_int_equal(pread(to, after, SIZE, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_at_any_offset),
        cmocka_unit_test(blocks_are_shared_or_nothing_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
