/* yaml_number.c: integers of any size and floats as YAML 1.1 writes them. */
#include "common/yaml_number.h"

#include "common/pyfloat.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
    LIMB = 1000000000, /* a limb is nine decimal digits */
    LIMB_DIGITS = 9,
    LIMBS_MAX = YAML_INT_DIGITS_MAX / LIMB_DIGITS + 2,
    STEP_MAX = UINT32_MAX / 64, /* so that one more digit of base 60 fits 32 bits */
    TEXT_MAX = 16384,           /* 4300 decimal digits in base 2 are 14285 */
};

struct scan {
    const char *at;
    const char *end;
};

static bool take_char(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

static bool take_sign(struct scan *scan)
{
    return take_char(scan, '-') || take_char(scan, '+');
}

/* At least one of these characters; takes all of them. */
static bool take_all(struct scan *scan, const char *wanted)
{
    const char *start = scan->at;

    while (scan->at < scan->end && *scan->at && strchr(wanted, *scan->at))
        scan->at++;
    return scan->at > start;
}

/* (:[0-5]?[0-9])+ */
static bool take_base60(struct scan *scan)
{
    bool found = false;

    while (take_char(scan, ':')) {
        const char *start = scan->at;

        if (!take_all(scan, "0123456789") || scan->at - start > 2 ||
            (scan->at - start == 2 && *start > '5'))
            return false;
        found = true;
    }
    return found;
}

bool yaml_number_is_int(const char *text, size_t size)
{
    struct scan scan = {text, text + size};

    take_sign(&scan);
    if (take_char(&scan, '0')) {
        if (scan.at == scan.end)
            return true;
        if (take_char(&scan, 'b'))
            return take_all(&scan, "01_") && scan.at == scan.end;
        if (take_char(&scan, 'x'))
            return take_all(&scan, "0123456789abcdefABCDEF_") && scan.at == scan.end;
        return take_all(&scan, "01234567_") && scan.at == scan.end;
    }
    if (scan.at == scan.end || *scan.at == '_' || !take_all(&scan, "0123456789_"))
        return false;
    return scan.at == scan.end || (take_base60(&scan) && scan.at == scan.end);
}

/* ([eE][-+][0-9]+)? to the end */
static bool is_exponent_or_end(struct scan *scan)
{
    if (scan->at == scan->end)
        return true;
    return (take_char(scan, 'e') || take_char(scan, 'E')) && take_sign(scan) &&
           take_all(scan, "0123456789") && scan->at == scan->end;
}

static bool is_one_of(const struct scan *scan, const char *const *words)
{
    size_t size = (size_t)(scan->end - scan->at);

    for (; *words; words++)
        if (strlen(*words) == size && memcmp(*words, scan->at, size) == 0)
            return true;
    return false;
}

bool yaml_number_is_float(const char *text, size_t size)
{
    static const char *const infinite[] = {"inf", "Inf", "INF", NULL};
    static const char *const not_a_number[] = {"nan", "NaN", "NAN", NULL};
    struct scan scan = {text, text + size};
    bool has_sign = take_sign(&scan);

    if (take_char(&scan, '.')) {
        if (is_one_of(&scan, infinite))
            return true;
        if (has_sign)
            return false;
        if (is_one_of(&scan, not_a_number))
            return true;
        if (scan.at == scan.end || *scan.at == '_' || !take_all(&scan, "0123456789_"))
            return false;
        return is_exponent_or_end(&scan);
    }
    if (scan.at == scan.end || *scan.at == '_' || !take_all(&scan, "0123456789_"))
        return false;
    if (scan.at < scan.end && *scan.at == ':') {
        if (!take_base60(&scan) || !take_char(&scan, '.'))
            return false;
        take_all(&scan, "0123456789_");
        return scan.at == scan.end;
    }
    if (!take_char(&scan, '.'))
        return false;
    take_all(&scan, "0123456789_");
    return is_exponent_or_end(&scan);
}

/* A natural number, and what is still to be multiplied and added: several digits share
 * one walk over the limbs. */
struct natural {
    uint32_t limbs[LIMBS_MAX]; /* the lowest first */
    size_t count;
    uint32_t factor, addend;
};

static bool natural_settle(struct natural *natural)
{
    uint64_t carry = natural->addend;

    for (size_t i = 0; i < natural->count; i++) {
        carry += (uint64_t)natural->limbs[i] * natural->factor;
        natural->limbs[i] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
    for (; carry; carry /= LIMB) {
        if (natural->count == LIMBS_MAX)
            return false;
        natural->limbs[natural->count++] = (uint32_t)(carry % LIMB);
    }
    natural->factor = 1;
    natural->addend = 0;
    return true;
}

static bool natural_push(struct natural *natural, uint32_t base, uint32_t digit)
{
    natural->factor *= base;
    natural->addend = natural->addend * base + digit;
    return natural->factor < STEP_MAX || natural_settle(natural);
}

static int natural_print(struct natural *natural, bool is_negative, struct bytes *to,
                         struct error *err)
{
    size_t i = natural->count;
    int rc;

    if (i == 0)
        return bytes_append(to, "0", 1, err);
    i--;
    rc = bytes_printf(to, err, "%s%u", is_negative ? "-" : "", natural->limbs[i]);
    while (rc == 0 && i-- > 0)
        rc = bytes_printf(to, err, "%0*u", (int)LIMB_DIGITS, natural->limbs[i]);
    return rc;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

static int not_a_number(struct error *err, const char *text)
{
    return fail(err, EINVAL, "'%.80s' is not a number", text);
}

static int too_large(struct error *err)
{
    return fail(err, EFBIG, "an integer has more than %d digits",
                (int)YAML_INT_DIGITS_MAX);
}

/* 190:20:30, or digits of one base; scan stands behind sign and prefix. */
static int read_natural(struct scan scan, uint32_t base, const char *text,
                        struct natural *natural, struct error *err)
{
    bool has_digit = false;

    natural->factor = 1;
    while (scan.at < scan.end) {
        char c = *scan.at++;

        if (c == '_')
            continue;
        if (c == ':' && base == 10 && has_digit) {
            uint32_t part = 0;
            const char *start = scan.at;

            for (; scan.at < scan.end && digit_value(*scan.at) < 10; scan.at++)
                if (scan.at - start < 3)
                    part = 10 * part + (uint32_t)digit_value(*scan.at);
            if (scan.at == start || scan.at - start > 2)
                return not_a_number(err, text);
            if (!natural_push(natural, 60, part))
                return too_large(err);
            continue;
        }
        if ((uint32_t)digit_value(c) >= base)
            return not_a_number(err, text);
        has_digit = true;
        if (!natural_push(natural, base, (uint32_t)digit_value(c)))
            return too_large(err);
    }
    if (!has_digit)
        return not_a_number(err, text);
    return natural_settle(natural) ? 0 : too_large(err);
}

int yaml_number_read_int(const char *text, size_t size, struct bytes *digits,
                         struct error *err)
{
    struct scan scan = {text, text + size};
    struct natural natural = {.count = 0};
    size_t limbs_digits;
    uint32_t base = 10;
    bool is_negative = false;
    int rc;

    if (size > TEXT_MAX)
        return too_large(err);
    while (take_char(&scan, '_'))
        ;
    is_negative = take_char(&scan, '-');
    if (!is_negative)
        take_char(&scan, '+');
    if (scan.end - scan.at > 1 && take_char(&scan, '0')) {
        base = take_char(&scan, 'b') ? 2 : take_char(&scan, 'x') ? 16 : 8;
        if (base == 8)
            scan.at--; /* the zero is a digit, and may be the only one */
    }
    rc = read_natural(scan, base, text, &natural, err);
    if (rc < 0)
        return rc;
    limbs_digits = natural.count * LIMB_DIGITS;
    for (uint32_t top = natural.count ? natural.limbs[natural.count - 1] : 0;
         natural.count && top < LIMB / 10; top *= 10)
        limbs_digits--;
    if (limbs_digits > YAML_INT_DIGITS_MAX)
        return too_large(err);
    return natural_print(&natural, is_negative, digits, err);
}

/* What Python's float() takes of lower-case text: digits, dot, exponent. */
static bool is_python_float(const char *text)
{
    size_t whole = strspn(text, "0123456789"), part = 0;

    text += whole;
    if (*text == '.') {
        part = strspn(text + 1, "0123456789");
        text += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (*text == 'e') {
        text += text[1] == '-' || text[1] == '+' ? 2 : 1;
        whole = strspn(text, "0123456789");
        text += whole;
        if (whole == 0)
            return false;
    }
    return *text == '\0';
}

/* Parts of base 60; the last of them counts ones and may have a fraction. Python has no
 * float for a unit past the largest one and refuses. */
static bool read_base60(char *text, double *ret_value)
{
    double value = 0, unit = 1;
    char *colon;

    do {
        const char *part = text;

        colon = strrchr(text, ':');
        if (colon) {
            *colon = '\0';
            part = colon + 1;
        }
        if (!is_python_float(part) || isinf(unit))
            return false;
        value += pyfloat_read(part) * unit;
        unit *= 60;
    } while (colon);
    *ret_value = value;
    return true;
}

static bool read_word(const char *text, double *ret_value)
{
    if (strcmp(text, ".inf") == 0 || strcmp(text, "inf") == 0 ||
        strcmp(text, "infinity") == 0)
        *ret_value = (double)INFINITY;
    else if (strcmp(text, ".nan") == 0 || strcmp(text, "nan") == 0)
        *ret_value = (double)NAN;
    else
        return false;
    return true;
}

int yaml_number_read_float(const char *text, size_t size, double *ret_value,
                           struct error *err)
{
    char clean[TEXT_MAX + 1], *number = clean;
    size_t used = 0;
    double value = 0;
    bool is_negative;

    if (size > TEXT_MAX)
        return fail(err, EFBIG, "a number of %zu characters is too long", size);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0')
            return not_a_number(err, text);
        if (text[i] != '_')
            clean[used++] =
                (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    }
    clean[used] = '\0';
    is_negative = *number == '-';
    if (*number == '-' || *number == '+')
        number++;
    if (read_word(number, &value))
        ;
    else if (strchr(number, ':')) {
        if (!read_base60(number, &value))
            return not_a_number(err, text);
    } else if (is_python_float(number)) {
        value = pyfloat_read(number);
    } else {
        return not_a_number(err, text);
    }
    *ret_value = is_negative ? -value : value;
    return 0;
}
