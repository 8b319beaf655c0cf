/* checksum.c: CRC-32 by ISA-L (twice as fast as zlib), XXH3 by xxHash. */
#include "cache/checksum.h"

#include "common/memory.h"
#include "common/text.h"

#include <isa-l/crc.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zlib.h>

struct checksum {
    XXH3_state_t *state;
};

uint32_t checksum_crc32(uint32_t crc, const void *data, size_t size)
{
    return size ? crc32_gzip_refl(crc, data, size) : crc;
}

uint32_t checksum_crc32_combine(uint32_t crc, uint32_t crc_behind, uint64_t size_behind)
{
    return (uint32_t)crc32_combine(crc, crc_behind, (z_off_t)size_behind);
}

uint64_t checksum_xxh3(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

void checksum_xxh3_hex(const void *data, size_t size, char ret_hex[CHECKSUM_HEX_SIZE])
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
    text_from_hex(canonical.digest, sizeof canonical.digest, ret_hex);
}

struct checksum *checksum_new(void)
{
    struct checksum *sum = XNEW(struct checksum);

    sum->state = XXH3_createState();
    if (!sum->state || XXH3_64bits_reset(sum->state) != XXH_OK)
        abort();
    return sum;
}

void checksum_add(struct checksum *sum, const void *data, size_t size)
{
    if (size) /* else data may be NULL, which xxHash refuses */
        (void)XXH3_64bits_update(sum->state, data, size); /* fails for NULL alone */
}

uint64_t checksum_value(const struct checksum *sum)
{
    return XXH3_64bits_digest(sum->state);
}

void checksum_free(struct checksum *sum)
{
    if (!sum)
        return;
    (void)XXH3_freeState(sum->state); /* always XXH_OK */
    free(sum);
}
