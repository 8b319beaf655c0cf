/* pyfloat.h: floating point numbers as Python writes and reads them.
 *
 * Pure; thread-safe. */
#ifndef COMMON_PYFLOAT_H
#define COMMON_PYFLOAT_H

#include <stddef.h>

enum { PYFLOAT_SIZE = 32 }; /* holds any repr and its NUL */

/* Python's repr: the shortest digits that read back the same; "0.1", "1e-05", "1e+16",
 * "100.0", "-0.0", "inf", "-inf", "nan". Cut to size bytes. */
void pyfloat_repr(double value, char *buffer, size_t size);

/* Python's float() of a text that the caller has checked: digits with a dot and an
 * exponent, both optional. Too large is infinity, too small is 0, as in Python. */
double pyfloat_read(const char *text);

#endif
