/* yaml_shape.h: how a node is printed, found out before its first character is: tag,
 * text, quotes. For common/yaml*.c alone.
 *
 *     rc = yaml_shape_find(node, &shape, &err);
 *     yaml_shape_print(&shape, &emit, indent, flags); */
#ifndef COMMON_YAML_SHAPE_H
#define COMMON_YAML_SHAPE_H

#include "common/error.h"
#include "common/yaml_emit.h"
#include "common/yaml_node.h"
#include "common/yaml_scalar.h"
#include "common/yaml_style.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_SHAPE_SIZE = 48 }; /* holds any scalar but texts and integers */

struct yaml_shape {
    enum yaml_tag tag;
    bool is_tag_shown;
    const char *text; /* of scalars; NULL for collections */
    size_t size;
    struct yaml_look look;
    char buffer[YAML_SHAPE_SIZE];
};

/* The shape refers to node and to itself: it must not be copied. -EINVAL for what cannot
 * be printed. */
int yaml_shape_find(const struct yaml_node *node, struct yaml_shape *ret_shape,
                    struct error *err);

/* Print a scalar without its tag. */
void yaml_shape_print(const struct yaml_shape *shape, struct yaml_emit *emit,
                      size_t indent, unsigned flags);

#endif
