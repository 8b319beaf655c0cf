/* pyrepr.c: Python's repr of what a YAML text holds. */
#include "resolver/pyrepr.h"

#include "common/pyfloat.h"
#include "common/utf8.h"
#include "resolver/printable.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

static int add(struct bytes *to, const char *text, struct error *err)
{
    return bytes_append(to, text, strlen(text), err);
}

static char quote_for(const char *data, size_t size)
{
    return memchr(data, '\'', size) && !memchr(data, '"', size) ? '"' : '\'';
}

/* The escape that has a letter of its own: \n, \\, the quote; 0 if there is none. */
static char short_escape(uint32_t character, char quote)
{
    switch (character) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\\':
        return '\\';
    default:
        return character == (unsigned char)quote ? quote : '\0';
    }
}

static int add_escaped(struct bytes *to, uint32_t character, char quote,
                       struct error *err)
{
    char letter = short_escape(character, quote);

    if (letter)
        return bytes_printf(to, err, "\\%c", letter);
    if (character <= 0xff)
        return bytes_printf(to, err, "\\x%02x", character);
    if (character <= 0xffff)
        return bytes_printf(to, err, "\\u%04x", character);
    return bytes_printf(to, err, "\\U%08x", character);
}

/* The character at data, which is valid UTF-8. */
static uint32_t decode(const unsigned char *data, size_t *ret_size)
{
    size_t size = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
    uint32_t character = size == 1 ? data[0] : data[0] & (0xffu >> (size + 1));

    for (size_t i = 1; i < size; i++)
        character = character << 6 | (data[i] & 0x3f);
    *ret_size = size;
    return character;
}

static uint32_t take_byte(const unsigned char *data, size_t *ret_size)
{
    *ret_size = 1;
    return data[0];
}

static bool is_ascii_printable(uint32_t character)
{
    return character >= ' ' && character < 0x7f;
}

/* What a text and bytes differ in. */
struct alphabet {
    uint32_t (*take)(const unsigned char *data, size_t *ret_size);
    bool (*is_printable)(uint32_t character);
};

static const struct alphabet unicode = {decode, printable_is};
static const struct alphabet ascii = {take_byte, is_ascii_printable};

static int print_quoted(const struct alphabet *alphabet, const char *data, size_t size,
                        struct bytes *to, struct error *err)
{
    char quote = quote_for(data, size);
    size_t plain = 0; /* start of what needs no escape and is not copied yet */
    size_t step;
    int rc = bytes_append(to, &quote, 1, err);

    for (size_t at = 0; rc == 0 && at < size; at += step) {
        uint32_t character = alphabet->take((const unsigned char *)data + at, &step);

        if (alphabet->is_printable(character) && !short_escape(character, quote))
            continue;
        rc = bytes_append(to, data + plain, at - plain, err);
        if (rc == 0)
            rc = add_escaped(to, character, quote, err);
        plain = at + step;
    }
    if (rc == 0)
        rc = bytes_append(to, data + plain, size - plain, err);
    return rc < 0 ? rc : bytes_append(to, &quote, 1, err);
}

static int print_text(const struct yaml_node *node, struct bytes *to, struct error *err)
{
    if (!utf8_is_valid(node->text.data, node->text.size))
        return yaml_fail(err, EINVAL, node->at, "a text is not UTF-8");
    return print_quoted(&unicode, node->text.data, node->text.size, to, err);
}

static int print_bytes(const struct yaml_node *node, struct bytes *to, struct error *err)
{
    int rc = add(to, "b", err);

    return rc < 0 ? rc : print_quoted(&ascii, node->text.data, node->text.size, to, err);
}

static int print_float(double number, struct bytes *to, struct error *err)
{
    char text[PYFLOAT_SIZE];

    pyfloat_repr(number, text, sizeof text);
    return add(to, text, err);
}

/* Python's timedelta keeps seconds from 0 and lets days go below. */
static int print_zone(int zone_s, struct bytes *to, struct error *err)
{
    int days = zone_s < 0 ? -1 : 0;

    if (zone_s == 0)
        return add(to, ", tzinfo=datetime.timezone.utc", err);
    return bytes_printf(to, err, ", tzinfo=datetime.timezone(datetime.timedelta(%s%s%d))",
                        days ? "days=-1, " : "", "seconds=", zone_s - days * DAY_S);
}

static int print_datetime(const struct yaml_time *time, struct bytes *to,
                          struct error *err)
{
    int rc = bytes_printf(to, err, "datetime.datetime(%d, %d, %d, %d, %d", time->year,
                          time->month, time->day, time->hour, time->minute);

    if (rc == 0 && (time->second || time->microsecond))
        rc = bytes_printf(to, err, ", %d", time->second);
    if (rc == 0 && time->microsecond)
        rc = bytes_printf(to, err, ", %d", time->microsecond);
    if (rc == 0 && time->has_zone)
        rc = print_zone(time->zone_s, to, err);
    return rc < 0 ? rc : add(to, ")", err);
}

static int print_items(const struct yaml_node *node, const char *open, const char *close,
                       struct bytes *to, struct error *err)
{
    int rc = add(to, open, err);

    for (size_t i = 0; rc == 0 && i < node->list.count; i++) {
        if (i > 0)
            rc = add(to, ", ", err);
        if (rc == 0)
            rc = pyrepr_print(node->list.items[i], to, err);
    }
    return rc < 0 ? rc : add(to, close, err);
}

static int print_map(const struct yaml_pair *pairs, size_t count, struct bytes *to,
                     struct error *err)
{
    int rc = add(to, "{", err);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (i > 0)
            rc = add(to, ", ", err);
        if (rc == 0)
            rc = pyrepr_print(pairs[i].key, to, err);
        if (rc == 0)
            rc = add(to, ": ", err);
        if (rc == 0)
            rc = pyrepr_print(pairs[i].value, to, err);
    }
    return rc < 0 ? rc : add(to, "}", err);
}

static int print_set(const struct yaml_node *node, struct bytes *to, struct error *err)
{
    int rc = add(to, node->map.count ? "{" : "set(", err);

    for (size_t i = 0; rc == 0 && i < node->map.count; i++) {
        if (i > 0)
            rc = add(to, ", ", err);
        if (rc == 0)
            rc = pyrepr_print(node->map.pairs[i].key, to, err);
    }
    return rc < 0 ? rc : add(to, node->map.count ? "}" : ")", err);
}

/* Recurses into items: as deep as the tree is, YAML_DEPTH_MAX. */
int pyrepr_print(const struct yaml_node *node, struct bytes *to, struct error *err)
{
    switch (node->kind) {
    case YAML_NULL:
        return add(to, "None", err);
    case YAML_BOOL:
        return add(to, node->boolean ? "True" : "False", err);
    case YAML_INT:
        return bytes_append(to, node->text.data, node->text.size, err);
    case YAML_FLOAT:
        return print_float(node->number, to, err);
    case YAML_TEXT:
        return print_text(node, to, err);
    case YAML_BINARY:
        return print_bytes(node, to, err);
    case YAML_DATE:
        return bytes_printf(to, err, "datetime.date(%d, %d, %d)", node->time.year,
                            node->time.month, node->time.day);
    case YAML_DATETIME:
        return print_datetime(&node->time, to, err);
    case YAML_LIST:
        return print_items(node, "[", "]", to, err);
    case YAML_TUPLE:
        return print_items(node, "(", node->list.count == 1 ? ",)" : ")", to, err);
    case YAML_MAP:
        return print_map(node->map.pairs, node->map.count, to, err);
    case YAML_SET:
        return print_set(node, to, err);
    case YAML_OTHER:
        return yaml_fail(err, EINVAL, node->at,
                         "only Python knows how it prints a value with "
                         "the tag '%.80s'; write it with plain YAML values",
                         node->text.data);
    }
    abort(); /* a kind that no parser makes */
}

/* What Python can compare with each other. */
enum order {
    ORDER_NONE,
    ORDER_TEXT,
    ORDER_NUMBER,
    ORDER_BYTES,
    ORDER_DATE,
    ORDER_DATETIME,
    ORDER_DATETIME_ZONE,
};

static enum order order_of(const struct yaml_node *key)
{
    switch (key->kind) {
    case YAML_TEXT:
        return ORDER_TEXT;
    case YAML_BOOL:
    case YAML_INT:
    case YAML_FLOAT:
        return ORDER_NUMBER;
    case YAML_BINARY:
        return ORDER_BYTES;
    case YAML_DATE:
        return ORDER_DATE;
    case YAML_DATETIME:
        return key->time.has_zone ? ORDER_DATETIME_ZONE : ORDER_DATETIME;
    default:
        return ORDER_NONE;
    }
}

/* By bytes, which for UTF-8 is by code points. */
static int compare_texts(const struct yaml_node *a, const struct yaml_node *b)
{
    size_t common = a->text.size < b->text.size ? a->text.size : b->text.size;
    int order = memcmp(a->text.data, b->text.data, common);

    return order ? order : (a->text.size > b->text.size) - (a->text.size < b->text.size);
}

static int compare_integers(const struct yaml_node *a, const struct yaml_node *b)
{
    bool a_negative = a->text.data[0] == '-', b_negative = b->text.data[0] == '-';
    int order;

    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    if (a->text.size != b->text.size)
        order = a->text.size < b->text.size ? -1 : 1;
    else
        order = compare_texts(a, b);
    return a_negative ? -order : order;
}

static double number_of(const struct yaml_node *node)
{
    if (node->kind == YAML_BOOL)
        return node->boolean;
    return node->kind == YAML_INT ? pyfloat_read(node->text.data) : node->number;
}

static int compare_numbers(const struct yaml_node *a, const struct yaml_node *b)
{
    double a_number, b_number;

    if (a->kind == YAML_INT && b->kind == YAML_INT)
        return compare_integers(a, b);
    a_number = number_of(a);
    b_number = number_of(b);
    return (a_number > b_number) - (a_number < b_number);
}

/* Days since a day before all others (Fliegel and Van Flandern). */
static int64_t day_of(const struct yaml_time *time)
{
    int64_t a = (14 - time->month) / 12; /* 1 in January and February */
    int64_t year = time->year + 4800 - a;
    int64_t month = time->month + 12 * a - 3;

    return time->day + (153 * month + 2) / 5 + 365 * year + year / 4 - year / 100 +
           year / 400;
}

static int64_t instant(const struct yaml_time *time)
{
    int64_t minutes = (day_of(time) * 24 + time->hour) * 60 + time->minute;

    return (minutes * 60 + time->second - time->zone_s) * 1000000 + time->microsecond;
}

static int compare_times(const struct yaml_node *a, const struct yaml_node *b)
{
    int64_t a_instant = instant(&a->time), b_instant = instant(&b->time);

    return (a_instant > b_instant) - (a_instant < b_instant);
}

static int compare_keys(const void *a_pair, const void *b_pair)
{
    const struct yaml_node *a = ((const struct yaml_pair *)a_pair)->key;
    const struct yaml_node *b = ((const struct yaml_pair *)b_pair)->key;

    switch (order_of(a)) {
    case ORDER_TEXT:
    case ORDER_BYTES:
        return compare_texts(a, b);
    case ORDER_NUMBER:
        return compare_numbers(a, b);
    default:
        return compare_times(a, b);
    }
}

static int check_keys(const struct yaml_node *map, struct error *err)
{
    enum order first = map->map.count ? order_of(map->map.pairs[0].key) : ORDER_NONE;

    for (size_t i = 1; i < map->map.count; i++) {
        const struct yaml_node *key = map->map.pairs[i].key;

        if (first == ORDER_NONE || order_of(key) != first)
            return yaml_fail(err, EINVAL, key->at,
                             "Python cannot sort these keys of the "
                             "parameters; make all of them texts");
    }
    return 0;
}

int pyrepr_print_sorted(const struct yaml_node *map, struct bytes *to, struct error *err)
{
    CLEANUP_FREE struct yaml_pair *pairs = NULL;
    int rc;

    if (map->kind == YAML_NULL)
        return add(to, "{}", err);
    if (map->kind != YAML_MAP)
        return fail(err, EINVAL, "the parameters are a %s, not a mapping",
                    yaml_kind_name(map->kind));
    rc = check_keys(map, err);
    if (rc < 0)
        return rc;
    if (map->map.count > 0) {
        pairs = calloc(map->map.count, sizeof *pairs);
        if (!pairs)
            return fail(err, ENOMEM, "no memory for %zu parameters", map->map.count);
        memcpy(pairs, map->map.pairs, map->map.count * sizeof *pairs);
        qsort(pairs, map->map.count, sizeof *pairs, compare_keys);
    }
    return print_map(pairs, map->map.count, to, err);
}
