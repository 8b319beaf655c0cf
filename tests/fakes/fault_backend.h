/* fault_backend.h: a backend around a backend whose calls a test makes fail or wait.
 *
 *     struct backend *backend = fault_backend_new(inner);
 *     fault_backend_fail(backend, FAULT_ALL, NULL, ETIMEDOUT, FAULT_ALWAYS);
 *     fault_backend_block(backend, FAULT_OBJECT_READ, "a/b.zip");
 *     ... start a thread that reads ...
 *     fault_backend_wait_blocked(backend, 1);
 *     fault_backend_release(backend);
 *     fault_backend_clear(backend);
 *
 * calls is a sum of enum fault_calls; path matches when it is part of the call's path,
 * NULL matches all. One rule of each sort holds at a time. Thread-safe. */
#ifndef TESTS_FAKES_FAULT_BACKEND_H
#define TESTS_FAKES_FAULT_BACKEND_H

#include "backends/backend.h"

enum fault_calls {
    FAULT_STAT = 1,
    FAULT_CHECKSUM = 2,
    FAULT_LIST = 4,
    FAULT_PUT = 8,
    FAULT_REMOVE = 16,
    FAULT_OBJECT_OPEN = 32,
    FAULT_OBJECT_READ = 64,
    FAULT_OBJECT_CHECK = 128,
    FAULT_REPLACE = 256,
    FAULT_ALL = 511,
};

#define FAULT_ALWAYS UINT64_MAX

/* Takes over inner, which closes with it. */
struct backend *fault_backend_new(struct backend *take_inner);

/* The next times matching calls fail with -code. */
void fault_backend_fail(struct backend *backend, unsigned calls, const char *path,
                        int code, uint64_t times);

/* The next times matching puts and replacements are done, and fail with -ETIMEDOUT. */
void fault_backend_lose_reply(struct backend *backend, unsigned calls, const char *path,
                              uint64_t times);

/* Object reads give at most so many bytes, then fail with -EIO. */
void fault_backend_truncate(struct backend *backend, const char *path, uint64_t bytes);

/* Object reads give byte at (an offset in the object) with all bits turned. */
void fault_backend_corrupt(struct backend *backend, const char *path, uint64_t at);

/* Matching calls wait until released; -ETIMEDOUT after 20 s, so that tests end. */
void fault_backend_block(struct backend *backend, unsigned calls, const char *path);

/* Until count calls wait at once; false after 20 s. */
bool fault_backend_wait_blocked(struct backend *backend, unsigned count);

/* Those that wait go on waiting; further calls do not. */
void fault_backend_pass(struct backend *backend);

/* Lets all go that wait, and those to come. */
void fault_backend_release(struct backend *backend);

/* No rules any more; lets all go. */
void fault_backend_clear(struct backend *backend);

#endif
