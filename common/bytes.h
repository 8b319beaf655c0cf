/* bytes.h: a growing buffer born with its limit, and a cursor for reading fields.
 *
 *     struct bytes text;
 *     bytes_init(&text, 64 * KIB);
 *     rc = bytes_printf(&text, err, "uid: %s\n", uid);
 *     bytes_done(&text);
 *
 * The content is always followed by a NUL that does not count. Not thread-safe. */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

struct bytes {
    char *data; /* "" while empty */
    size_t size;
    size_t capacity;
    size_t limit;
};

void bytes_init(struct bytes *bytes, size_t limit);
void bytes_done(struct bytes *bytes);
void bytes_wipe(struct bytes *bytes); /* bytes_done of what holds a secret */
#define CLEANUP_BYTES CLEANUP_WITH(bytes_done)
#define CLEANUP_SECRET_BYTES CLEANUP_WITH(bytes_wipe)

/* Append. 0; -EFBIG past the limit, -ENOMEM. On failure the content is as before. */
int bytes_append(struct bytes *bytes, const void *data, size_t size, struct error *err);
int bytes_printf(struct bytes *bytes, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The text between double quotes, on one line whatever it holds, as YAML reads it. */
int bytes_append_quoted(struct bytes *bytes, const char *text, struct error *err);

/* Make room for size more; data + bytes->size may then be written and size advanced. */
int bytes_reserve(struct bytes *bytes, size_t size, struct error *err);

/* Keep at most size bytes from offset on. */
void bytes_cut(struct bytes *bytes, uint64_t offset, size_t size);

/* Hand the content to the caller, who frees it; the buffer is empty again. */
char *bytes_detach(struct bytes *bytes);

/* Reads little-endian fields. Past the end each read gives 0 and ok turns false for good:
 * read all fields, test once. */
struct cursor {
    const unsigned char *data;
    size_t size;
    size_t at;
    bool ok;
};

void cursor_init(struct cursor *cursor, const void *data, size_t size);
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);

/* size bytes in place, NULL past the end. */
const void *cursor_bytes(struct cursor *cursor, size_t size);
size_t cursor_left(const struct cursor *cursor);

#endif
