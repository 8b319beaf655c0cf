/* cmd_exists.c: modelfs exists. */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/wire.h"

#include <errno.h>

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    struct error why = {0};
    struct release release;
    int rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);
    int found;

    if (rc < 0)
        return rc;
    found = resolver_resolve(wire->resolver, arguments->operands[0], RESOLVE_FETCH,
                             &release, &why);
    /* -EINVAL: a text that names no model names none that exists. */
    if (found < 0 && found != -ENOENT && found != -EINVAL) {
        *err = why;
        return found;
    }
    output_line(found == 0 ? "true" : "false");
    rc = output_finish(err);
    return rc < 0 ? rc : found == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

const struct command cmd_exists = {
    .name = "exists",
    .operands = "UID",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "does a model exist: true or false",
    .more =
        "The exit status is 0 for true and 1 for false. What cannot be found out is no\n"
        "answer: then nothing is printed but an error.\n",
    .run = run,
};
