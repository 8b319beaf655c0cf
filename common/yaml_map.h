/* yaml_map.h: the pairs of a mapping, once all keys and values are there: merge keys
 * resolved, of equal keys one kept. For common/yaml*.c alone. */
#ifndef COMMON_YAML_MAP_H
#define COMMON_YAML_MAP_H

#include "common/error.h"
#include "common/yaml_node.h"
#include "common/yaml_tree.h"

#include <stdbool.h>
#include <stddef.h>

/* Is this key the merge key `<<`, not yet resolved? */
bool yaml_map_is_merge(const struct yaml_node *key);

/* Fill node's map from key, value, key, value ... (count of both together is even).
 * Merged pairs come first, as in PyYAML; of equal keys the first key keeps its place and
 * gets the last value. -EINVAL for what cannot be merged or be a key, -ENOMEM. */
int yaml_map_make(struct yaml *yaml, const struct yaml_node *const *nodes, size_t count,
                  struct yaml_node *node, struct error *err);

#endif
