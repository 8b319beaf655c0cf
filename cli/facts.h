/* facts.h: all that is known about one version of a model, as nodes to print.
 *
 *     CLEANUP_FACTS struct facts facts = {0};
 *     rc = facts_find(wire, "emotion-small", FACT_COUNT, &facts, &err);
 *     facts_node(&facts, FACT_META)
 *
 * Nodes live as long as the facts. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "cli/query.h"
#include "cli/wire.h"
#include "common/yaml.h"
#include "resolver/header.h"

enum fact {
    FACT_UID,
    FACT_NAME,
    FACT_SUBGROUP,
    FACT_AUTHOR,
    FACT_DATE,
    FACT_VERSION,
    FACT_PARAMS,
    FACT_META,
    FACT_ALIASES,
    FACT_URL,
    FACT_HEADER, /* the document that most of them come from */
    FACT_COUNT,  /* all */
};

struct facts {
    struct release release;
    struct header *header;
    struct yaml *meta;   /* NULL if not asked for */
    struct yaml *parsed; /* of the header document; NULL if not asked for */
    struct names *aliases;
    char uid[QUERY_UID_SIZE];
    char *url;
    struct yaml_node nodes[FACT_COUNT];
    struct yaml_node *alias_nodes;
    const struct yaml_node **alias_items;
};

/* Find what asked needs; all for FACT_COUNT. Blocks. ret_facts must be zero; release it
 * with facts_done even after a failure. */
int facts_find(struct wire *wire, const char *text, enum fact asked,
               struct facts *ret_facts, struct error *err);
void facts_done(struct facts *facts);
#define CLEANUP_FACTS CLEANUP_WITH(facts_done)

/* Valid for what was asked. */
const struct yaml_node *facts_node(const struct facts *facts, enum fact fact);

/* The key that a fact has in the output: that of the header document, where it has one.
 */
const char *facts_name(enum fact fact);

#endif
