/* yaml_map.c: the pairs of a mapping, merge keys resolved and equal keys made one. */
#include "common/yaml_map.h"

#include "common/cleanup.h"
#include "common/yaml_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool yaml_map_is_merge(const struct yaml_node *key)
{
    return key->kind == YAML_OTHER &&
           strcmp(key->text.data, "tag:yaml.org,2002:merge") == 0;
}

static bool is_mapping(const struct yaml_node *node)
{
    return node->kind == YAML_MAP || node->kind == YAML_SET;
}

static bool is_sequence(const struct yaml_node *node)
{
    return node->kind == YAML_LIST || node->kind == YAML_TUPLE;
}

/* How many pairs a merge key's value brings. */
static int merged_count(const struct yaml_node *value, size_t *count, struct error *err)
{
    if (is_mapping(value)) {
        *count += value->map.count;
        return 0;
    }
    if (!is_sequence(value))
        return yaml_fail(err, EINVAL, value->at,
                         "only a mapping or a list of mappings can be "
                         "merged, not %s",
                         yaml_kind_name(value->kind));
    for (size_t i = 0; i < value->list.count; i++) {
        const struct yaml_node *item = value->list.items[i];

        if (!is_mapping(item))
            return yaml_fail(err, EINVAL, item->at,
                             "only a mapping can be merged, not %s",
                             yaml_kind_name(item->kind));
        *count += item->map.count;
    }
    return 0;
}

static struct yaml_pair *copy_pairs(struct yaml_pair *to, const struct yaml_node *from)
{
    if (from->map.count)
        memcpy(to, from->map.pairs, from->map.count * sizeof *to);
    return to + from->map.count;
}

/* The first mapping of a list wins, so it comes last. */
static struct yaml_pair *copy_merged(struct yaml_pair *to, const struct yaml_node *value)
{
    if (is_mapping(value))
        return copy_pairs(to, value);
    for (size_t i = value->list.count; i-- > 0;)
        to = copy_pairs(to, value->list.items[i]);
    return to;
}

static int count_pairs(const struct yaml_node *const *nodes, size_t count,
                       size_t *ret_pairs, struct error *err)
{
    size_t pairs = 0;

    for (size_t i = 0; i < count; i += 2) {
        int rc = 0;

        if (yaml_map_is_merge(nodes[i]))
            rc = merged_count(nodes[i + 1], &pairs, err);
        else if (yaml_key_is_hashable(nodes[i]))
            pairs++;
        else
            rc = yaml_fail(err, EINVAL, nodes[i]->at, "found unhashable key");
        if (rc < 0)
            return rc;
    }
    *ret_pairs = pairs;
    return 0;
}

/* Returns how many of the pairs, the first ones, were merged. */
static size_t collect_pairs(const struct yaml_node *const *nodes, size_t count,
                            struct yaml_pair *pairs)
{
    struct yaml_pair *to = pairs;
    size_t merged;

    for (size_t i = 0; i < count; i += 2)
        if (yaml_map_is_merge(nodes[i]))
            to = copy_merged(to, nodes[i + 1]);
    merged = (size_t)(to - pairs);
    for (size_t i = 0; i < count; i += 2)
        if (!yaml_map_is_merge(nodes[i]))
            *to++ = (struct yaml_pair){nodes[i], nodes[i + 1]};
    return merged;
}

static int compare_places(const void *a, const void *b)
{
    const struct yaml_pair *first = *(struct yaml_pair *const *)a;
    const struct yaml_pair *second = *(struct yaml_pair *const *)b;
    int rc = yaml_key_compare(first->key, second->key);

    return rc ? rc : (first > second) - (first < second);
}

/* *count becomes how many are left. Sorted, for a hostile mapping may have a million. To
 * override what was merged is no duplicate. */
static int drop_equal(struct yaml *yaml, struct yaml_pair *pairs, size_t merged,
                      size_t *count, struct error *err)
{
    CLEANUP_FREE struct yaml_pair **sorted = calloc(*count + 1, sizeof *sorted);
    size_t left = 0;

    if (!sorted)
        return fail(err, ENOMEM, "no memory for a mapping of %zu keys", *count);
    for (size_t i = 0; i < *count; i++)
        sorted[i] = &pairs[i];
    qsort(sorted, *count, sizeof(*sorted), compare_places);
    for (size_t i = 0, first = 0; i < *count; i++) {
        if (i == first || yaml_key_compare(sorted[first]->key, sorted[i]->key) != 0) {
            first = i;
            continue;
        }
        if (!yaml->duplicate && sorted[i - 1] >= pairs + merged)
            yaml->duplicate = sorted[i]->key;
        sorted[first]->value = sorted[i]->value;
        sorted[i]->value = NULL;
    }
    for (size_t i = 0; i < *count; i++)
        if (pairs[i].value)
            pairs[left++] = pairs[i];
    *count = left;
    return 0;
}

int yaml_map_make(struct yaml *yaml, const struct yaml_node *const *nodes, size_t count,
                  struct yaml_node *node, struct error *err)
{
    struct yaml_pair *pairs;
    size_t pair_count;
    size_t merged;
    int rc = count_pairs(nodes, count, &pair_count, err);

    if (rc < 0)
        return rc;
    pairs = yaml_tree_alloc(yaml, pair_count * sizeof *pairs);
    if (!pairs)
        return fail(err, ENOMEM, "no memory for a mapping of %zu keys", pair_count);
    merged = collect_pairs(nodes, count, pairs);
    if (pair_count > 1)
        rc = drop_equal(yaml, pairs, merged, &pair_count, err);
    if (rc < 0)
        return rc;
    node->map.pairs = pairs;
    node->map.count = pair_count;
    return 0;
}
