/* text.h: strict readings of numbers, sizes and times; no locale, no blanks.
 *
 * Pure. Parsers take the whole text or fail with a sentence (-EINVAL, -ERANGE). */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits only, no sign. */
int text_to_u64(const char *text, uint64_t *ret_value, struct error *err);

/* "50GiB", "64 MiB" or "4096": B, KiB, MiB, GiB, TiB (powers of 1024), kB, MB, GB, TB
 * (powers of 1000). Bytes. */
int text_to_size(const char *text, uint64_t *ret_bytes, struct error *err);

/* "500ms", "5s", "10min", "1h", "2d"; a bare number is seconds. Milliseconds. */
int text_to_time(const char *text, int64_t *ret_ms, struct error *err);

/* "1.5 GiB": at most three significant digits and a unit. Writes at most size bytes. */
void text_from_size(uint64_t bytes, char *buffer, size_t size);

/* The candidate with the smallest edit distance to text, NULL if none is near enough to
 * be a likely misspelling. candidates ends with NULL; the result is one of them. */
const char *text_nearest(const char *text, const char *const *candidates);

/* Lower-case hex digits of data and a NUL; hex holds 2 * size + 1 bytes. */
void text_from_hex(const void *data, size_t size, char *hex);

#endif
