/* yaml.h: YAML 1.1 text to a tree, with the scalars PyYAML's full loader makes of it, and
 * back to the text PyYAML's dump writes.
 *
 *     rc = yaml_parse(text, size, &yaml, &err);
 *     const struct yaml_node *name = yaml_get(yaml_root(yaml), "name");
 *     yaml_tree_free(yaml);
 *
 * Nodes live as long as their tree and are
 * constant. A node that several aliases name stands in several places of the tree (it is
 * shared); the sum of all places is limited, so that walking a tree always ends. Merge
 * keys (<<) are resolved; of duplicate keys the last value stands in the first place.
 * Parsing is pure: no I/O, no globals; thread-safe. */
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/yaml_node.h"

#include <stddef.h>

/* Parse one document. No document at all is a null. -EINVAL with "line L, column C: ..."
 * for what is not YAML (also: several documents, recursion, undefined aliases, `=`),
 * -EFBIG past a limit. Free the result with yaml_tree_free (yaml_free is libyaml's own).
 */
int yaml_parse(const char *text, size_t size, struct yaml **ret_yaml, struct error *err);

const struct yaml_node *yaml_root(const struct yaml *yaml);

/* A key that its mapping has twice, where it stands the second time; NULL if all are
 * different. PyYAML lets that pass; who reads what people write may not. */
const struct yaml_node *yaml_duplicate(const struct yaml *yaml);

/* Print as PyYAML's dump(sort_keys=False) does, byte for byte: block style, 80 columns,
 * ASCII, anchors for shared lists and mappings. Ends with a newline. -EINVAL for
 * YAML_OTHER. */
int yaml_print(const struct yaml_node *node, struct bytes *to, struct error *err);

#endif
