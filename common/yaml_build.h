/* yaml_build.h: a YAML tree grown from events: scalars, collections, anchors, aliases.
 * For common/yaml*.c alone.
 *
 *     yaml_build_init(&build, yaml);
 *     rc = yaml_build_open(&build, &event, YAML_TAG_MAP, &err);
 *     rc = yaml_build_scalar(&build, &event, YAML_TAG_TEXT, "name", 4, &err);
 *     ...
 *     rc = yaml_build_close(&build, &err);
 *     rc = yaml_build_root(&build, &root, &err);
 *     yaml_build_done(&build);
 *
 * All limits of yaml.h are watched while the tree grows, so that hostile text ends soon:
 * an alias costs as many places as what it names. -EINVAL and -EFBIG with "line L,
 * column C: ...". */
#ifndef COMMON_YAML_BUILD_H
#define COMMON_YAML_BUILD_H

#include "common/cleanup.h"
#include "common/error.h"
#include "common/yaml_scalar.h"
#include "common/yaml_tree.h"

#include <stddef.h>
#include <stdint.h>

struct yaml_frame {
    struct yaml_built *collection;
    enum yaml_tag tag;
    enum yaml_tag shape; /* YAML_TAG_LIST or YAML_TAG_MAP: how it is written */
    size_t first;        /* its children are nodes[first] and on */
};

struct yaml_build {
    struct yaml *yaml;
    const struct yaml_node **nodes; /* finished, not yet in their collection */
    size_t count, capacity;
    struct yaml_frame frames[YAML_DEPTH_MAX];
    size_t depth;
    size_t places; /* of all nodes and aliases so far */
    void *anchors; /* a tree of tsearch(3) */
};

struct yaml_event {
    const char *anchor; /* or NULL */
    const char *tag;    /* in full; NULL: as the resolver sees it */
    struct yaml_place at;
};

void yaml_build_init(struct yaml_build *build, struct yaml *yaml);
void yaml_build_done(struct yaml_build *build);
#define CLEANUP_YAML_BUILD CLEANUP_WITH(yaml_build_done)

/* tag is the scalar's or, when event names one, ignored. */
int yaml_build_scalar(struct yaml_build *build, const struct yaml_event *event,
                      enum yaml_tag tag, const char *text, size_t size,
                      struct error *err);

/* shape is YAML_TAG_LIST or YAML_TAG_MAP. */
int yaml_build_open(struct yaml_build *build, const struct yaml_event *event,
                    enum yaml_tag shape, struct error *err);
int yaml_build_close(struct yaml_build *build, struct error *err);

/* event->anchor is the name. */
int yaml_build_alias(struct yaml_build *build, const struct yaml_event *event,
                     struct error *err);

/* The finished tree's root; a null if there was no event. */
int yaml_build_root(struct yaml_build *build, const struct yaml_node **ret_root,
                    struct error *err);

#endif
