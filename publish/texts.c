/* texts.c: the documents of a published model, built as trees and printed. */
#include "publish/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int print_map(const struct yaml_node *keys, const struct yaml_node *const *values,
                     size_t count, struct bytes *to, struct error *err)
{
    CLEANUP_FREE struct yaml_pair *pairs = calloc(count, sizeof *pairs);
    struct yaml_node map = {
        .kind = YAML_MAP, .map = {pairs, count}
    };

    if (!pairs)
        return fail(err, ENOMEM, "no memory to print YAML");
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct yaml_pair){&keys[i], values[i]};
    return yaml_print(&map, to, err);
}

int texts_header(const struct manifest *manifest, struct bytes *to, struct error *err)
{
    enum { AUTHOR, DATE, NAME, PARAMETERS, SUBGROUP, VERSION, COUNT };

    const struct yaml_node author = yaml_node_of(manifest->author);
    const struct yaml_node name = yaml_node_of(manifest->name);
    const struct yaml_node subgroup = yaml_node_of(manifest->subgroup);
    const struct yaml_node version = yaml_node_of(manifest->version);
    const struct yaml_node date = {.kind = YAML_DATE, .time = manifest->date};
    const struct yaml_node keys[COUNT] = {
        [AUTHOR] = yaml_node_of("author"),     [DATE] = yaml_node_of("date"),
        [NAME] = yaml_node_of("name"),         [PARAMETERS] = yaml_node_of("parameters"),
        [SUBGROUP] = yaml_node_of("subgroup"), [VERSION] = yaml_node_of("version"),
    };

    return print_map(keys,
                     (const struct yaml_node *[COUNT]){
                         [AUTHOR] = &author,
                         [DATE] = &date,
                         [NAME] = &name,
                         [PARAMETERS] = manifest->params,
                         [SUBGROUP] = &subgroup,
                         [VERSION] = &version,
                     },
                     COUNT, to, err);
}

int texts_meta(const struct manifest *manifest, struct bytes *to, struct error *err)
{
    return yaml_print(manifest->meta, to, err);
}

int texts_alias(const char *uid, struct bytes *to, struct error *err)
{
    const struct yaml_node key = yaml_node_of("uid");
    const struct yaml_node value = yaml_node_of(uid);
    const struct yaml_node *values[] = {&value};

    return print_map(&key, values, 1, to, err);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int texts_alias_list(const char *const *aliases, size_t count, struct bytes *to,
                     struct error *err)
{
    CLEANUP_FREE const char **sorted = calloc(count + 1, sizeof *sorted);
    CLEANUP_FREE struct yaml_node *nodes = calloc(count + 1, sizeof *nodes);
    CLEANUP_FREE const struct yaml_node **items = calloc(count + 1, sizeof *items);
    const struct yaml_node key = yaml_node_of("aliases");
    struct yaml_node list = {.kind = YAML_LIST, .list = {.items = items}};
    const struct yaml_node *values[] = {&list};

    if (!sorted || !nodes || !items)
        return fail(err, ENOMEM, "no memory for %zu aliases", count);
    if (count > 0)
        memcpy(sorted, aliases, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0)
            continue;
        nodes[list.list.count] = yaml_node_of(sorted[i]);
        items[list.list.count] = &nodes[list.list.count];
        list.list.count++;
    }
    return print_map(&key, values, 1, to, err);
}
