/* model_lock.h: audmodel's lock files, so that both can work in one cache folder.
 *
 *     rc = model_lock_acquire(root_fd, "3e120e8d/.1.0.0.lock", 10000, &lock_fd, &err);
 *     ... check and rename ...
 *     model_lock_release(lock_fd);
 *
 * flock(2) of a file that stays, taken as Python's filelock does. The lock is the
 * descriptor: the end of the process gives it back. Held only for a moment, with no mutex
 * held; only pool threads and commands wait for it. */
#ifndef CACHE_MODEL_LOCK_H
#define CACHE_MODEL_LOCK_H

#include "common/error.h"

/* Wait at most timeout_ms (0: try once) for the lock file at path below dir_fd; its
 * folder must exist. -ETIMEDOUT when somebody else has it for so long. */
int model_lock_acquire(int dir_fd, const char *path, int timeout_ms, int *ret_fd,
                       struct error *err);
void model_lock_release(int fd); /* accepts -1 */

#endif
