/* cmd_meta.c: modelfs meta. */
#include "cli/cmd.h"
#include "cli/given.h"
#include "cli/wire.h"
#include "common/yaml.h"
#include "publish/publish.h"

enum { OPTION_REPLACE };

static const struct command_option options[] = {
    [OPTION_REPLACE] = {.name = "replace", .help = "drop what was there before"},
    {.name = NULL                },
};

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, YAML_BYTES_MAX);
    rc = given_read(arguments->operands[1], &text, err);
    if (rc < 0)
        return fail_context(err, rc, "metadata");
    rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);
    if (rc < 0)
        return rc;
    return publish_set_meta(wire->resolver, arguments->operands[0], text.data, text.size,
                            arguments->values[OPTION_REPLACE] ? PUBLISH_META_REPLACE
                                                              : PUBLISH_META_MERGE,
                            err);
}

const struct command cmd_meta = {
    .name = "meta",
    .operands = "UID YAML|@FILE",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "change the metadata of a model",
    .options = options,
    .more =
        "The mapping is merged into the metadata: mappings into mappings at any depth,\n"
        "all else replaces what was there. 'modelfs info --meta UID' prints it.\n",
    .run = run,
};
