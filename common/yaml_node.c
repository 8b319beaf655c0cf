/* yaml_node.c: looking things up in a YAML tree, and telling what is wrong there. */
#include "common/yaml_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    size_t size = strlen(key);

    for (size_t i = 0; map->kind == YAML_MAP && i < map->map.count; i++) {
        const struct yaml_node *candidate = map->map.pairs[i].key;

        if (candidate->kind == YAML_TEXT && candidate->text.size == size &&
            memcmp(candidate->text.data, key, size) == 0)
            return map->map.pairs[i].value;
    }
    return NULL;
}

struct yaml_node yaml_node_of(const char *text)
{
    return (struct yaml_node){
        .kind = YAML_TEXT, .text = {.data = text, .size = strlen(text)}
    };
}

const char *yaml_text(const struct yaml_node *node)
{
    if (node->kind != YAML_TEXT || strlen(node->text.data) != node->text.size)
        return NULL;
    return node->text.data;
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    static const char *const names[] = {
        [YAML_NULL] = "null",
        [YAML_BOOL] = "boolean",
        [YAML_INT] = "integer",
        [YAML_FLOAT] = "number",
        [YAML_TEXT] = "text",
        [YAML_BINARY] = "binary",
        [YAML_DATE] = "date",
        [YAML_DATETIME] = "time",
        [YAML_LIST] = "list",
        [YAML_TUPLE] = "tuple",
        [YAML_MAP] = "mapping",
        [YAML_SET] = "set",
        [YAML_OTHER] = "object of an unknown tag",
    };

    return names[kind];
}

int yaml_fail(struct error *err, int code, struct yaml_place at, const char *format, ...)
{
    char sentence[ERROR_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return yaml_fail_context(err, fail(err, code, "%s", sentence), at);
}

int yaml_fail_context(struct error *err, int rc, struct yaml_place at)
{
    return fail_context(err, rc, "line %u, column %u", at.line, at.column);
}
