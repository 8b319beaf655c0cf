/* yaml_node.h: the values of a YAML tree and how to look into them; see yaml.h. Pure. */
#ifndef COMMON_YAML_NODE_H
#define COMMON_YAML_NODE_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    YAML_BYTES_MAX = 16 << 20, /* of text */
    YAML_NODES_MAX = 1 << 19,  /* places in the tree, aliases expanded */
    YAML_DEPTH_MAX = 100,
};

enum yaml_kind {
    YAML_NULL,
    YAML_BOOL,     /* boolean */
    YAML_INT,      /* text: decimal digits of any number, "-" in front if negative */
    YAML_FLOAT,    /* number */
    YAML_TEXT,     /* text: UTF-8, may hold NUL */
    YAML_BINARY,   /* text: raw bytes of !!binary */
    YAML_DATE,     /* time: year, month, day */
    YAML_DATETIME, /* time */
    YAML_LIST,     /* items */
    YAML_TUPLE,    /* items, of !!python/tuple */
    YAML_MAP,      /* pairs in the order of the text */
    YAML_SET,      /* pairs with values of kind YAML_NULL */
    YAML_OTHER,    /* text: a tag that we do not construct; its content is dropped */
};

struct yaml_time {
    int year, month, day;
    int hour, minute, second, microsecond;
    bool has_zone;
    int zone_s; /* seconds east of UTC; 0 with has_zone is UTC itself */
};

struct yaml_place {
    unsigned line, column; /* from 1; 0 of what no text holds */
};

struct yaml_node {
    enum yaml_kind kind;
    struct yaml_place at;
    union {
        bool boolean;
        double number;
        struct yaml_time time;
        struct {
            const char *data; /* followed by a NUL that does not count */
            size_t size;
        } text;
        struct {
            const struct yaml_node **items;
            size_t count;
        } list;
        struct {
            struct yaml_pair *pairs;
            size_t count;
        } map;
    };
};

struct yaml_pair {
    const struct yaml_node *key;
    const struct yaml_node *value;
};

struct yaml; /* owns the nodes */

void yaml_tree_free(struct yaml *yaml); /* accepts NULL */
#define CLEANUP_YAML CLEANUP_WITH(yaml_cleanup)
static inline void yaml_cleanup(struct yaml **yaml)
{
    yaml_tree_free(*yaml);
}

/* The value of a text key of a mapping, NULL if there is none or map is no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* A node for trees built in code, out of structs alone: yaml_print takes them as it takes
 * parsed ones. text is lent for as long as the node is used. */
struct yaml_node yaml_node_of(const char *text);

/* The text of a YAML_TEXT node without NUL bytes, else NULL. */
const char *yaml_text(const struct yaml_node *node);

/* fail with the place in front: "line 3, column 7: ...". */
int yaml_fail(struct error *err, int code, struct yaml_place at, const char *format, ...)
    __attribute__((format(printf, 4, 5), nonnull(1)));

/* The place in front of what err says already; return rc. */
int yaml_fail_context(struct error *err, int rc, struct yaml_place at);

/* "mapping", "text", "number" ...: for messages. */
const char *yaml_kind_name(enum yaml_kind kind);

#endif
