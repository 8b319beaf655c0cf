/* text.c: strict readings of numbers, sizes, times and UTF-8. */
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NEAREST_SIZE_MAX = 63 }; /* bytes; longer texts are no misspelt names */

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"",    1               },
    {"B",   1               },
    {"KiB", 1ull << 10      },
    {"MiB", 1ull << 20      },
    {"GiB", 1ull << 30      },
    {"TiB", 1ull << 40      },
    {"kB",  1000            },
    {"MB",  1000000         },
    {"GB",  1000000000      },
    {"TB",  1000000000000ull},
    {NULL,  0               },
};

static const struct unit time_units[] = {
    {"",    1000    },
    {"ms",  1       },
    {"s",   1000    },
    {"min", 60000   },
    {"h",   3600000 },
    {"d",   86400000},
    {NULL,  0       },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* *ret_end is what follows the digits. 0, -EINVAL without a digit, -ERANGE. */
static int read_u64(const char *text, uint64_t *ret_value, const char **ret_end)
{
    uint64_t value = 0;
    const char *at = text;

    for (; is_digit(*at); at++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return -ERANGE;
    }
    if (at == text)
        return -EINVAL;
    *ret_value = value;
    *ret_end = at;
    return 0;
}

int text_to_u64(const char *text, uint64_t *ret_value, struct error *err)
{
    const char *end = text;
    uint64_t value = 0;
    int rc = read_u64(text, &value, &end);

    if (rc == -ERANGE)
        return fail(err, ERANGE, "'%.80s' is too large", text);
    if (rc < 0 || *end)
        return fail(err, EINVAL, "'%.80s' is not a number", text);
    *ret_value = value;
    return 0;
}

static int read_with_unit(const char *text, const struct unit *units, const char *what,
                          const char *example, uint64_t *ret_value, struct error *err)
{
    const char *end = text;
    uint64_t value = 0;
    int rc = read_u64(text, &value, &end);

    if (rc == 0 && end[0] == ' ' && end[1])
        end++;
    if (rc == -ERANGE)
        return fail(err, ERANGE, "'%.80s' is too large", text);
    while (units->name && strcmp(units->name, end) != 0)
        units++;
    if (rc < 0 || !units->name)
        return fail(err, EINVAL, "'%.80s' is not a %s such as %s", text, what, example);
    if (__builtin_mul_overflow(value, units->factor, &value))
        return fail(err, ERANGE, "'%.80s' is too large", text);
    *ret_value = value;
    return 0;
}

int text_to_size(const char *text, uint64_t *ret_bytes, struct error *err)
{
    return read_with_unit(text, size_units, "size", "50GiB", ret_bytes, err);
}

int text_to_time(const char *text, int64_t *ret_ms, struct error *err)
{
    uint64_t ms = 0;
    int rc = read_with_unit(text, time_units, "time", "5s or 500ms", &ms, err);

    if (rc < 0)
        return rc;
    if (ms > INT64_MAX)
        return fail(err, ERANGE, "'%.80s' is too large", text);
    *ret_ms = (int64_t)ms;
    return 0;
}

void text_from_size(uint64_t bytes, char *buffer, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    for (; value >= 999.5; unit++) /* what %.3g would print as 1e+03 */
        value /= 1024;
    snprintf(buffer, size, "%.3g %s", value, units[unit]);
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's distance, row by row; both texts have at most NEAREST_SIZE_MAX bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NEAREST_SIZE_MAX + 1];
    size_t b_size = strlen(b);

    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < b_size; j++) {
            size_t above = row[j + 1];

            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[b_size];
}

const char *text_nearest(const char *text, const char *const *candidates)
{
    size_t size = strnlen(text, NEAREST_SIZE_MAX + 1);
    size_t best = size / 3 + 2; /* one above the largest distance we believe in */
    const char *nearest = NULL;

    if (size > NEAREST_SIZE_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t candidate_size = strnlen(*candidates, NEAREST_SIZE_MAX + 1);
        size_t steps;

        if (candidate_size > NEAREST_SIZE_MAX)
            continue;
        steps = distance(text, *candidates);
        if (steps < best && steps < candidate_size) {
            best = steps;
            nearest = *candidates;
        }
    }
    return nearest;
}

void text_from_hex(const void *data, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++) {
        *hex++ = digits[at[i] >> 4];
        *hex++ = digits[at[i] & 15];
    }
    *hex = '\0';
}
