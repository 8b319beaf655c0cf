/* bytes_sink.h: a sink that appends to bytes.
 *
 *     struct bytes_sink sink = bytes_sink_of(&bytes);
 *     rc = object_read(object, range, &sink.base, &err); */
#ifndef BACKENDS_BYTES_SINK_H
#define BACKENDS_BYTES_SINK_H

#include "backends/backend_types.h"
#include "common/bytes.h"

struct bytes_sink {
    struct sink base;
    struct bytes *to; /* lent */
    size_t before;    /* what it held */
};

struct bytes_sink bytes_sink_of(struct bytes *to);

/* Forget what came so far: as the restart of a request (http.h), with the sink as arg. */
int bytes_sink_restart(void *sink, struct error *err);

#endif
