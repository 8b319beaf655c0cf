/* inflate.c: raw deflate: whole streams by libdeflate; those that come in pieces by ISA-L
 * where the processor makes it the faster one, else by zlib. */
#include "cache/inflate.h"

#include "common/memory.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>

enum { PIECE_MAX = 1 << 30 }; /* bytes: the libraries count in 32 bits */

/* One call of a library: what it is given, and what is left of it. */
struct piece {
    const uint8_t *in;
    uint8_t *out;
    uint32_t in_left, out_left;
    bool is_end;
};

struct engine {
    const char *name;
    bool (*is_useful)(void);
    int (*open)(struct inflate *inflate, struct error *err);
    int (*run)(struct inflate *inflate, struct piece *piece, struct error *err);
    void (*close)(struct inflate *inflate);
};

struct inflate {
    const struct engine *engine;
    union {
        z_stream zlib;
        struct inflate_state *isal; /* 90 KiB */
    };
    uint64_t consumed; /* bytes of all calls */
    uint64_t behind;   /* of these, that lie behind the end of the stream */
    bool is_end;
};

static bool zlib_is_useful(void)
{
    return true;
}

static int zlib_open(struct inflate *inflate, struct error *err)
{
    if (inflateInit2(&inflate->zlib, -MAX_WBITS) != Z_OK)
        return fail(err, ENOMEM, "no memory to unpack");
    return 0;
}

static int zlib_run(struct inflate *owner, struct piece *piece, struct error *err)
{
    z_stream *stream = &owner->zlib;
    int rc;

    stream->next_in = (z_const Bytef *)piece->in;
    stream->avail_in = piece->in_left;
    stream->next_out = piece->out;
    stream->avail_out = piece->out_left;
    rc = inflate(stream, Z_NO_FLUSH);
    if (rc == Z_MEM_ERROR)
        return fail(err, ENOMEM, "no memory to unpack");
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return fail(err, EIO, "the packed data is damaged: %s",
                    stream->msg ? stream->msg : "no deflate stream");
    piece->in_left = stream->avail_in;
    piece->out_left = stream->avail_out;
    piece->is_end = rc == Z_STREAM_END;
    return 0;
}

static void zlib_close(struct inflate *inflate)
{
    (void)inflateEnd(&inflate->zlib); /* fails for a stream that is none alone */
}

/* Without its assembler ISA-L is slower than zlib. */
static bool isal_is_useful(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.1");
#elif defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

static int isal_open(struct inflate *inflate, struct error *err)
{
    inflate->isal = malloc(sizeof *inflate->isal);
    if (!inflate->isal)
        return fail(err, ENOMEM, "no memory to unpack");
    isal_inflate_init(inflate->isal);
    inflate->isal->crc_flag = ISAL_DEFLATE;
    return 0;
}

static const char *isal_complaint(int rc)
{
    switch (rc) {
    case ISAL_INVALID_BLOCK:
        return "invalid block";
    case ISAL_INVALID_SYMBOL:
        return "invalid symbol";
    case ISAL_INVALID_LOOKBACK:
        return "invalid distance too far back";
    default:
        return "no deflate stream";
    }
}

static int isal_run(struct inflate *inflate, struct piece *piece, struct error *err)
{
    struct inflate_state *state = inflate->isal;
    int rc;

    state->next_in = (uint8_t *)piece->in;
    state->avail_in = piece->in_left;
    state->next_out = piece->out;
    state->avail_out = piece->out_left;
    rc = isal_inflate(state);
    if (rc < 0)
        return fail(err, EIO, "the packed data is damaged: %s", isal_complaint(rc));
    piece->out_left = state->avail_out;
    piece->is_end = state->block_state == ISAL_BLOCK_FINISH;
    /* It reads up to 7 bytes past the end of the stream. 2.30 keeps them; newer ones step
     * back, even to before the piece. */
    if (piece->is_end)
        inflate->behind = (uint64_t)state->read_in_length / 8;
    if (state->avail_in > piece->in_left)
        inflate->behind += state->avail_in - piece->in_left;
    else
        piece->in_left = state->avail_in;
    return 0;
}

static void isal_close(struct inflate *inflate)
{
    free(inflate->isal);
}

/* The engines that take a stream in pieces. */
static const struct engine engines[] = {
    [INFLATE_ZLIB] = {"zlib",  zlib_is_useful, zlib_open, zlib_run, zlib_close},
    [INFLATE_ISAL] = {"isa-l", isal_is_useful, isal_open, isal_run, isal_close},
};

int inflate_open(enum inflate_engine engine, struct inflate **ret_inflate,
                 struct error *err)
{
    CLEANUP_FREE struct inflate *inflate = XNEW(struct inflate);
    int rc;

    if (engine == INFLATE_FASTEST)
        engine = isal_is_useful() ? INFLATE_ISAL : INFLATE_ZLIB;
    if (engine == INFLATE_LIBDEFLATE)
        return fail(err, ENOTSUP, "libdeflate takes no streams in pieces");
    inflate->engine = &engines[engine];
    if (!inflate->engine->is_useful())
        return fail(err, ENOTSUP, "%s is of no use on this machine",
                    inflate->engine->name);
    rc = inflate->engine->open(inflate, err);
    if (rc < 0)
        return rc;
    *ret_inflate = steal_ptr(&inflate);
    return 0;
}

void inflate_close(struct inflate *inflate)
{
    if (!inflate)
        return;
    inflate->engine->close(inflate);
    free(inflate);
}

/* Bytes that were read past the end go back to the caller as far as they are of this
 * call; the rest is remembered. */
static size_t give_back(struct inflate *inflate, size_t consumed)
{
    uint64_t back = inflate->behind < consumed ? inflate->behind : consumed;

    inflate->behind -= back;
    return consumed - (size_t)back;
}

int inflate_run(struct inflate *inflate, const void *in, size_t in_size, void *out,
                size_t out_size, size_t *ret_consumed, size_t *ret_produced,
                bool *ret_is_end, struct error *err)
{
    uint8_t nowhere[1]; /* the libraries want an address where no byte fits, too */
    uint32_t in_piece = in_size < PIECE_MAX ? (uint32_t)in_size : PIECE_MAX;
    uint32_t out_piece = out_size < PIECE_MAX ? (uint32_t)out_size : PIECE_MAX;
    struct piece piece = {in_size ? in : nowhere, out_size ? out : nowhere, in_piece,
                          out_piece, inflate->is_end};
    size_t consumed, produced;

    if (!inflate->is_end) {
        int rc = inflate->engine->run(inflate, &piece, err);

        if (rc < 0)
            return rc;
    }
    consumed = in_piece - piece.in_left;
    produced = out_piece - piece.out_left;
    if (!piece.is_end && in_piece && out_piece && !consumed && !produced)
        return fail(err, EIO, "the packed data is damaged: it does not go on");
    inflate->is_end = piece.is_end;
    consumed = give_back(inflate, consumed);
    inflate->consumed += consumed;
    *ret_consumed = consumed;
    *ret_produced = produced;
    *ret_is_end = piece.is_end;
    return 0;
}

uint64_t inflate_packed_size(const struct inflate *inflate)
{
    return inflate->consumed - inflate->behind;
}

static int fail_size(struct error *err)
{
    return fail(err, EIO,
                "the packed data is damaged: it or its content has another size");
}

static int whole_by_libdeflate(const void *in, size_t in_size, void *out, size_t out_size,
                               struct error *err)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    size_t consumed = 0, produced = 0;
    enum libdeflate_result result;

    if (!decompressor)
        return fail(err, ENOMEM, "no memory to unpack");
    result = libdeflate_deflate_decompress_ex(decompressor, in, in_size, out, out_size,
                                              &consumed, &produced);
    libdeflate_free_decompressor(decompressor);
    if (result == LIBDEFLATE_BAD_DATA)
        return fail(err, EIO, "the packed data is damaged: no deflate stream");
    if (result != LIBDEFLATE_SUCCESS || consumed != in_size || produced != out_size)
        return fail_size(err);
    return 0;
}

int inflate_whole(enum inflate_engine engine, const void *in, size_t in_size, void *out,
                  size_t out_size, struct error *err)
{
    CLEANUP_INFLATE struct inflate *inflate = NULL;
    size_t in_at = 0, out_at = 0;
    bool is_end = false;
    int rc;

    if (engine == INFLATE_FASTEST || engine == INFLATE_LIBDEFLATE)
        return whole_by_libdeflate(in, in_size, out, out_size, err);
    rc = inflate_open(engine, &inflate, err);
    while (rc == 0 && !is_end) {
        size_t consumed = 0, produced = 0;

        rc = inflate_run(inflate, (const uint8_t *)in + in_at, in_size - in_at,
                         (uint8_t *)out + out_at, out_size - out_at, &consumed, &produced,
                         &is_end, err);
        if (rc == 0 && !is_end && !consumed && !produced)
            return fail_size(err);
        in_at += consumed;
        out_at += produced;
    }
    if (rc == 0 && (in_at != in_size || out_at != out_size))
        return fail_size(err);
    return rc;
}
