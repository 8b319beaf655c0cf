/* yaml_binary.h: base 64 as Python's base64 module reads and writes it.
 *
 * Pure; thread-safe. */
#ifndef COMMON_YAML_BINARY_H
#define COMMON_YAML_BINARY_H

#include "common/bytes.h"
#include "common/error.h"

#include <stddef.h>

/* Append the bytes that text stands for. What is no digit of base 64 is skipped, as in
 * Python. -EINVAL for wrong padding and text that is not ASCII. */
int yaml_binary_read(const char *text, size_t size, struct bytes *to, struct error *err);

/* Append lines of 76 characters, each with a newline; nothing for no bytes. */
int yaml_binary_print(const char *data, size_t size, struct bytes *to, struct error *err);

#endif
