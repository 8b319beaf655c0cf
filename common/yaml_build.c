/* yaml_build.c: a YAML tree grown from events: scalars, collections, anchors, aliases. */
#include "common/yaml_build.h"

#include "common/yaml_map.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct anchor {
    const char *name;
    struct yaml_built *built;
};

static int compare_anchors(const void *a, const void *b)
{
    return strcmp(((const struct anchor *)a)->name, ((const struct anchor *)b)->name);
}

static void keep_anchor(void *anchor)
{
    (void)anchor; /* lives in the tree's memory */
}

void yaml_build_init(struct yaml_build *build, struct yaml *yaml)
{
    *build = (struct yaml_build){.yaml = yaml};
}

void yaml_build_done(struct yaml_build *build)
{
    tdestroy(build->anchors, keep_anchor);
    build->anchors = NULL;
    free(build->nodes);
    build->nodes = NULL;
}

static int no_memory(struct error *err)
{
    return fail(err, ENOMEM, "no memory for a YAML tree");
}

static int count_places(struct yaml_build *build, const struct yaml_event *event,
                        size_t places, struct error *err)
{
    build->places += places;
    if (build->places > YAML_NODES_MAX)
        return yaml_fail(err, EFBIG, event->at, "more than %d nodes",
                         (int)YAML_NODES_MAX);
    return 0;
}

static int new_node(struct yaml_build *build, const struct yaml_event *event,
                    struct yaml_built **ret_built, struct error *err)
{
    struct yaml_built *built;
    int rc = count_places(build, event, 1, err);

    if (rc < 0)
        return rc;
    built = yaml_tree_alloc(build->yaml, sizeof *built);
    if (!built)
        return no_memory(err);
    built->node.at = event->at;
    built->places = 1;
    built->height = 1;
    *ret_built = built;
    return 0;
}

static int add_anchor(struct yaml_build *build, const struct yaml_event *event,
                      struct yaml_built *built, struct error *err)
{
    struct anchor *anchor, **found;

    if (!event->anchor)
        return 0;
    anchor = yaml_tree_alloc(build->yaml, sizeof *anchor);
    if (!anchor)
        return no_memory(err);
    anchor->name = yaml_tree_copy(build->yaml, event->anchor, strlen(event->anchor));
    if (!anchor->name)
        return no_memory(err);
    anchor->built = built;
    found = tsearch(anchor, &build->anchors, compare_anchors);
    if (!found)
        return no_memory(err);
    if (*found != anchor)
        return yaml_fail(err, EINVAL, event->at, "found duplicate anchor '%.80s'",
                         event->anchor);
    return 0;
}

static int refuse_tag(const struct yaml_node *node, struct error *err)
{
    return yaml_fail(err, EINVAL, node->at,
                     "could not determine a constructor for the tag '%.80s'",
                     node->text.data);
}

/* << and = stand for something only as keys; elsewhere PyYAML has nothing to make. */
static bool is_key_only(const struct yaml_node *node)
{
    return node->kind == YAML_OTHER &&
           (yaml_map_is_merge(node) ||
            strcmp(node->text.data, "tag:yaml.org,2002:value") == 0);
}

static bool is_at_key(const struct yaml_build *build)
{
    const struct yaml_frame *frame;

    if (build->depth == 0)
        return false;
    frame = &build->frames[build->depth - 1];
    return frame->shape == YAML_TAG_MAP && (build->count - frame->first) % 2 == 0;
}

/* A finished node goes to its collection, or is the root. */
static int add_node(struct yaml_build *build, struct yaml_built *built, struct error *err)
{
    if (is_key_only(&built->node) && !is_at_key(build))
        return refuse_tag(&built->node, err);
    if (build->count == build->capacity) {
        size_t capacity = build->capacity ? build->capacity * 2 : 64;
        const struct yaml_node **nodes =
            reallocarray(build->nodes, capacity, sizeof(struct yaml_node *));

        if (!nodes)
            return no_memory(err);
        build->nodes = nodes;
        build->capacity = capacity;
    }
    build->nodes[build->count++] = &built->node;
    return 0;
}

static int set_other(struct yaml_build *build, struct yaml_node *node, const char *tag,
                     struct error *err)
{
    node->kind = YAML_OTHER;
    node->text.size = strlen(tag);
    node->text.data = yaml_tree_copy(build->yaml, tag, node->text.size);
    return node->text.data ? 0 : no_memory(err);
}

int yaml_build_scalar(struct yaml_build *build, const struct yaml_event *event,
                      enum yaml_tag tag, const char *text, size_t size, struct error *err)
{
    struct yaml_built *built;
    const char *other = event->tag;
    int rc = new_node(build, event, &built, err);

    if (rc < 0)
        return rc;
    if (event->tag)
        tag = yaml_scalar_tag(event->tag);
    if (tag == YAML_TAG_MERGE)
        other = "tag:yaml.org,2002:merge";
    if (tag == YAML_TAG_VALUE && is_at_key(build))
        tag = YAML_TAG_TEXT; /* as a key it is just a text */
    if (tag == YAML_TAG_VALUE)
        other = "tag:yaml.org,2002:value";
    if (tag == YAML_TAG_MERGE || tag == YAML_TAG_VALUE || tag == YAML_TAG_OTHER)
        rc = set_other(build, &built->node, other, err);
    else
        rc = yaml_scalar_make(tag, text, size, build->yaml, &built->node, err);
    if (rc < 0)
        return yaml_fail_context(err, rc, event->at);
    rc = add_anchor(build, event, built, err);
    return rc < 0 ? rc : add_node(build, built, err);
}

static bool fits_shape(enum yaml_tag tag, enum yaml_tag shape)
{
    switch (tag) {
    case YAML_TAG_OTHER:
        return true;
    case YAML_TAG_LIST:
    case YAML_TAG_TUPLE:
    case YAML_TAG_PAIRS:
        return shape == YAML_TAG_LIST;
    case YAML_TAG_MAP:
    case YAML_TAG_SET:
        return shape == YAML_TAG_MAP;
    default:
        return false;
    }
}

int yaml_build_open(struct yaml_build *build, const struct yaml_event *event,
                    enum yaml_tag shape, struct error *err)
{
    enum yaml_tag tag = event->tag ? yaml_scalar_tag(event->tag) : shape;
    struct yaml_built *built;
    int rc;

    if (build->depth == YAML_DEPTH_MAX)
        return yaml_fail(err, EFBIG, event->at, "nested deeper than %d",
                         (int)YAML_DEPTH_MAX);
    if (!fits_shape(tag, shape))
        return yaml_fail(err, EINVAL, event->at, "!!%s cannot be made of a %s",
                         yaml_scalar_tag_name(tag),
                         shape == YAML_TAG_MAP ? "mapping" : "sequence");
    rc = new_node(build, event, &built, err);
    if (rc < 0)
        return rc;
    built->is_open = true;
    if (tag == YAML_TAG_OTHER) { /* named now: the tag lives as long as the event */
        rc = set_other(build, &built->node, event->tag, err);
        if (rc < 0)
            return rc;
    }
    rc = add_anchor(build, event, built, err);
    if (rc < 0)
        return rc;
    build->frames[build->depth++] = (struct yaml_frame){
        .collection = built, .tag = tag, .shape = shape, .first = build->count};
    return 0;
}

static int set_list(struct yaml_build *build, struct yaml_node *node, enum yaml_kind kind,
                    const struct yaml_node *const *nodes, size_t count, struct error *err)
{
    node->kind = kind;
    node->list.count = count;
    node->list.items = yaml_tree_alloc(build->yaml, count * sizeof(struct yaml_node *));
    if (!node->list.items)
        return no_memory(err);
    if (count)
        memcpy(node->list.items, nodes, count * sizeof(struct yaml_node *));
    return 0;
}

/* !!omap, !!pairs: each mapping of one pair becomes a tuple (key, value). */
static int set_pairs(struct yaml_build *build, struct yaml_node *node,
                     const struct yaml_node **nodes, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = nodes[i];
        struct yaml_event place = {.at = item->at};
        struct yaml_built *tuple;
        int rc;

        if (item->kind != YAML_MAP || item->map.count != 1)
            return yaml_fail(err, EINVAL, item->at, "expected a mapping of length 1");
        rc = new_node(build, &place, &tuple, err);
        if (rc < 0)
            return rc;
        tuple->places = 3;
        rc = set_list(
            build, &tuple->node, YAML_TUPLE,
            (const struct yaml_node *[]){item->map.pairs->key, item->map.pairs->value}, 2,
            err);
        if (rc < 0)
            return rc;
        nodes[i] = &tuple->node;
    }
    return set_list(build, node, YAML_LIST, nodes, count, err);
}

static int set_set(struct yaml_build *build, struct yaml_node *node,
                   const struct yaml_node *const *nodes, size_t count, struct error *err)
{
    struct yaml_event place = {0};
    struct yaml_built *none = NULL;
    int rc = yaml_map_make(build->yaml, nodes, count, node, err);

    if (rc == 0)
        rc = new_node(build, &place, &none, err);
    if (rc < 0)
        return rc;
    none->node.kind = YAML_NULL;
    node->kind = YAML_SET;
    for (size_t i = 0; i < node->map.count; i++)
        node->map.pairs[i].value = &none->node;
    return 0;
}

/* What the children add to the expanded tree. */
static int measure(struct yaml_built *built, const struct yaml_node *const *nodes,
                   size_t count, struct error *err)
{
    size_t places = 1;
    unsigned height = 0;

    for (size_t i = 0; i < count; i++) {
        const struct yaml_built *child = (const struct yaml_built *)nodes[i];

        places += child->places;
        if (child->height > height)
            height = child->height;
    }
    if (height >= YAML_DEPTH_MAX)
        return yaml_fail(err, EFBIG, built->node.at, "nested deeper than %d",
                         (int)YAML_DEPTH_MAX);
    built->places = places > YAML_NODES_MAX ? YAML_NODES_MAX : (uint32_t)places;
    built->height = (uint16_t)(height + 1);
    return 0;
}

int yaml_build_close(struct yaml_build *build, struct error *err)
{
    const struct yaml_frame *frame = &build->frames[build->depth - 1];
    struct yaml_built *built = frame->collection;
    size_t count = build->count - frame->first;
    const struct yaml_node **nodes = count > 0 ? build->nodes + frame->first : NULL;
    int rc = measure(built, nodes, count, err);

    if (rc < 0)
        return rc;
    switch (frame->tag) {
    case YAML_TAG_LIST:
        rc = set_list(build, &built->node, YAML_LIST, nodes, count, err);
        break;
    case YAML_TAG_TUPLE:
        rc = set_list(build, &built->node, YAML_TUPLE, nodes, count, err);
        break;
    case YAML_TAG_PAIRS:
        rc = set_pairs(build, &built->node, nodes, count, err);
        break;
    case YAML_TAG_MAP:
        built->node.kind = YAML_MAP;
        rc = yaml_map_make(build->yaml, nodes, count, &built->node, err);
        break;
    case YAML_TAG_SET:
        rc = set_set(build, &built->node, nodes, count, err);
        break;
    default: /* YAML_TAG_OTHER: what it holds is dropped */
        break;
    }
    if (rc < 0)
        return rc;
    built->is_open = false;
    build->count = frame->first;
    build->depth--;
    return add_node(build, built, err);
}

int yaml_build_alias(struct yaml_build *build, const struct yaml_event *event,
                     struct error *err)
{
    struct anchor wanted = {.name = event->anchor}, **found;
    struct yaml_built *built;
    int rc;

    found = tfind(&wanted, &build->anchors, compare_anchors);
    if (!found)
        return yaml_fail(err, EINVAL, event->at, "found undefined alias '%.80s'",
                         event->anchor);
    built = (*found)->built;
    if (built->is_open)
        return yaml_fail(err, EINVAL, event->at, "'%.80s' holds itself", event->anchor);
    rc = count_places(build, event, built->places, err);
    return rc < 0 ? rc : add_node(build, built, err);
}

int yaml_build_root(struct yaml_build *build, const struct yaml_node **ret_root,
                    struct error *err)
{
    struct yaml_event place = {0};
    struct yaml_built *none = NULL;
    int rc;

    if (build->count > 0) {
        *ret_root = build->nodes[0];
        return 0;
    }
    rc = new_node(build, &place, &none, err);
    if (rc < 0)
        return rc;
    none->node.kind = YAML_NULL;
    *ret_root = &none->node;
    return 0;
}
