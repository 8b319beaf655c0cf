/* utf8.h: is it UTF-8 as table 3-7 of the Unicode standard has it? Pure. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_is_valid(const char *text, size_t size);

/* Bytes of the character that at starts with, of which left follow (one at least); 0 if
 * it is none. */
size_t utf8_size(const char *at, size_t left);

#endif
