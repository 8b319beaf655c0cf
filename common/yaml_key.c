/* yaml_key.c: mapping keys as a Python dict sees them. */
#include "common/yaml_key.h"

#include "common/yaml_time.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DOUBLE_DIGITS = 320 }; /* the largest double has 309, a sign and a NUL */

bool yaml_key_is_hashable(const struct yaml_node *key)
{
    if (key->kind == YAML_LIST || key->kind == YAML_MAP || key->kind == YAML_SET)
        return false;
    for (size_t i = 0; key->kind == YAML_TUPLE && i < key->list.count; i++)
        if (!yaml_key_is_hashable(key->list.items[i]))
            return false;
    return true;
}

/* Kinds that can be equal share a class. */
static int key_class(const struct yaml_node *key)
{
    if (key->kind == YAML_BOOL || key->kind == YAML_FLOAT)
        return YAML_INT;
    return (int)key->kind;
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
    if (a_size != b_size)
        return a_size < b_size ? -1 : 1;
    return memcmp(a, b, a_size);
}

/* Decimal texts of integers: more digits are more, below zero the other way round. */
static int compare_digits(const char *a, size_t a_size, const char *b, size_t b_size)
{
    if ((*a == '-') != (*b == '-'))
        return *a == '-' ? -1 : 1;
    return *a == '-' ? compare_text(b, b_size, a, a_size)
                     : compare_text(a, a_size, b, b_size);
}

/* An integer's digits, a boolean's too. */
static const char *int_digits(const struct yaml_node *key, size_t *ret_size)
{
    if (key->kind == YAML_BOOL) {
        *ret_size = 1;
        return key->boolean ? "1" : "0";
    }
    *ret_size = key->text.size;
    return key->text.data;
}

/* Exact: a double cannot hold every integer. */
static int compare_int_to_float(const struct yaml_node *a, double b)
{
    char whole[DOUBLE_DIGITS];
    size_t size;
    const char *digits = int_digits(a, &size);
    int rc;

    if (isnan(b))
        return -1;
    if (isinf(b))
        return b > 0 ? -1 : 1;
    snprintf(whole, sizeof whole, "%.0f", trunc(b) + 0.0); /* no "-0" */
    rc = compare_digits(digits, size, whole, strlen(whole));
    return rc ? rc : compare_numbers(trunc(b), b);
}

static int compare_floats(const struct yaml_node *a, const struct yaml_node *b)
{
    if (!isnan(a->number) && !isnan(b->number))
        return compare_numbers(a->number, b->number);
    if (isnan(a->number) != isnan(b->number))
        return isnan(a->number) ? 1 : -1;
    return 0; /* PyYAML has one object for all NaN, and a dict finds it as itself */
}

static int compare_numeric(const struct yaml_node *a, const struct yaml_node *b)
{
    size_t a_size, b_size;
    const char *a_digits, *b_digits;

    if (a->kind == YAML_FLOAT && b->kind == YAML_FLOAT)
        return compare_floats(a, b);
    if (b->kind == YAML_FLOAT)
        return compare_int_to_float(a, b->number);
    if (a->kind == YAML_FLOAT)
        return -compare_int_to_float(b, a->number);
    a_digits = int_digits(a, &a_size);
    b_digits = int_digits(b, &b_size);
    return compare_digits(a_digits, a_size, b_digits, b_size);
}

static int compare_times(const struct yaml_time *a, const struct yaml_time *b)
{
    int64_t a_s = yaml_time_to_unix(a), b_s = yaml_time_to_unix(b);

    if (a->has_zone != b->has_zone) /* never equal */
        return a->has_zone ? 1 : -1;
    if (a_s != b_s)
        return a_s < b_s ? -1 : 1;
    return (a->microsecond > b->microsecond) - (a->microsecond < b->microsecond);
}

static int compare_tuples(const struct yaml_node *a, const struct yaml_node *b)
{
    size_t count = a->list.count < b->list.count ? a->list.count : b->list.count;

    for (size_t i = 0; i < count; i++) {
        int rc = yaml_key_compare(a->list.items[i], b->list.items[i]);

        if (rc)
            return rc;
    }
    return (a->list.count > b->list.count) - (a->list.count < b->list.count);
}

int yaml_key_compare(const struct yaml_node *a, const struct yaml_node *b)
{
    if (a == b)
        return 0;
    if (key_class(a) != key_class(b))
        return key_class(a) < key_class(b) ? -1 : 1;
    switch (a->kind) {
    case YAML_NULL:
        return 0;
    case YAML_BOOL:
    case YAML_INT:
    case YAML_FLOAT:
        return compare_numeric(a, b);
    case YAML_TEXT:
    case YAML_BINARY:
        return compare_text(a->text.data, a->text.size, b->text.data, b->text.size);
    case YAML_DATE:
    case YAML_DATETIME:
        return compare_times(&a->time, &b->time);
    case YAML_TUPLE:
        return compare_tuples(a, b);
    default: /* objects of unknown tags are equal to themselves alone */
        return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
    }
}
