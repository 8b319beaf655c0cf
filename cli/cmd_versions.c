/* cmd_versions.c: modelfs versions and modelfs latest. */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/wire.h"

static int find_versions(struct resolver *resolver, const char *text,
                         struct version_list **ret_list, struct error *err)
{
    char id[MODEL_ID_SIZE];
    int rc = query_id(resolver, text, id, err);

    if (rc == 0)
        rc = resolver_versions(resolver, id, RESOLVE_FETCH, ret_list, err);
    return rc;
}

static void print_versions(const struct version_list *list, enum output_form form)
{
    struct json json;

    if (form == OUTPUT_PLAIN) {
        for (size_t i = 0; i < list->count; i++)
            output_line(list->entries[i].version);
        return;
    }
    json_init(&json, stdout);
    json_begin(&json, NULL, JSON_LIST);
    for (size_t i = 0; i < list->count; i++)
        json_text(&json, NULL, list->entries[i].version);
    json_end(&json);
}

static void print_latest(const struct version_list *list, enum output_form form)
{
    output_value(list->entries[list->latest].version, form);
}

/* A list that lacks a repository is printed as far as it goes, and is a failure. */
static int finish(const struct version_list *list, struct error *err)
{
    int rc = output_finish(err);

    return rc == 0 && list->is_partial ? query_is_partial() : rc;
}

typedef void print_list(const struct version_list *list, enum output_form form);

static int run(const struct arguments *arguments, print_list *print, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    struct version_list *list = NULL;
    int rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);

    if (rc == 0)
        rc = find_versions(wire->resolver, arguments->operands[0], &list, err);
    if (rc < 0)
        return rc;
    print(list, arguments->form);
    rc = finish(list, err);
    version_list_unref(list);
    return rc;
}

static int run_versions(const struct arguments *arguments, struct error *err)
{
    return run(arguments, print_versions, err);
}

static int run_latest(const struct arguments *arguments, struct error *err)
{
    return run(arguments, print_latest, err);
}

const struct command cmd_versions = {
    .name = "versions",
    .operands = "UID",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "print the versions of a model, the latest last",
    .more = "The order is audmodel's. With several repositories their lists follow one\n"
            "another as they are configured.\n",
    .run = run_versions,
};

const struct command cmd_latest = {
    .name = "latest",
    .operands = "UID",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "print the latest version of a model",
    .run = run_latest,
};
