/* fuzz_inflate.c: all engines make the same of good streams, in pieces of any size or as
 * a whole, and touch no byte outside of their buffers, which end at pages without access.
 */
#include "cache/inflate.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ROOM = 1 << 16, PAGE = 4096, OUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    int rc;
    bool is_end;
    uint64_t packed_size;
    size_t size;
};

static unsigned char *make_room(void)
{
    unsigned char *map = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert(map != MAP_FAILED && mprotect(map + ROOM, PAGE, PROT_NONE) == 0);
    return map + ROOM;
}

static struct result run(enum inflate_engine engine, const uint8_t *data, size_t size,
                         size_t in_piece, size_t out_piece, unsigned char *content)
{
    static unsigned char *in_end, *out_end;
    CLEANUP_INFLATE struct inflate *inflate = NULL;
    struct result result = {0};
    struct error err = {0};
    size_t at = 0;

    if (!in_end) {
        in_end = make_room();
        out_end = make_room();
    }
    assert(inflate_open(engine, &inflate, &err) == 0);
    while (!result.is_end && result.size + out_piece <= OUT_MAX) {
        size_t in = size - at < in_piece ? size - at : in_piece;
        size_t consumed, produced;

        memcpy(in_end - in, data + at, in);
        result.rc = inflate_run(inflate, in_end - in, in, out_end - out_piece, out_piece,
                                &consumed, &produced, &result.is_end, &err);
        if (result.rc < 0) {
            assert(result.rc == -EIO && err.message[0]);
            return result;
        }
        assert(consumed <= in && produced <= out_piece);
        memcpy(content + result.size, out_end - out_piece, produced);
        result.size += produced;
        at += consumed;
        if (in == 0 && produced == 0)
            break; /* cut */
    }
    result.packed_size = inflate_packed_size(inflate);
    return result;
}

/* What one engine takes as a whole another does, and it is what came in pieces. */
static void compare_whole(const uint8_t *data, const struct result *pieces,
                          const unsigned char *content)
{
    static const enum inflate_engine engines[] = {INFLATE_LIBDEFLATE, INFLATE_ISAL,
                                                  INFLATE_ZLIB};
    static unsigned char other[OUT_MAX];
    struct error err = {0};

    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        assert(inflate_whole(engines[i], data, pieces->packed_size, other, pieces->size,
                             &err) == 0);
        assert(memcmp(other, content, pieces->size) == 0);
        assert(inflate_whole(engines[i], data, pieces->packed_size - 1, other,
                             pieces->size, &err) == -EIO);
        assert(inflate_whole(engines[i], data, pieces->packed_size, other,
                             pieces->size + 1, &err) == -EIO);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char expected[OUT_MAX], content[OUT_MAX];
    struct result whole, other;
    size_t in_piece, out_piece;

    if (size < 2)
        return 0;
    in_piece = data[0] < 128 ? data[0] + 1u : (data[0] - 127u) * 400;
    out_piece = data[1] < 128 ? data[1] + 1u : (data[1] - 127u) * 400;
    data += 2;
    size -= 2;
    whole = run(INFLATE_ZLIB, data, size, ROOM, ROOM, expected);
    other = run(INFLATE_ISAL, data, size, in_piece, out_piece, content);
    if (whole.is_end) {
        assert(other.is_end
                   ? other.packed_size == whole.packed_size && other.size == whole.size
                   : other.rc == 0 && other.size + out_piece > OUT_MAX);
    }
    if (whole.is_end && whole.size < OUT_MAX)
        compare_whole(data, &whole, expected);
    /* ISA-L takes some codes that zlib calls damaged; the CRC-32 is there for them. */
    if (other.is_end)
        assert(whole.is_end || whole.rc < 0 || whole.size + ROOM > OUT_MAX);
    if (whole.rc == 0 && other.rc == 0)
        assert(memcmp(content, expected,
                      whole.size < other.size ? whole.size : other.size) == 0);
    return 0;
}
