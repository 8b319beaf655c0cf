/* memory_backend.h: a repository in memory: paths and their bytes.
 *
 *     struct backend *backend = memory_backend_new();
 *     memory_backend_set(backend, "_alias/a/1.0.0/a-1.0.0.alias.yaml", "uid: x\n");
 *     backend_close(backend);
 *
 * A whole vtable, thread-safe. Each put gives an object a new tag, so that objects opened
 * before fail with -ESTALE, as after a removal. */
#ifndef TESTS_FAKES_MEMORY_BACKEND_H
#define TESTS_FAKES_MEMORY_BACKEND_H

#include "backends/backend.h"
#include "tests/fakes/link.h"

struct backend *memory_backend_new(void);

/* Put a text, or remove the path with NULL; aborts where that fails. */
void memory_backend_set(struct backend *backend, const char *path, const char *text);

/* The same for bytes. */
void memory_backend_set_bytes(struct backend *backend, const char *path, const void *data,
                              size_t size);

/* Reads of objects come over a link, lent till the backend is closed. Before the first.
 */
void memory_backend_link(struct backend *backend, struct link *link);

/* Objects opened from now on have another connection. Before threads start. */
void memory_backend_keep_connections(struct backend *backend);

/* The store's clock, which dates what is put; it stands still. 1700000000 at first. */
void memory_backend_set_now(struct backend *backend, int64_t now_s);

/* From now on the clock runs, a second of it in second_ms. */
void memory_backend_run_clock(struct backend *backend, int64_t second_ms);

/* From now on it is a store without conditional writes. Call before threads start. */
void memory_backend_forget_conditions(struct backend *backend);

#endif
