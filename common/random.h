/* random.h: bytes and names that nobody guesses. Thread-safe. */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include "common/error.h"

#include <stddef.h>

enum { RANDOM_NAME_SIZE = 17 }; /* a NUL included */

int random_bytes(void *to, size_t size, struct error *err);

/* 16 hexadecimal digits, for names that must not meet others. */
int random_name(char ret_name[RANDOM_NAME_SIZE], struct error *err);

#endif
