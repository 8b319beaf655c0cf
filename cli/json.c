/* json.c: prints JSON as it comes. */
#include "cli/json.h"

#include "common/pyfloat.h"
#include "common/utf8.h"

#include <assert.h>
#include <math.h>

enum {
    INDENT = 2,
    BASE64_PER_GROUP = 4, /* digits for 3 bytes */
};

void json_init(struct json *json, FILE *to)
{
    json->to = to;
    json->depth = 0;
    json->has_key = false;
}

static void new_line(struct json *json)
{
    fprintf(json->to, "\n%*s", (int)json->depth * INDENT, "");
}

static void print_escaped(FILE *to, unsigned char c)
{
    static const char letters[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',  ['\r'] = 'r',
        ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\',
    };

    if (c < sizeof letters && letters[c])
        fprintf(to, "\\%c", letters[c]);
    else if (c < ' ' || c == 0x7f)
        fprintf(to, "\\u%04x", c);
    else
        putc(c, to);
}

static void print_quoted(FILE *to, const char *text, size_t size)
{
    putc('"', to);
    for (size_t at = 0; at < size;) {
        size_t length = utf8_size(text + at, size - at);

        if (length == 0)
            fputs("\xEF\xBF\xBD", to);
        else if (length == 1)
            print_escaped(to, (unsigned char)text[at]);
        else
            fwrite(text + at, 1, length, to);
        at += length ? length : 1;
    }
    putc('"', to);
}

static void next_entry(struct json *json)
{
    if (json->open[json->depth - 1].has_entries)
        putc(',', json->to);
    json->open[json->depth - 1].has_entries = true;
    new_line(json);
}

/* The next value's key, which may hold NUL. */
static void print_key(struct json *json, const char *key, size_t size)
{
    next_entry(json);
    print_quoted(json->to, key, size);
    fputs(": ", json->to);
    json->has_key = true;
}

/* What stands in front of a value. */
static void start_value(struct json *json, const char *key)
{
    if (json->depth == 0)
        return;
    if (key)
        print_key(json, key, strlen(key));
    assert(json->has_key == (json->open[json->depth - 1].kind == JSON_MAP));
    if (!json->has_key)
        next_entry(json);
    json->has_key = false;
}

static void end_value(struct json *json)
{
    if (json->depth == 0)
        putc('\n', json->to);
}

void json_begin(struct json *json, const char *key, enum json_kind kind)
{
    assert(json->depth < JSON_DEPTH_MAX);
    start_value(json, key);
    putc(kind == JSON_MAP ? '{' : '[', json->to);
    json->open[json->depth].kind = kind;
    json->open[json->depth].has_entries = false;
    json->depth++;
}

void json_end(struct json *json)
{
    assert(json->depth > 0);
    json->depth--;
    if (json->open[json->depth].has_entries)
        new_line(json);
    putc(json->open[json->depth].kind == JSON_MAP ? '}' : ']', json->to);
    end_value(json);
}

static void json_text_of(struct json *json, const char *key, const char *text,
                         size_t size)
{
    start_value(json, key);
    print_quoted(json->to, text, size);
    end_value(json);
}

static void json_word(struct json *json, const char *key, const char *word)
{
    start_value(json, key);
    fputs(word, json->to);
    end_value(json);
}

void json_text(struct json *json, const char *key, const char *text)
{
    json_text_of(json, key, text, strlen(text));
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    char word[32];

    snprintf(word, sizeof word, "%ju", (uintmax_t)number);
    json_word(json, key, word);
}

void json_null(struct json *json, const char *key)
{
    json_word(json, key, "null");
}

static void json_float(struct json *json, const char *key, double number)
{
    char word[PYFLOAT_SIZE];

    pyfloat_repr(number, word, sizeof word);
    if (isfinite(number))
        json_word(json, key, word);
    else
        json_text(json, key, word);
}

static void json_base64(struct json *json, const char *key, const char *data, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    start_value(json, key);
    putc('"', json->to);
    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at < 3 ? size - at : 3;
        uint32_t group = 0;

        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < left ? (unsigned char)data[at + i] : 0);
        for (size_t i = 0; i < BASE64_PER_GROUP; i++)
            putc(i <= left ? digits[group >> (18 - 6 * i) & 63] : '=', json->to);
    }
    putc('"', json->to);
    end_value(json);
}

/* As Python's str() has dates and times. */
static void format_time(const struct yaml_node *node, char *buffer, size_t size)
{
    const struct yaml_time *time = &node->time;
    int used =
        snprintf(buffer, size, "%04d-%02d-%02d", time->year, time->month, time->day);

    if (node->kind == YAML_DATE)
        return;
    used += snprintf(buffer + used, size - (size_t)used, " %02d:%02d:%02d", time->hour,
                     time->minute, time->second);
    if (time->microsecond)
        used += snprintf(buffer + used, size - (size_t)used, ".%06d", time->microsecond);
    if (time->has_zone) {
        int minutes = abs(time->zone_s) / 60;

        snprintf(buffer + used, size - (size_t)used, "%c%02d:%02d",
                 time->zone_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
    }
}

/* A key that is no text, as Python's json writes it; what that refuses, by its kind. */
static void format_key(const struct yaml_node *node, char *buffer, size_t size)
{
    switch (node->kind) {
    case YAML_NULL:
        snprintf(buffer, size, "null");
        break;
    case YAML_BOOL:
        snprintf(buffer, size, "%s", node->boolean ? "true" : "false");
        break;
    case YAML_INT:
        snprintf(buffer, size, "%s", node->text.data);
        break;
    case YAML_FLOAT:
        pyfloat_repr(node->number, buffer, size);
        break;
    case YAML_DATE:
    case YAML_DATETIME:
        format_time(node, buffer, size);
        break;
    default:
        snprintf(buffer, size, "(%s)", yaml_kind_name(node->kind));
    }
}

static void json_map(struct json *json, const char *key, const struct yaml_node *node)
{
    json_begin(json, key, JSON_MAP);
    for (size_t i = 0; i < node->map.count; i++) {
        const struct yaml_pair *pair = &node->map.pairs[i];
        char name[PYFLOAT_SIZE * 4];

        if (pair->key->kind == YAML_TEXT) {
            print_key(json, pair->key->text.data, pair->key->text.size);
        } else {
            format_key(pair->key, name, sizeof name);
            print_key(json, name, strlen(name));
        }
        json_yaml(json, NULL, pair->value);
    }
    json_end(json);
}

static void json_list(struct json *json, const char *key, const struct yaml_node *node)
{
    size_t count = node->kind == YAML_SET ? node->map.count : node->list.count;

    json_begin(json, key, JSON_LIST);
    for (size_t i = 0; i < count; i++)
        json_yaml(json, NULL,
                  node->kind == YAML_SET ? node->map.pairs[i].key : node->list.items[i]);
    json_end(json);
}

/* As deep as yaml.h lets a tree be. */
void json_yaml(struct json *json, const char *key, const struct yaml_node *node)
{
    char time[64];

    switch (node->kind) {
    case YAML_NULL:
        json_null(json, key);
        break;
    case YAML_BOOL:
        json_word(json, key, node->boolean ? "true" : "false");
        break;
    case YAML_INT:
        json_word(json, key, node->text.data);
        break;
    case YAML_FLOAT:
        json_float(json, key, node->number);
        break;
    case YAML_TEXT:
    case YAML_OTHER:
        json_text_of(json, key, node->text.data, node->text.size);
        break;
    case YAML_BINARY:
        json_base64(json, key, node->text.data, node->text.size);
        break;
    case YAML_DATE:
    case YAML_DATETIME:
        format_time(node, time, sizeof time);
        json_text(json, key, time);
        break;
    case YAML_MAP:
        json_map(json, key, node);
        break;
    case YAML_SET:
    case YAML_LIST:
    case YAML_TUPLE:
        json_list(json, key, node);
        break;
    }
}
