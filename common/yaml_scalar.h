/* yaml_scalar.h: what PyYAML's resolver takes a scalar for, and the value made of it.
 *
 * Pure; thread-safe. */
#ifndef COMMON_YAML_SCALAR_H
#define COMMON_YAML_SCALAR_H

#include "common/error.h"
#include "common/yaml_node.h"
#include "common/yaml_tree.h"

#include <stddef.h>

enum yaml_tag {
    YAML_TAG_NULL,
    YAML_TAG_BOOL,
    YAML_TAG_INT,
    YAML_TAG_FLOAT,
    YAML_TAG_TEXT,
    YAML_TAG_BINARY,
    YAML_TAG_TIME,
    YAML_TAG_LIST,
    YAML_TAG_TUPLE,
    YAML_TAG_PAIRS, /* !!omap and !!pairs: a list of tuples */
    YAML_TAG_MAP,
    YAML_TAG_SET,
    YAML_TAG_MERGE, /* << */
    YAML_TAG_VALUE, /* = */
    YAML_TAG_OTHER,
};

/* The tag of a full name such as "tag:yaml.org,2002:int"; Python's own names too. */
enum yaml_tag yaml_scalar_tag(const char *name);

/* "!!int": for messages and for printing. */
const char *yaml_scalar_tag_name(enum yaml_tag tag);

/* The tag of a plain scalar. */
enum yaml_tag yaml_scalar_resolve(const char *text, size_t size);

/* Make node the value that text has under a tag, its content in yaml. -EINVAL for text
 * that is no such value and for tags of collections, -EFBIG, -ENOMEM. */
int yaml_scalar_make(enum yaml_tag tag, const char *text, size_t size, struct yaml *yaml,
                     struct yaml_node *node, struct error *err);

#endif
