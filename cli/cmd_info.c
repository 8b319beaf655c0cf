/* cmd_info.c: modelfs info. */
#include "cli/cmd.h"
#include "cli/facts.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/wire.h"

static const struct command_option options[] = {
    [FACT_UID] = {.name = "uid",                                .help = "print the full ID alone"},
    [FACT_NAME] = {.name = "name",                                            .help = "print the name alone"},
    [FACT_SUBGROUP] = {.name = "subgroup",.help = "print the subgroup alone"},
    [FACT_AUTHOR] = {.name = "author",                           .help = "print the author alone"},
    [FACT_DATE] = {.name = "date",                                            .help = "print the date alone"},
    [FACT_VERSION] = {.name = "version",.help = "print the version alone"},
    [FACT_PARAMS] = {.name = "params",                               .help = "print the parameters alone, as YAML"},
    [FACT_META] = {.name = "meta",                                            .help = "print the metadata alone, as YAML"},
    [FACT_ALIASES] = {.name = "aliases",                          .help = "print the aliases alone, one a line"},
    [FACT_URL] = {.name = "url",                             .help = "print alone where the archive lies"},
    [FACT_HEADER] = {.name = "header",                                            .help = "print the header document as it is"},
    {0},
};

static int print_yaml(const struct yaml_node *node, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, 4 * YAML_BYTES_MAX); /* escapes make a text longer */
    rc = yaml_print(node, &text, err);
    if (rc == 0)
        output_text(text.data, text.size);
    return rc;
}

static int print_plain(const struct facts *facts, enum fact fact, struct error *err)
{
    const struct yaml_node *node = facts_node(facts, fact);

    switch (fact) {
    case FACT_HEADER:
        output_text(facts->header->text, facts->header->text_size);
        return 0;
    case FACT_PARAMS:
    case FACT_META:
        return print_yaml(node, err);
    case FACT_ALIASES:
        for (size_t i = 0; i < node->list.count; i++)
            output_line(node->list.items[i]->text.data);
        return 0;
    case FACT_DATE:
        output_line(facts->header->date);
        return 0;
    default:
        output_line(node->text.data);
        return 0;
    }
}

/* All facts as one mapping; the header document says nothing that is not in it. */
static int print_all(const struct facts *facts, enum output_form form, struct error *err)
{
    struct yaml_pair pairs[FACT_HEADER];
    struct yaml_node keys[FACT_HEADER];
    struct yaml_node map = {.kind = YAML_MAP, .map = {.pairs = pairs}};
    struct json json;

    for (enum fact fact = 0; fact < FACT_HEADER; fact++) {
        keys[fact] = yaml_node_of(facts_name(fact));
        pairs[map.map.count].key = &keys[fact];
        pairs[map.map.count++].value = facts_node(facts, fact);
    }
    if (form == OUTPUT_PLAIN)
        return print_yaml(&map, err);
    json_init(&json, stdout);
    json_yaml(&json, NULL, &map);
    return 0;
}

static int print_one(const struct facts *facts, enum fact fact, enum output_form form,
                     struct error *err)
{
    struct json json;

    if (form == OUTPUT_PLAIN)
        return print_plain(facts, fact, err);
    json_init(&json, stdout);
    json_yaml(&json, NULL, facts_node(facts, fact));
    return 0;
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    CLEANUP_FACTS struct facts facts = {0};
    enum fact asked = FACT_COUNT;
    int rc;

    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        if (!arguments->values[fact])
            continue;
        if (asked != FACT_COUNT)
            return command_misused(arguments->command,
                                   "info: --%s and --%s: only one can be asked for alone",
                                   options[asked].name, options[fact].name);
        asked = fact;
    }
    rc = wire_load(arguments->config, WIRE_CACHE, &wire, err);
    if (rc == 0)
        rc = facts_find(wire, arguments->operands[0], asked, &facts, err);
    if (rc < 0)
        return rc;
    if (asked == FACT_COUNT)
        rc = print_all(&facts, arguments->form, err);
    else
        rc = print_one(&facts, asked, arguments->form, err);
    if (rc == 0)
        rc = output_finish(err);
    return rc == 0 && facts.aliases && facts.aliases->is_partial ? query_is_partial()
                                                                 : rc;
}

const struct command cmd_info = {
    .name = "info",
    .operands = "UID",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "print what is known about a model",
    .options = options,
    .more =
        "Without an option all is printed, as YAML. A short ID stands for its latest\n"
        "version.\n",
    .run = run,
};
