/* pack_sampler.c: deflates samples of files to see whether it is worth the time. */
#include "publish/pack_sampler.h"

#include "common/bytes.h"
#include "common/memory.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    SAMPLE_SIZE = 1 << 20,
    PARTS = 16, /* of a file larger than the sample */
    PART_SIZE = SAMPLE_SIZE / PARTS,
    OUTPUT_SIZE = 16 << 10,
    LEVEL = 1,
};

struct pack_sampler {
    z_stream stream; /* kept: to make one costs more than to deflate a small file */
    unsigned char sample[PART_SIZE];
    unsigned char output[OUTPUT_SIZE];
};

struct pack_sampler *pack_sampler_new(void)
{
    struct pack_sampler *sampler = XNEW(struct pack_sampler);

    if (deflateInit2(&sampler->stream, LEVEL, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        abort(); /* no memory for a small thing of fixed size */
    return sampler;
}

void pack_sampler_free(struct pack_sampler *sampler)
{
    if (!sampler)
        return;
    deflateEnd(&sampler->stream);
    free(sampler);
}

/* Raw deflate, all of its output dropped but for its size, which zlib counts. */
static void feed(struct pack_sampler *sampler, size_t size, int flush)
{
    z_stream *stream = &sampler->stream;

    stream->next_in = sampler->sample;
    stream->avail_in = (uInt)size;
    do {
        stream->next_out = sampler->output;
        stream->avail_out = OUTPUT_SIZE;
        deflate(stream, flush); /* cannot fail: there is always room */
    } while (stream->avail_out == 0);
}

int pack_sampler_ask(struct pack_sampler *sampler, const struct pack_reader *reader,
                     bool *ret_is_incompressible, struct error *err)
{
    uint64_t size = reader->file->size;
    uint64_t sampled = size < SAMPLE_SIZE ? size : SAMPLE_SIZE;

    deflateReset(&sampler->stream);
    for (uint64_t done = 0; done < sampled;) {
        size_t part = sampled - done < PART_SIZE ? (size_t)(sampled - done) : PART_SIZE;
        uint64_t offset = size <= SAMPLE_SIZE
                              ? done
                              : (size - PART_SIZE) / (PARTS - 1) * (done / PART_SIZE);
        int rc = pack_reader_at(reader, sampler->sample, part, offset, err);

        if (rc < 0)
            return rc;
        feed(sampler, part, Z_NO_FLUSH);
        done += part;
    }
    feed(sampler, 0, Z_FINISH);
    *ret_is_incompressible = sampler->stream.total_out * 10 > sampled * 9;
    return 0;
}
