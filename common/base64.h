/* base64.h: base 64 as Python's base64 module reads and writes it.
 *
 * Pure; thread-safe. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/bytes.h"
#include "common/error.h"

#include <stddef.h>

enum {
    BASE64_ONE_LINE = 0,
    BASE64_MIME_LINE = 76, /* characters of a line */
};

/* Append all of it on one line without a newline, or lines of line characters (a multiple
 * of 4), each with a newline; nothing for no bytes. */
int base64_encode(const void *data, size_t size, size_t line, struct bytes *to,
                  struct error *err);

/* Append the bytes that text stands for. What is no digit of base 64 is skipped, as in
 * Python. -EINVAL for wrong padding and text that is not ASCII. */
int base64_decode(const char *text, size_t size, struct bytes *to, struct error *err);

#endif
