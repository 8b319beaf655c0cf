/* byte_lock.h: locks between processes on single bytes of a file.
 *
 *     rc = byte_lock_write(fd, BYTE, BYTE_LOCK_TRY, &err);
 *     ...
 *     byte_lock_drop(fd, BYTE);
 *
 * They belong to the open file description (F_OFD_SETLK), not to a thread: a process that
 * dies gives them back. The byte need not be in the file. */
#ifndef CACHE_BYTE_LOCK_H
#define CACHE_BYTE_LOCK_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { BYTE_LOCK_TRY = 0 };

/* Take it, or turn the other sort into it. BYTE_LOCK_TRY never waits, and may be used
 * with a mutex held. -EAGAIN: another has it, for longer than timeout_ms. */
int byte_lock_write(int fd, uint64_t byte, int timeout_ms, struct error *err);
int byte_lock_read(int fd, uint64_t byte, int timeout_ms, struct error *err);

/* One that is not ours is no error. */
void byte_lock_drop(int fd, uint64_t byte);

/* Would byte_lock_write find that another has it? false, too, where nobody can say. */
bool byte_lock_is_taken(int fd, uint64_t byte);

#endif
