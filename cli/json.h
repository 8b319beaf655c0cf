/* json.h: prints JSON as it comes, indented, keys in the order of the calls.
 *
 *     struct json json;
 *     json_init(&json, stdout);
 *     json_begin(&json, NULL, JSON_MAP);
 *     json_text(&json, "uid", uid);
 *     json_end(&json);
 *
 * key is that of the value in its mapping, NULL in a list and at the top. Numbers are
 * written as Python writes them: whole ones of any size, floats in as few digits as read
 * back the same. Bytes that are no UTF-8 become U+FFFD. Whether all could be written, the
 * stream knows (output_finish). */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "common/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAX = YAML_DEPTH_MAX + 16 };

enum json_kind {
    JSON_LIST,
    JSON_MAP,
};

struct json {
    FILE *to;
    unsigned depth;
    bool has_key; /* of the next value, already printed */
    struct {
        enum json_kind kind;
        bool has_entries;
    } open[JSON_DEPTH_MAX];
};

void json_init(struct json *json, FILE *to);

void json_begin(struct json *json, const char *key, enum json_kind kind);
void json_end(struct json *json); /* the last one ends the line */

void json_text(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_null(struct json *json, const char *key);

/* A tree: dates and bytes as text, tuples and sets as lists, keys as Python's json has
 * them; what JSON lacks (inf, nan) as text. */
void json_yaml(struct json *json, const char *key, const struct yaml_node *node);

#endif
