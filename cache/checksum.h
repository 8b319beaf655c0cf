/* checksum.h: CRC-32 as zip uses it, and XXH3 for what we put at rest. Pure.
 *
 *     crc = checksum_crc32(0, data, size);                  and so on, piece by piece
 *     crc = checksum_crc32_combine(crc, crc_behind, size_behind);
 *
 *     struct checksum *sum = checksum_new();
 *     checksum_add(sum, data, size);
 *     value = checksum_value(sum);                          of all so far
 *     checksum_free(sum); */
#ifndef CACHE_CHECKSUM_H
#define CACHE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum { CHECKSUM_HEX_SIZE = 33 }; /* 32 hex digits and a NUL */

/* The CRC-32 of what crc stands for with data behind it; 0 stands for nothing. */
uint32_t checksum_crc32(uint32_t crc, const void *data, size_t size);

/* The CRC-32 of two stretches from those of each; size_behind: bytes of the second. */
uint32_t checksum_crc32_combine(uint32_t crc, uint32_t crc_behind, uint64_t size_behind);

uint64_t checksum_xxh3(const void *data, size_t size);

/* XXH3 with 128 bits: wide enough to name a content. */
void checksum_xxh3_hex(const void *data, size_t size, char ret_hex[CHECKSUM_HEX_SIZE]);

/* XXH3 of bytes that come in pieces: the same value as checksum_xxh3 of the whole. */
struct checksum;
struct checksum *checksum_new(void);
void checksum_add(struct checksum *sum, const void *data, size_t size);
uint64_t checksum_value(const struct checksum *sum);

void checksum_free(struct checksum *sum); /* accepts NULL */

#endif
