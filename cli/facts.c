/* facts.c: all that is known about one version of a model, as nodes to print. */
#include "cli/facts.h"

#include "common/memory.h"
#include "resolver/meta.h"

#include <stdio.h>
#include <string.h>

enum { URL_BYTES_MAX = 64 << 10 };

static const char *const fact_names[] = {
    [FACT_UID] = "uid",           [FACT_NAME] = "name",     [FACT_SUBGROUP] = "subgroup",
    [FACT_AUTHOR] = "author",     [FACT_DATE] = "date",     [FACT_VERSION] = "version",
    [FACT_PARAMS] = "parameters", [FACT_META] = "meta",     [FACT_ALIASES] = "aliases",
    [FACT_URL] = "url",           [FACT_HEADER] = "header",
};

const char *facts_name(enum fact fact)
{
    return fact_names[fact];
}

/* A date as YAML knows it, where it is one and nothing else. */
static struct yaml_node date_node(const struct header *header)
{
    struct yaml_node node = {.kind = YAML_DATE};
    struct yaml_time *time = &node.time;

    if (header->date_s != 0 && strlen(header->date) == strlen("2024-02-29") &&
        sscanf(header->date, "%4d-%2d-%2d", &time->year, &time->month, &time->day) == 3)
        return node;
    return yaml_node_of(header->date);
}

static int find_header(struct wire *wire, struct facts *facts, struct error *err)
{
    const struct header *header;
    int rc = cache_header(wire->cache, wire->resolver, &facts->release, RESOLVE_FETCH,
                          &facts->header, err);

    if (rc < 0)
        return rc;
    header = facts->header;
    facts->nodes[FACT_NAME] = yaml_node_of(header->name);
    facts->nodes[FACT_SUBGROUP] = yaml_node_of(header->subgroup);
    facts->nodes[FACT_AUTHOR] = yaml_node_of(header->author);
    facts->nodes[FACT_DATE] = date_node(header);
    facts->nodes[FACT_PARAMS] = *header->parameters;
    return 0;
}

static int find_document(struct facts *facts, struct error *err)
{
    int rc =
        yaml_parse(facts->header->text, facts->header->text_size, &facts->parsed, err);

    if (rc == 0)
        facts->nodes[FACT_HEADER] = *yaml_root(facts->parsed);
    return rc;
}

/* audmodel returns an empty mapping for metadata that is null. */
static int find_meta(struct wire *wire, struct facts *facts, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, YAML_BYTES_MAX);
    rc = cache_meta(wire->cache, wire->resolver, &facts->release, &text, err);
    if (rc == 0)
        rc = meta_parse(text.data, text.size, &facts->meta, err);
    if (rc < 0)
        return fail_context(err, rc, "model %s", facts->uid);
    facts->nodes[FACT_META] = *meta_root(facts->meta);
    return 0;
}

static int find_aliases(struct wire *wire, struct facts *facts, struct error *err)
{
    size_t count;
    int rc = resolver_aliases_of(wire->resolver, &facts->release, &facts->aliases, err);

    if (rc < 0)
        return rc;
    count = facts->aliases->count;
    facts->alias_nodes = xcalloc(count + 1, sizeof *facts->alias_nodes);
    facts->alias_items = xcalloc(count + 1, sizeof *facts->alias_items);
    for (size_t i = 0; i < count; i++) {
        facts->alias_nodes[i] = yaml_node_of(facts->aliases->names[i]);
        facts->alias_items[i] = &facts->alias_nodes[i];
    }
    facts->nodes[FACT_ALIASES] = (struct yaml_node){
        .kind = YAML_LIST, .list = {.items = facts->alias_items, .count = count}
    };
    return 0;
}

static int find_url(struct wire *wire, struct facts *facts, struct error *err)
{
    CLEANUP_BYTES struct bytes url;
    int rc;

    bytes_init(&url, URL_BYTES_MAX);
    rc = resolver_url(wire->resolver, &facts->release, facts->header, &url, err);
    if (rc < 0)
        return rc;
    facts->url = bytes_detach(&url);
    facts->nodes[FACT_URL] = yaml_node_of(facts->url);
    return 0;
}

static bool is_wanted(enum fact asked, enum fact fact)
{
    return asked == fact || asked == FACT_COUNT;
}

int facts_find(struct wire *wire, const char *text, enum fact asked,
               struct facts *ret_facts, struct error *err)
{
    int rc =
        resolver_resolve(wire->resolver, text, RESOLVE_FETCH, &ret_facts->release, err);

    if (rc < 0)
        return rc;
    query_print_uid(ret_facts->release.id, ret_facts->release.version, ret_facts->uid);
    ret_facts->nodes[FACT_UID] = yaml_node_of(ret_facts->uid);
    ret_facts->nodes[FACT_VERSION] = yaml_node_of(ret_facts->release.version);
    if (asked != FACT_UID && asked != FACT_VERSION && asked != FACT_META &&
        asked != FACT_ALIASES)
        rc = find_header(wire, ret_facts, err);
    if (rc == 0 && is_wanted(asked, FACT_META))
        rc = find_meta(wire, ret_facts, err);
    if (rc == 0 && is_wanted(asked, FACT_ALIASES))
        rc = find_aliases(wire, ret_facts, err);
    if (rc == 0 && is_wanted(asked, FACT_URL))
        rc = find_url(wire, ret_facts, err);
    if (rc == 0 && asked == FACT_HEADER)
        rc = find_document(ret_facts, err);
    return rc;
}

void facts_done(struct facts *facts)
{
    header_unref(facts->header);
    yaml_tree_free(facts->meta);
    yaml_tree_free(facts->parsed);
    names_unref(facts->aliases);
    free(facts->url);
    free(facts->alias_nodes);
    free(facts->alias_items);
}

const struct yaml_node *facts_node(const struct facts *facts, enum fact fact)
{
    return &facts->nodes[fact];
}
