/* byte_lock.c: locks between processes on single bytes of a file. */
#include "cache/byte_lock.h"

#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>

enum { RETRY_MS = 2 };

static struct flock one_byte(short type, uint64_t byte)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
}

/* 0: done, 1: another has it. */
static int set_lock(int fd, short type, uint64_t byte, struct error *err)
{
    struct flock lock = one_byte(type, byte);

    while (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno == EAGAIN || errno == EACCES)
            return 1;
        if (errno != EINTR)
            return fail_errno(err, "lock a file of the cache folder");
    }
    return 0;
}

static int wait_lock(int fd, short type, uint64_t byte, int timeout_ms, struct error *err)
{
    int64_t deadline_ms = clock_now_ms() + timeout_ms;

    for (;;) {
        int rc = set_lock(fd, type, byte, err);

        if (rc <= 0)
            return rc;
        if (clock_now_ms() >= deadline_ms)
            return fail(err, EAGAIN, "another process works on it");
        clock_sleep_ms(RETRY_MS);
    }
}

int byte_lock_write(int fd, uint64_t byte, int timeout_ms, struct error *err)
{
    return wait_lock(fd, F_WRLCK, byte, timeout_ms, err);
}

int byte_lock_read(int fd, uint64_t byte, int timeout_ms, struct error *err)
{
    return wait_lock(fd, F_RDLCK, byte, timeout_ms, err);
}

void byte_lock_drop(int fd, uint64_t byte)
{
    /* Cannot fail on a lock of ours. */
    (void)set_lock(fd, F_UNLCK, byte, &(struct error){0});
}

bool byte_lock_is_taken(int fd, uint64_t byte)
{
    struct flock lock = one_byte(F_WRLCK, byte);

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
