/* cmd_cache.c: modelfs cache. */
#include "cli/cache_parts.h"
#include "cli/cmd.h"

#include <string.h>

static int run(const struct arguments *arguments, struct error *err)
{
    static const struct {
        const char *name;
        bool takes_models, takes_all, has_json;
        int (*run)(const struct arguments *arguments, struct error *err);
    } parts[] = {
        {"status", false, false, true,  cache_status},
        {"verify", true,  false, true,  cache_verify},
        {"clean",  false, true,  false, cache_clean },
    };
    bool is_all = arguments->values[CACHE_CLEAN_ALL] != NULL;
    const char *name = arguments->operands[0];

    if (arguments->operand_count == 0)
        return command_misused(arguments->command,
                               "cache: 'status', 'verify' or 'clean' is missing");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(name, parts[i].name) != 0)
            continue;
        if (arguments->operand_count > 1 && !parts[i].takes_models)
            return command_misused(arguments->command, "cache: %s takes no models", name);
        if (is_all && !parts[i].takes_all)
            return command_misused(arguments->command, "cache: %s takes no --all", name);
        if (arguments->form == OUTPUT_JSON && !parts[i].has_json)
            return command_misused(arguments->command, "cache: %s prints no JSON", name);
        return parts[i].run(arguments, err);
    }
    return command_misused(arguments->command,
                           "cache: '%s' is none of 'status', 'verify', 'clean'", name);
}

static const struct command_option options[] = {
    [CACHE_CLEAN_ALL] = {.name = "all", .help = "with clean: complete models too"},
    {0            },
};

const struct command cmd_cache = {
    .name = "cache",
    .operands = "status | verify [UID...] | clean [--all]",
    .operands_max = -1,
    .has_json = true,
    .summary = "show, check or empty the cache folder",
    .options = options,
    .more = "status  what the cache folder holds\n"
            "verify  read cached files (of all models, or those named) and compare them\n"
            "        with their archives; what is damaged is removed and fetched anew\n"
            "clean   remove models that are not complete, with --all every model that\n"
            "        modelfs put there, and headers and metadata beside no model; what\n"
            "        is in use stays, and so do audmodel's models and its lock files\n",
    .run = run,
};
