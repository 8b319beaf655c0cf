/* yaml_number.h: integers of any size and floats as YAML 1.1 writes them.
 *
 * Pure; thread-safe. The readers of values take what the tests accept and also what
 * Python takes under an explicit tag ("1e5" as a float). */
#ifndef COMMON_YAML_NUMBER_H
#define COMMON_YAML_NUMBER_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_INT_DIGITS_MAX = 4300 }; /* Python's own limit */

/* Does plain text of these bytes count as an integer, as a float? */
bool yaml_number_is_int(const char *text, size_t size);
bool yaml_number_is_float(const char *text, size_t size);

/* Append the decimal digits, "-" in front if negative: binary 0b101, octal 017,
 * hexadecimal 0xff, base 60 1:30:00, underscores ignored. -EINVAL, -EFBIG. */
int yaml_number_read_int(const char *text, size_t size, struct bytes *digits,
                         struct error *err);

/* -EINVAL; -EFBIG for texts longer than any number needs. */
int yaml_number_read_float(const char *text, size_t size, double *ret_value,
                           struct error *err);

#endif
