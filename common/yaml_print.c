/* yaml_print.c: a YAML tree to the text that PyYAML's dump(sort_keys=False) writes.
 *
 * libyaml's own emitter is no help: it counts the length of keys otherwise, puts a blank
 * behind aliases that are keys, and leaves "..." out. */
#include "common/yaml.h"
#include "common/yaml_emit.h"
#include "common/yaml_scalar.h"
#include "common/yaml_shape.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum {
    INDENT = 2,
    SIMPLE_KEY_MAX = 128, /* characters of anchor, tag and text */
};

/* A collection or time that has been met, and its number if it has been met twice. */
struct seen {
    const struct yaml_node *node;
    unsigned anchor;
    bool is_printed;
};

/* A collection that is being printed; in a mapping, keys and values count as children. */
struct level {
    const struct yaml_node *node;
    size_t child;
    size_t indent;
    bool is_key_simple;
};

struct printer {
    struct yaml_emit emit;
    void *seen; /* a tree of tsearch(3) */
    unsigned anchors;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
};

static int compare_seen(const void *a, const void *b)
{
    uintptr_t first = (uintptr_t)((const struct seen *)a)->node;
    uintptr_t second = (uintptr_t)((const struct seen *)b)->node;

    return (first > second) - (first < second);
}

static bool is_sequence(const struct yaml_node *node)
{
    return node->kind == YAML_LIST || node->kind == YAML_TUPLE;
}

static bool is_mapping(const struct yaml_node *node)
{
    return node->kind == YAML_MAP || node->kind == YAML_SET;
}

static size_t child_count(const struct yaml_node *node)
{
    return is_sequence(node)  ? node->list.count
           : is_mapping(node) ? node->map.count * 2
                              : 0;
}

static const struct yaml_node *child_at(const struct yaml_node *node, size_t child)
{
    const struct yaml_pair *pair;

    if (is_sequence(node))
        return node->list.items[child];
    pair = &node->map.pairs[child / 2];
    return child % 2 ? pair->value : pair->key;
}

/* PyYAML names what Python can change, and tuples and times too. */
static bool may_have_anchor(const struct yaml_node *node)
{
    if (node->kind == YAML_TUPLE)
        return node->list.count > 0;
    return is_sequence(node) || is_mapping(node) || node->kind == YAML_DATE ||
           node->kind == YAML_DATETIME;
}

static int seen_add(struct printer *printer, const struct yaml_node *node,
                    struct seen **ret_seen, bool *ret_is_new)
{
    struct seen *seen = calloc(1, sizeof *seen), **found;

    if (!seen)
        return fail(printer->emit.err, ENOMEM, "no memory to print YAML");
    seen->node = node;
    found = tsearch(seen, &printer->seen, compare_seen);
    *ret_is_new = found && *found == seen;
    if (!*ret_is_new)
        free(seen);
    if (!found)
        return fail(printer->emit.err, ENOMEM, "no memory to print YAML");
    *ret_seen = *found;
    return 0;
}

/* Number the nodes met twice, in the order in which they are met again. */
static int find_anchors(struct printer *printer, const struct yaml_node *node)
{
    struct seen *seen = NULL;
    bool is_new;
    int rc;

    if (!may_have_anchor(node))
        return 0;
    if (printer->depth == YAML_DEPTH_MAX)
        return fail(printer->emit.err, EFBIG, "nested deeper than %d",
                    (int)YAML_DEPTH_MAX);
    rc = seen_add(printer, node, &seen, &is_new);
    if (rc < 0)
        return rc;
    if (!is_new) {
        if (seen->anchor == 0)
            seen->anchor = ++printer->anchors;
        return 0;
    }
    printer->depth++;
    for (size_t i = 0; rc == 0 && i < child_count(node); i++)
        rc = find_anchors(printer, child_at(node, i));
    printer->depth--;
    return rc;
}

/* NULL for a node that stands in one place only. */
static struct seen *find_seen(const struct printer *printer, const struct yaml_node *node)
{
    struct seen wanted = {.node = node}, **found;

    if (!may_have_anchor(node))
        return NULL;
    found = tfind(&wanted, &printer->seen, compare_seen);
    return found && (*found)->anchor ? *found : NULL;
}

static void print_anchor(struct printer *printer, char sign, unsigned anchor)
{
    char text[16];

    snprintf(text, sizeof text, "%cid%03u", sign, anchor);
    yaml_emit_indicator(&printer->emit, text, YAML_EMIT_BLANK);
}

/* Can it stand in front of its ':' without a '?'? */
static bool is_simple_key(const struct printer *printer, const struct yaml_node *node,
                          const struct yaml_shape *shape)
{
    const struct seen *seen = find_seen(printer, node);
    size_t size = strlen("!!") + strlen(yaml_scalar_tag_name(shape->tag));
    char anchor[16];

    if (seen && seen->is_printed)
        return true;
    if (seen)
        size += (size_t)snprintf(anchor, sizeof anchor, "id%03u", seen->anchor);
    if (!shape->text)
        return child_count(node) == 0;
    return shape->size > 0 && !shape->look.is_multiline &&
           size + shape->look.characters < SIMPLE_KEY_MAX;
}

/* Below a key that ends its line a sequence needs no indent of its own. */
static void push_level(struct printer *printer, const struct yaml_node *node)
{
    const struct level *parent =
        printer->depth ? &printer->levels[printer->depth - 1] : NULL;
    struct level level = {.node = node};

    if (parent) {
        level.indent = parent->indent + INDENT;
        if (is_sequence(node) && is_mapping(parent->node) && !printer->emit.indention)
            level.indent = parent->indent;
    }
    printer->levels[printer->depth++] = level;
}

/* Print a scalar, an alias or an empty collection; of another its head alone. */
static void print_node(struct printer *printer, const struct yaml_node *node,
                       const struct yaml_shape *shape, unsigned flags)
{
    struct yaml_emit *emit = &printer->emit;
    struct seen *seen = find_seen(printer, node);
    size_t indent =
        INDENT + (printer->depth ? printer->levels[printer->depth - 1].indent : 0);
    char tag[32];

    if (seen && seen->is_printed) {
        print_anchor(printer, '*', seen->anchor);
        return;
    }
    if (seen) {
        seen->is_printed = true;
        print_anchor(printer, '&', seen->anchor);
    }
    if (shape->is_tag_shown) {
        snprintf(tag, sizeof tag, "!!%s", yaml_scalar_tag_name(shape->tag));
        yaml_emit_indicator(emit, tag, YAML_EMIT_BLANK);
    }
    if (shape->text) {
        yaml_shape_print(shape, emit, indent, flags);
    } else if (child_count(node) == 0) {
        yaml_emit_indicator(emit, is_sequence(node) ? "[" : "{",
                            YAML_EMIT_BLANK | YAML_EMIT_WHITESPACE);
        yaml_emit_indicator(emit, is_sequence(node) ? "]" : "}", 0);
    } else {
        push_level(printer, node);
    }
}

/* What stands in front of a child: '-', '?' or ':'. Returns flags for its text. */
static unsigned print_lead(struct printer *printer, struct level *level,
                           const struct yaml_node *node, const struct yaml_shape *shape)
{
    struct yaml_emit *emit = &printer->emit;
    bool is_key = is_mapping(level->node) && level->child % 2 == 0;
    bool is_value = is_mapping(level->node) && !is_key;

    if (is_value && level->is_key_simple) {
        yaml_emit_indicator(emit, ":", 0);
        return 0;
    }
    yaml_emit_indent(emit, level->indent);
    if (is_key)
        level->is_key_simple = is_simple_key(printer, node, shape);
    if (is_key && level->is_key_simple)
        return YAML_EMIT_KEY;
    yaml_emit_indicator(emit,
                        is_key     ? "?"
                        : is_value ? ":"
                                   : "-",
                        YAML_EMIT_BLANK | YAML_EMIT_INDENTION);
    return 0;
}

static int print_levels(struct printer *printer)
{
    while (printer->depth > 0 && printer->emit.rc == 0) {
        struct level *level = &printer->levels[printer->depth - 1];
        const struct yaml_node *node;
        struct yaml_shape shape;
        unsigned flags;
        int rc;

        if (level->child == child_count(level->node)) {
            printer->depth--;
            continue;
        }
        node = child_at(level->node, level->child);
        rc = yaml_shape_find(node, &shape, printer->emit.err);
        if (rc < 0)
            return rc;
        flags = print_lead(printer, level, node, &shape);
        level->child++;
        print_node(printer, node, &shape, flags);
    }
    return printer->emit.rc;
}

static int print_document(struct printer *printer, const struct yaml_node *node)
{
    struct yaml_shape shape;
    int rc = find_anchors(printer, node);

    if (rc == 0)
        rc = yaml_shape_find(node, &shape, printer->emit.err);
    if (rc < 0)
        return rc;
    print_node(printer, node, &shape, YAML_EMIT_ROOT);
    rc = print_levels(printer);
    if (rc < 0)
        return rc;
    yaml_emit_indent(&printer->emit, 0);
    if (printer->emit.open_ended) {
        yaml_emit_indicator(&printer->emit, "...", YAML_EMIT_BLANK);
        yaml_emit_indent(&printer->emit, 0);
    }
    return printer->emit.rc;
}

int yaml_print(const struct yaml_node *node, struct bytes *to, struct error *err)
{
    struct printer printer = {
        .emit = {.to = to, .err = err, .whitespace = true}
    };
    int rc;

    printer.emit.indention = true;
    rc = print_document(&printer, node);
    tdestroy(printer.seen, free);
    return rc;
}
