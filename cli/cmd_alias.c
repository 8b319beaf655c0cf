/* cmd_alias.c: modelfs alias. */
#include "cli/cmd.h"
#include "cli/wire.h"
#include "publish/publish.h"

#include <string.h>

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    char *const *operands = arguments->operands;
    const char *what = arguments->operand_count > 0 ? operands[0] : "";
    bool is_set = strcmp(what, "set") == 0;
    int rc;

    if (arguments->operand_count == 0)
        return command_misused(arguments->command, "alias: 'set' or 'rm' is missing");
    if (!is_set && strcmp(what, "rm") != 0)
        return command_misused(arguments->command, "alias: '%s' is not 'set' or 'rm'",
                               what);
    if (arguments->operand_count != (is_set ? 3 : 2))
        return command_misused(arguments->command, "alias: %s takes %s", what,
                               is_set ? "an alias and a model" : "an alias");
    rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);
    if (rc < 0)
        return rc;
    return is_set ? publish_set_alias(wire->resolver, operands[1], operands[2], err)
                  : publish_remove_alias(wire->resolver, operands[1], NULL, err);
}

const struct command cmd_alias = {
    .name = "alias",
    .operands = "set ALIAS UID | rm ALIAS",
    .operands_max = 3,
    .summary = "let an alias name another model, or remove it",
    .more = "A UID that is an alias or a short ID stands for the version that it names "
            "now.\n",
    .run = run,
};
