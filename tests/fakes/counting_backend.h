/* counting_backend.h: a backend around a backend that counts calls and bytes. */
#ifndef TESTS_FAKES_COUNTING_BACKEND_H
#define TESTS_FAKES_COUNTING_BACKEND_H

#include "backends/backend.h"

struct counting_calls {
    uint64_t stat, checksum, get, list, list_deep, put, replace, remove, object_open,
        object_open_tail, object_read, object_check;
    uint64_t bytes_read; /* of objects */
};

/* Takes over inner, which closes with it. */
struct backend *counting_backend_new(struct backend *take_inner);

/* What was called since the last reset. Thread-safe. */
struct counting_calls counting_backend_calls(struct backend *backend);
void counting_backend_reset(struct backend *backend);

/* Sum of all calls that ask the store something. */
uint64_t counting_backend_total(struct backend *backend);

#endif
