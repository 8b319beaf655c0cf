/* cmd_aliases.c: modelfs aliases. */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/wire.h"

static void print_names(const struct names *names, enum output_form form)
{
    struct json json;

    if (form == OUTPUT_PLAIN) {
        for (size_t i = 0; i < names->count; i++)
            output_line(names->names[i]);
        return;
    }
    json_init(&json, stdout);
    json_begin(&json, NULL, JSON_LIST);
    for (size_t i = 0; i < names->count; i++)
        json_text(&json, NULL, names->names[i]);
    json_end(&json);
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    struct names *names = NULL;
    struct release release;
    int rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);

    if (rc == 0)
        rc = resolver_resolve(wire->resolver, arguments->operands[0], RESOLVE_FETCH,
                              &release, err);
    if (rc == 0)
        rc = resolver_aliases_of(wire->resolver, &release, &names, err);
    if (rc < 0)
        return rc;
    print_names(names, arguments->form);
    rc = output_finish(err);
    if (rc == 0 && names->is_partial)
        rc = query_is_partial();
    names_unref(names);
    return rc;
}

const struct command cmd_aliases = {
    .name = "aliases",
    .operands = "UID",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "print the aliases of a model, one a line",
    .more = "A short ID stands for the latest version.\n",
    .run = run,
};
