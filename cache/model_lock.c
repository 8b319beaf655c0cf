/* model_lock.c: audmodel's lock files, so that both can work in one cache folder. */
#include "cache/model_lock.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { RETRY_MS = 50 };

/* A peer may remove lock files: then what we locked is not what the next one locks. */
static bool is_still_at(int dir_fd, const char *path, int fd)
{
    struct stat there, ours;

    return fstat(fd, &ours) == 0 &&
           fstatat(dir_fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

/* 1: locked, 0: somebody else has it. */
static int try_lock(int dir_fd, const char *path, int *ret_fd, struct error *err)
{
    CLEANUP_CLOSE int fd =
        files_open_beneath(dir_fd, path, O_RDWR | O_CREAT | O_TRUNC, 0664, err);

    if (fd < 0)
        return fail_context(err, fd, "lock file");
    (void)fchmod(fd, 0664); /* not ours: then its owner has set the mode */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK || errno == EINTR)
            return 0;
        return fail_errno(err, "lock '%s'", path);
    }
    if (!is_still_at(dir_fd, path, fd))
        return 0;
    *ret_fd = steal_fd(&fd);
    return 1;
}

int model_lock_acquire(int dir_fd, const char *path, int timeout_ms, int *ret_fd,
                       struct error *err)
{
    int64_t deadline_ms = clock_now_ms() + timeout_ms;

    for (;;) {
        int rc = try_lock(dir_fd, path, ret_fd, err);

        if (rc != 0)
            return rc < 0 ? rc : 0;
        if (clock_now_ms() >= deadline_ms)
            return fail(err, ETIMEDOUT,
                        "another process has held the lock '%s' for %d ms", path,
                        timeout_ms);
        clock_sleep_ms(RETRY_MS);
    }
}

void model_lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
