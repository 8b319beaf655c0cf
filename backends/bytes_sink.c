/* bytes_sink.c: a sink that appends to bytes. */
#include "backends/bytes_sink.h"

static int append(struct sink *base, const void *data, size_t size, struct error *err)
{
    const struct bytes_sink *sink = (struct bytes_sink *)base;

    return bytes_append(sink->to, data, size, err);
}

struct bytes_sink bytes_sink_of(struct bytes *to)
{
    return (struct bytes_sink){.base.write = append, .to = to, .before = to->size};
}

int bytes_sink_restart(void *arg, struct error *err)
{
    const struct bytes_sink *sink = arg;

    (void)err; /* cannot fail */
    bytes_cut(sink->to, 0, sink->before);
    return 0;
}
