/* test_byte_lock.c: who may have a byte beside whom. */
#include "tests/test.h"

#include "cache/byte_lock.h"
#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BYTE = 3, OTHER = 4 };

/* Two open files of one name, as two processes have them. */
struct pair {
    int mine, theirs;
};

static struct pair open_pair(void)
{
    char path[] = "/tmp/modelfs-lock-XXXXXX";
    struct pair pair = {.mine = mkstemp(path)};

    pair.theirs = open(path, O_RDWR | O_CLOEXEC);
    unlink(path);
    assert_true(pair.mine >= 0 && pair.theirs >= 0);
    return pair;
}

static void close_pair(const struct pair *pair)
{
    close(pair->mine);
    close(pair->theirs);
}

enum how {
    NOT,
    READ,
    WRITE,
};

static int take(int fd, enum how how, uint64_t byte)
{
    struct error err = {0};

    return how == NOT    ? 0
           : how == READ ? byte_lock_read(fd, byte, BYTE_LOCK_TRY, &err)
                         : byte_lock_write(fd, byte, BYTE_LOCK_TRY, &err);
}

static void writers_are_alone(void **state)
{
    static const struct {
        enum how theirs;
        uint64_t byte;
        enum how mine;
        int rc;
        bool is_taken;
    } cases[] = {
        {NOT,   BYTE,  WRITE, 0,       false},
        {NOT,   BYTE,  READ,  0,       false},
        {READ,  BYTE,  READ,  0,       true },
        {READ,  BYTE,  WRITE, -EAGAIN, true },
        {WRITE, BYTE,  READ,  -EAGAIN, true },
        {WRITE, BYTE,  WRITE, -EAGAIN, true },
        {WRITE, OTHER, WRITE, 0,       false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pair pair = open_pair();

        test_row(i, "%d beside %d", cases[i].mine, cases[i].theirs);
        assert_int_equal(take(pair.theirs, cases[i].theirs, cases[i].byte), 0);
        assert_int_equal(byte_lock_is_taken(pair.mine, BYTE), cases[i].is_taken);
        assert_int_equal(take(pair.mine, cases[i].mine, BYTE), cases[i].rc);
        byte_lock_drop(pair.theirs, cases[i].byte);
        assert_false(byte_lock_is_taken(pair.mine, BYTE));
        assert_int_equal(take(pair.mine, cases[i].mine, BYTE), 0);
        close_pair(&pair);
    }
}

static void one_sort_turns_into_the_other(void **state)
{
    struct pair pair = open_pair();

    (void)state;
    assert_int_equal(take(pair.mine, READ, BYTE), 0);
    assert_int_equal(take(pair.mine, WRITE, BYTE), 0);
    assert_int_equal(take(pair.theirs, READ, BYTE), -EAGAIN);
    assert_int_equal(take(pair.mine, READ, BYTE), 0);
    assert_int_equal(take(pair.theirs, READ, BYTE), 0);
    assert_int_equal(take(pair.mine, WRITE, BYTE), -EAGAIN);
    close_pair(&pair);
}

static void what_is_no_file_cannot_be_locked(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(byte_lock_write(-1, BYTE, BYTE_LOCK_TRY, &err), -EBADF);
    assert_int_equal(byte_lock_read(-1, BYTE, BYTE_LOCK_TRY, &err), -EBADF);
    assert_false(byte_lock_is_taken(-1, BYTE));
    byte_lock_drop(-1, BYTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_are_alone),
        cmocka_unit_test(one_sort_turns_into_the_other),
        cmocka_unit_test(what_is_no_file_cannot_be_locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
