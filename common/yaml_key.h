/* yaml_key.h: mapping keys as a Python dict sees them: hashable or not, equal or not.
 *
 * Pure; thread-safe. */
#ifndef COMMON_YAML_KEY_H
#define COMMON_YAML_KEY_H

#include "common/yaml_node.h"

#include <stdbool.h>

/* Lists, mappings and sets are not, nor tuples that hold them. */
bool yaml_key_is_hashable(const struct yaml_node *key);

/* A total order in which those keys are equal that Python holds for equal: 1, 1.0 and
 * true; times that name one instant. Less than 0, 0, more than 0. */
int yaml_key_compare(const struct yaml_node *a, const struct yaml_node *b);

#endif
