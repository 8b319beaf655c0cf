/* inflate.h: raw deflate streams unpacked by whichever library is fastest: as a whole, or
 * piece by piece as they come.
 *
 *     rc = inflate_whole(INFLATE_FASTEST, in, in_size, out, out_size, &err);
 *
 *     rc = inflate_open(INFLATE_FASTEST, &inflate, &err);
 *     do
 *         rc = inflate_run(inflate, in, in_size, out, out_size, &consumed, &produced,
 *                          &is_end, &err);
 *     while (rc == 0 && !is_end);
 *     inflate_close(inflate);
 *
 * A stream belongs to one thread at a time. */
#ifndef CACHE_INFLATE_H
#define CACHE_INFLATE_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inflate_engine {
    INFLATE_FASTEST, /* for the purpose, of those that work on this machine */
    INFLATE_ZLIB,
    INFLATE_ISAL,
    INFLATE_LIBDEFLATE, /* whole streams only */
};

/* Unpack a stream that is at hand: its in_size bytes, neither more nor less, to out_size
 * bytes. -EIO for damaged data and for other sizes, -ENOTSUP if the engine is of no use
 * on this machine, -ENOMEM. */
int inflate_whole(enum inflate_engine engine, const void *in, size_t in_size, void *out,
                  size_t out_size, struct error *err);

struct inflate;

/* -ENOTSUP if the engine is of no use on this machine or for streams, -ENOMEM. */
int inflate_open(enum inflate_engine engine, struct inflate **ret_inflate,
                 struct error *err);
void inflate_close(struct inflate *inflate); /* accepts NULL */
#define CLEANUP_INFLATE CLEANUP_WITH(inflate_cleanup)
static inline void inflate_cleanup(struct inflate **inflate)
{
    inflate_close(*inflate);
}

/* Unpack some: *ret_consumed bytes of in, to *ret_produced bytes of out; call again with
 * the rest. All of in consumed and out not full: more input is needed. in_size may be 0
 * (out was too small before) and so may out_size (only the end is missing).
 *
 * *ret_is_end: the stream ended; bytes of in behind it are not consumed, and further
 * calls only say so again. -EIO for damaged data; then the stream can only be closed. Not
 * all damage shows here: what comes out still has to match its CRC-32. */
int inflate_run(struct inflate *inflate, const void *in, size_t in_size, void *out,
                size_t out_size, size_t *ret_consumed, size_t *ret_produced,
                bool *ret_is_end, struct error *err);

/* Bytes of the deflate stream itself, exact once it ended: a member whose packed size is
 * another is damaged. */
uint64_t inflate_packed_size(const struct inflate *inflate);

#endif
