/* test_inflate.c: all engines unpack what zlib packed, in pieces of any size, and never
 * touch a byte outside of their buffers (which end at pages that cannot be touched). */
#include "tests/test.h"

#include "cache/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

enum { TEXT_SIZE = 100000, PACKED_MAX = 300000, TRAILING = 20, ROOM = 1 << 19 };

static const enum inflate_engine engines[] = {INFLATE_ZLIB, INFLATE_ISAL};
static const char *const names[] = {"zlib", "ISA-L"};

/* Two rooms of memory that end right before a page without access. */
struct rooms {
    unsigned char *in_end, *out_end;
    unsigned char *maps[2];
};

static void rooms_open(struct rooms *rooms)
{
    for (int i = 0; i < 2; i++) {
        rooms->maps[i] = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(rooms->maps[i] != MAP_FAILED);
        assert_int_equal(mprotect(rooms->maps[i] + ROOM, 4096, PROT_NONE), 0);
    }
    rooms->in_end = rooms->maps[0] + ROOM;
    rooms->out_end = rooms->maps[1] + ROOM;
}

static void rooms_close(struct rooms *rooms)
{
    munmap(rooms->maps[0], ROOM + 4096);
    munmap(rooms->maps[1], ROOM + 4096);
}

/* Is the engine one of this machine? */
static bool try_open(enum inflate_engine engine, struct inflate **ret_inflate)
{
    struct error err = {0};
    int rc = inflate_open(engine, ret_inflate, &err);

    if (rc == -ENOTSUP)
        return false;
    assert_int_equal(rc, 0);
    return true;
}

struct source {
    unsigned char *text, *packed; /* packed: with TRAILING bytes behind it */
    size_t text_size, packed_size;
};

/* Text that repeats now and then, so that all kinds of blocks and distances come up. */
static void source_make(struct source *source, size_t text_size, int level, int strategy,
                        unsigned seed)
{
    z_stream stream = {0};
    unsigned number = seed;

    source->text_size = text_size;
    source->text = malloc(text_size + 1);
    source->packed = malloc(PACKED_MAX + TRAILING);
    for (size_t i = 0; i < text_size; i++) {
        number = number * 1103515245u + 12345u;
        source->text[i] = (number >> 28) && i > 40000 ? source->text[i - 32768]
                                                      : (unsigned char)(number >> 24);
    }
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, -15, 9, strategy), Z_OK);
    stream.next_in = source->text;
    stream.avail_in = (unsigned)text_size;
    stream.next_out = source->packed;
    stream.avail_out = PACKED_MAX;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    source->packed_size = stream.total_out;
    deflateEnd(&stream);
    memset(source->packed + source->packed_size, 'T', TRAILING);
}

static void source_free(struct source *source)
{
    free(source->text);
    free(source->packed);
}

/* Unpack in pieces, each placed right before the forbidden page. */
static void unpack(struct inflate *inflate, const struct rooms *rooms,
                   const struct source *source, size_t trailing, size_t in_piece,
                   size_t out_piece)
{
    size_t in_size = source->packed_size + trailing, in_at = 0, out_at = 0;
    bool is_end = false;

    while (!is_end) {
        size_t in = in_size - in_at < in_piece ? in_size - in_at : in_piece;
        size_t consumed, produced;
        struct error err = {0};

        memcpy(rooms->in_end - in, source->packed + in_at, in);
        assert_int_equal(inflate_run(inflate, rooms->in_end - in, in,
                                     rooms->out_end - out_piece, out_piece, &consumed,
                                     &produced, &is_end, &err),
                         0);
        assert_true(consumed <= in && produced <= out_piece);
        assert_true(is_end || consumed || produced || out_piece == 0);
        assert_true(out_at + produced <= source->text_size);
        assert_memory_equal(rooms->out_end - out_piece, source->text + out_at, produced);
        in_at += consumed;
        out_at += produced;
        if (out_at == source->text_size)
            out_piece = 0; /* the end must be seen without room, too */
    }
    assert_int_equal(out_at, source->text_size);
    assert_int_equal(inflate_packed_size(inflate), source->packed_size);
}

static void streams_come_out_as_they_went_in(void **state)
{
    static const struct {
        const char *what;
        size_t size;
        int level, strategy;
    } streams[] = {
        {"nothing",       0,         6, Z_DEFAULT_STRATEGY},
        {"one byte",      1,         6, Z_DEFAULT_STRATEGY},
        {"stored blocks", TEXT_SIZE, 0, Z_DEFAULT_STRATEGY},
        {"fast",          TEXT_SIZE, 1, Z_DEFAULT_STRATEGY},
        {"best",          TEXT_SIZE, 9, Z_DEFAULT_STRATEGY},
        {"fixed codes",   TEXT_SIZE, 6, Z_FIXED           },
        {"no matches",    TEXT_SIZE, 6, Z_HUFFMAN_ONLY    },
        {"runs only",     50000,     6, Z_RLE             },
    };
    static const struct {
        size_t in, out;
    } pieces[] = {
        {ROOM, ROOM },
        {5,    ROOM },
        {ROOM, 1000 },
        {7,    13   },
        {4096, 65536},
        {100,  32768},
    };
    struct rooms rooms;

    (void)state;
    rooms_open(&rooms);
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        struct source source;

        source_make(&source, streams[i].size, streams[i].level, streams[i].strategy, 7);
        for (size_t row = 0; row < ARRAY_SIZE(pieces) * ARRAY_SIZE(engines) * 2; row++) {
            size_t piece = row / 2 / ARRAY_SIZE(engines);
            size_t engine = row / 2 % ARRAY_SIZE(engines);
            struct inflate *inflate = NULL;

            if (!try_open(engines[engine], &inflate))
                continue;
            test_row(row, "%s by %s: %zu to %zu", streams[i].what, names[engine],
                     pieces[piece].in, pieces[piece].out);
            unpack(inflate, &rooms, &source, row % 2 ? TRAILING : 0, pieces[piece].in,
                   pieces[piece].out);
            inflate_close(inflate);
        }
        source_free(&source);
    }
    rooms_close(&rooms);
}

static void after_the_end_it_stays_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
        static const unsigned char packed[] = {3, 0, 'x', 'y'}; /* zlib's of nothing */
        struct inflate *inflate = NULL;
        struct error err = {0};

        if (!try_open(engines[i], &inflate))
            continue;
        for (int round = 0; round < 3; round++) {
            size_t consumed = 9, produced = 9;
            bool is_end = false;
            char out[8];

            assert_int_equal(inflate_run(inflate, packed, sizeof packed, out, sizeof out,
                                         &consumed, &produced, &is_end, &err),
                             0);
            assert_int_equal(consumed, round == 0 ? 2 : 0);
            assert_int_equal(produced, 0);
            assert_true(is_end);
        }
        assert_int_equal(inflate_packed_size(inflate), 2);
        inflate_close(inflate);
    }
    inflate_close(NULL);
}

/* Give all of in; -EIO, or 0 with *ret_is_end. */
static int feed(enum inflate_engine engine, const void *in, size_t in_size,
                bool *ret_is_end, struct error *err)
{
    struct inflate *inflate = NULL;
    size_t at = 0;
    int rc = 0;

    *ret_is_end = false;
    if (!try_open(engine, &inflate))
        return fail(err, EIO, "the packed data is damaged");
    while (rc == 0 && !*ret_is_end) {
        size_t consumed, produced;
        char out[4096];

        rc = inflate_run(inflate, (const char *)in + at, in_size - at, out, sizeof out,
                         &consumed, &produced, ret_is_end, err);
        if (rc == 0 && at == in_size && produced == 0)
            break;
        if (rc == 0)
            at += consumed;
    }
    inflate_close(inflate);
    return rc;
}

static void damaged_streams_are_said_to_be(void **state)
{
    static const struct {
        const char *what;
        unsigned char bytes[8];
        size_t size;
    } cases[] = {
        {"block of the third type",       {0x07},                         8},
        {"stored block, length mismatch", {0x01, 5, 0, 5, 0},             8},
        {"distance before the start",     {0x03, 0x02, 0x00},             8},
        {"all ones",                      {255, 255, 255, 255, 255, 255}, 6},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(engines); i++) {
        size_t row = i / ARRAY_SIZE(engines);
        struct error err = {0};
        bool is_end;

        test_row(i, "%s", cases[row].what);
        assert_int_equal(feed(engines[i % ARRAY_SIZE(engines)], cases[row].bytes,
                              cases[row].size, &is_end, &err),
                         -EIO);
        assert_non_null(strstr(err.message, "the packed data is damaged"));
    }
}

static void a_cut_stream_does_not_end(void **state)
{
    struct source source;

    (void)state;
    source_make(&source, 3000, 6, Z_DEFAULT_STRATEGY, 3);
    for (size_t i = 0; i < source.packed_size * ARRAY_SIZE(engines); i++) {
        struct inflate *inflate = NULL;
        struct error err = {0};
        bool is_end;

        if (!try_open(engines[i % ARRAY_SIZE(engines)], &inflate))
            continue;
        inflate_close(inflate);
        assert_int_equal(feed(engines[i % ARRAY_SIZE(engines)], source.packed,
                              i / ARRAY_SIZE(engines), &is_end, &err),
                         0);
        assert_false(is_end);
    }
    source_free(&source);
}

static const enum inflate_engine whole_engines[] = {INFLATE_FASTEST, INFLATE_LIBDEFLATE,
                                                    INFLATE_ISAL, INFLATE_ZLIB};

static void whole_streams_have_their_very_sizes(void **state)
{
    static const struct {
        const char *what;
        int level;
        size_t size, packed_more, packed_less, room_more, room_less;
        int rc;
    } cases[] = {
        {"as it is",       6, TEXT_SIZE, 0, 0, 0, 0, 0   },
        {"stored blocks",  0, TEXT_SIZE, 0, 0, 0, 0, 0   },
        {"nothing",        6, 0,         0, 0, 0, 0, 0   },
        {"bytes behind",   6, TEXT_SIZE, 1, 0, 0, 0, -EIO},
        {"cut",            6, TEXT_SIZE, 0, 1, 0, 0, -EIO},
        {"cut by more",    6, TEXT_SIZE, 0, 9, 0, 0, -EIO},
        {"more was told",  6, TEXT_SIZE, 0, 0, 1, 0, -EIO},
        {"less was told",  6, TEXT_SIZE, 0, 0, 0, 1, -EIO},
        {"none was told",  6, 1,         0, 0, 0, 1, -EIO},
        {"all of it gone", 6, 0,         0, 2, 0, 0, -EIO},
    };
    struct rooms rooms;

    (void)state;
    rooms_open(&rooms);
    for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(whole_engines); i++) {
        size_t row = i / ARRAY_SIZE(whole_engines);
        struct inflate *inflate = NULL;
        struct source source;
        struct error err = {0};
        unsigned char *in, *out;
        size_t in_size, out_size;

        test_row(row, "%s, engine %zu", cases[row].what, i % ARRAY_SIZE(whole_engines));
        if (i % ARRAY_SIZE(whole_engines) >= 2 &&
            !try_open(whole_engines[i % ARRAY_SIZE(whole_engines)], &inflate))
            continue;
        inflate_close(inflate);
        source_make(&source, cases[row].size, cases[row].level, Z_DEFAULT_STRATEGY, 5);
        in_size = source.packed_size + cases[row].packed_more - cases[row].packed_less;
        out_size = source.text_size + cases[row].room_more - cases[row].room_less;
        in = rooms.in_end - in_size;
        out = rooms.out_end - out_size;
        memcpy(in, source.packed, in_size);
        assert_int_equal(inflate_whole(whole_engines[i % ARRAY_SIZE(whole_engines)], in,
                                       in_size, out, out_size, &err),
                         cases[row].rc);
        if (cases[row].rc == 0)
            assert_memory_equal(out, source.text, out_size);
        else
            assert_non_null(strstr(err.message, "the packed data is damaged"));
        source_free(&source);
    }
    rooms_close(&rooms);
}

static void libdeflate_takes_no_pieces(void **state)
{
    struct inflate *inflate = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(inflate_open(INFLATE_LIBDEFLATE, &inflate, &err), -ENOTSUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_streams_have_their_very_sizes),
        cmocka_unit_test(libdeflate_takes_no_pieces),
        cmocka_unit_test(streams_come_out_as_they_went_in),
        cmocka_unit_test(after_the_end_it_stays_ended),
        cmocka_unit_test(damaged_streams_are_said_to_be),
        cmocka_unit_test(a_cut_stream_does_not_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
