/* meta.h: a model's metadata document: any YAML mapping.
 *
 *     rc = meta_parse(text, size, &yaml, &err);
 *     const struct yaml_node *emodb = yaml_get(meta_root(yaml), "emodb");
 *     rc = meta_print(meta_root(yaml), &to, &err);
 *
 * Pure. */
#ifndef RESOLVER_META_H
#define RESOLVER_META_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/yaml.h"

#include <stddef.h>

/* -EINVAL with the reason for what is no mapping. No document and null, which audmodel
 * writes for "no metadata", count as an empty mapping. yaml_tree_free the result. */
int meta_parse(const char *text, size_t size, struct yaml **ret_yaml, struct error *err);

/* The mapping: never NULL, lives as long as yaml. */
const struct yaml_node *meta_root(const struct yaml *yaml);

/* Append the text that audmodel would write. -EINVAL for objects of unknown tags. */
int meta_print(const struct yaml_node *map, struct bytes *to, struct error *err);

#endif
