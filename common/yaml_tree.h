/* yaml_tree.h: the memory that holds a YAML tree. For common/yaml*.c alone.
 *
 * Nodes and their content come from chunks that grow and are freed in one go. Not
 * thread-safe while it grows. */
#ifndef COMMON_YAML_TREE_H
#define COMMON_YAML_TREE_H

#include "common/yaml_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node while its tree grows: callers see the first field alone. */
struct yaml_built {
    struct yaml_node node;
    uint32_t places; /* that it and what is below it take, aliases expanded */
    uint16_t height; /* 1 for a scalar */
    bool is_open;    /* still being built: an alias to it is a recursion */
};

struct yaml_chunk;

struct yaml {
    struct yaml_chunk *chunks;
    const struct yaml_node *root;
    const struct yaml_node *duplicate; /* yaml_duplicate() */
};

/* Zeroed, aligned for any type. NULL without memory. */
void *yaml_tree_alloc(struct yaml *yaml, size_t size);

/* A copy followed by a NUL. NULL without memory. */
const char *yaml_tree_copy(struct yaml *yaml, const char *data, size_t size);

#endif
