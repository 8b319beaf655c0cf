/* pyrepr.h: Python's repr of what a YAML text holds; IDs are hashes of it.
 *
 *     bytes_init(&to, PYREPR_SIZE_MAX);
 *     rc = pyrepr_print(params, &to, &err);
 *
 * Python does not define in which order it prints a set of
 * several items; here it is the order of the text. Pure. */
#ifndef RESOLVER_PYREPR_H
#define RESOLVER_PYREPR_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/yaml.h"

#include <stddef.h>

enum { PYREPR_SIZE_MAX = 64 << 20 }; /* bytes; more than any sane model has */

/* Append repr(node). -EINVAL for a tag that we do not construct, with its place in the
 * text; -EFBIG past the limit of to. On failure to holds a part of it. */
int pyrepr_print(const struct yaml_node *node, struct bytes *to, struct error *err);

/* Append repr of a mapping with its own keys sorted, those of nested mappings not; as
 * audmodel writes parameters before it hashes them. A null is an empty mapping. -EINVAL
 * also for what is no mapping and for keys that Python cannot sort (a number and a
 * text). */
int pyrepr_print_sorted(const struct yaml_node *map, struct bytes *to, struct error *err);

#endif
