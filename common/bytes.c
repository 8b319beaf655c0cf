/* bytes.c: a growing buffer with a limit, and a cursor with a sticky ok. */
#include "common/bytes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

static char empty[] = "";

void bytes_init(struct bytes *bytes, size_t limit)
{
    *bytes = (struct bytes){.data = empty, .limit = limit};
}

void bytes_done(struct bytes *bytes)
{
    if (bytes->capacity)
        free(bytes->data);
    *bytes = (struct bytes){.data = empty};
}

void bytes_wipe(struct bytes *bytes)
{
    if (bytes->capacity)
        explicit_bzero(bytes->data, bytes->capacity);
    bytes_done(bytes);
}

int bytes_reserve(struct bytes *bytes, size_t size, struct error *err)
{
    size_t needed, capacity;
    char *data;

    if (__builtin_add_overflow(bytes->size, size, &needed) || needed > bytes->limit)
        return fail(err, EFBIG, "larger than the limit of %zu bytes", bytes->limit);
    if (needed < bytes->capacity) /* one byte is kept for the NUL */
        return 0;
    capacity = bytes->capacity < CAPACITY_MIN ? CAPACITY_MIN : bytes->capacity;
    while (capacity <= needed)
        capacity += capacity / 2;
    if (capacity > bytes->limit)
        capacity = bytes->limit + 1;
    data = realloc(bytes->capacity ? bytes->data : NULL, capacity);
    if (!data)
        return fail(err, ENOMEM, "no memory for %zu bytes", capacity);
    bytes->data = data;
    bytes->capacity = capacity;
    bytes->data[bytes->size] = '\0';
    return 0;
}

int bytes_append(struct bytes *bytes, const void *data, size_t size, struct error *err)
{
    int rc;

    if (size == 0)
        return 0;
    rc = bytes_reserve(bytes, size, err);
    if (rc < 0)
        return rc;
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    bytes->data[bytes->size] = '\0';
    return 0;
}

int bytes_printf(struct bytes *bytes, struct error *err, const char *format, ...)
{
    va_list args;
    int size, rc;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return fail_errno(err, "format text");
    rc = bytes_reserve(bytes, (size_t)size, err);
    if (rc < 0 || size == 0)
        return rc;
    va_start(args, format);
    vsnprintf(bytes->data + bytes->size, (size_t)size + 1, format, args);
    va_end(args);
    bytes->size += (size_t)size;
    return 0;
}

int bytes_append_quoted(struct bytes *bytes, const char *text, struct error *err)
{
    int rc = bytes_append(bytes, "\"", 1, err);

    for (; rc == 0 && *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            rc = bytes_printf(bytes, err, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            rc = bytes_printf(bytes, err, "\\x%02x", c);
        else
            rc = bytes_append(bytes, text, 1, err);
    }
    return rc < 0 ? rc : bytes_append(bytes, "\"", 1, err);
}

void bytes_cut(struct bytes *bytes, uint64_t offset, size_t size)
{
    size_t first = offset < bytes->size ? (size_t)offset : bytes->size;

    if (size > bytes->size - first)
        size = bytes->size - first;
    if (first > 0)
        memmove(bytes->data, bytes->data + first, size);
    bytes->size = size;
    if (bytes->capacity)
        bytes->data[size] = '\0';
}

char *bytes_detach(struct bytes *bytes)
{
    char *data = bytes->capacity ? bytes->data : strdup("");
    size_t limit = bytes->limit;

    if (!data)
        abort();
    bytes_init(bytes, limit);
    return data;
}

void cursor_init(struct cursor *cursor, const void *data, size_t size)
{
    *cursor = (struct cursor){.data = data, .size = size, .ok = true};
}

size_t cursor_left(const struct cursor *cursor)
{
    return cursor->ok ? cursor->size - cursor->at : 0;
}

const void *cursor_bytes(struct cursor *cursor, size_t size)
{
    const unsigned char *data;

    if (size > cursor_left(cursor))
        cursor->ok = false;
    if (!cursor->ok)
        return NULL;
    data = cursor->data + cursor->at;
    cursor->at += size;
    return data;
}

static uint64_t cursor_number(struct cursor *cursor, size_t size)
{
    const unsigned char *data = cursor_bytes(cursor, size);
    uint64_t value = 0;

    for (size_t i = size; data && i-- > 0;)
        value = value << 8 | data[i];
    return value;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    return (uint8_t)cursor_number(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
    return (uint16_t)cursor_number(cursor, 2);
}

uint32_t cursor_u32(struct cursor *cursor)
{
    return (uint32_t)cursor_number(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
    return cursor_number(cursor, 8);
}
