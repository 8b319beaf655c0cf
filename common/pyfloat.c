/* pyfloat.c: floating point numbers as Python writes and reads them. */
#include "common/pyfloat.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 17 };

/* digits with the dot after the first of them, times ten to the exponent */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int exponent;
};

double pyfloat_read(const char *text)
{
    return strtod(text, NULL);
}

static bool reads_back(const struct decimal *decimal, double value)
{
    char text[PYFLOAT_SIZE];

    snprintf(text, sizeof text, "%c.%se%d", decimal->digits[0], decimal->digits + 1,
             decimal->exponent);
    return pyfloat_read(text) == value;
}

static void round_to(double value, int count, struct decimal *decimal)
{
    char text[PYFLOAT_SIZE];

    snprintf(text, sizeof text, "%.*e", count - 1, value);
    decimal->count = count;
    decimal->digits[0] = text[0];
    if (count > 1)
        memcpy(decimal->digits + 1, text + 2, (size_t)count - 1);
    decimal->digits[count] = '\0';
    sscanf(strchr(text, 'e') + 1, "%d", &decimal->exponent);
}

/* The shortest digits that read back as value, which is positive and finite. */
static void find_shortest(double value, struct decimal *decimal)
{
    /* At 15 digits a normal number shows any shorter form, with zeros at its end. */
    int count = value < DBL_MIN ? 1 : DBL_DIG;

    for (; count < DIGITS_MAX; count++) {
        round_to(value, count, decimal);
        if (reads_back(decimal, value))
            break;
        /* Above a power of two the gap is twice that below it, so the next number up can
         * read back where the nearest one does not: 2**-44. */
        if (decimal->digits[count - 1] == '9')
            continue;
        decimal->digits[count - 1]++;
        if (reads_back(decimal, value))
            break;
    }
    if (count == DIGITS_MAX)
        round_to(value, count, decimal);
    while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0')
        decimal->digits[--decimal->count] = '\0';
}

void pyfloat_repr(double value, char *buffer, size_t size)
{
    const char *sign = signbit(value) ? "-" : "";
    struct decimal decimal = {.digits = "0", .count = 1};
    int whole, zeros;

    if (isnan(value)) {
        snprintf(buffer, size, "nan");
        return;
    }
    if (isinf(value)) {
        snprintf(buffer, size, "%sinf", sign);
        return;
    }
    if (value != 0)
        find_shortest(fabs(value), &decimal);
    whole = decimal.exponent + 1; /* digits in front of the dot */
    zeros = whole > decimal.count ? whole - decimal.count : 0;
    if (whole > 16 || whole < -3)
        snprintf(buffer, size, "%s%c%s%se%+03d", sign, decimal.digits[0],
                 decimal.count > 1 ? "." : "", decimal.digits + 1, decimal.exponent);
    else if (whole <= 0)
        snprintf(buffer, size, "%s0.%.*s%s", sign, -whole, "000", decimal.digits);
    else
        snprintf(buffer, size, "%s%.*s%.*s.%s", sign, whole, decimal.digits, zeros,
                 "0000000000000000",
                 zeros || whole == decimal.count ? "0" : decimal.digits + whole);
}
