/* cmd_uid.c: modelfs uid. */
#include "cli/cmd.h"
#include "cli/given.h"
#include "cli/output.h"
#include "cli/query.h"

#include <errno.h>

enum {
    OPTION_NAME,
    OPTION_PARAMS,
    OPTION_SUBGROUP,
    OPTION_VERSION,
    OPTION_LEGACY,
    OPTION_PRIVATE,
};

static const struct command_option options[] = {
    [OPTION_NAME] = {.name = "name",                                  .argument = "NAME", .help = "the model's name"},
    [OPTION_PARAMS] = {.name = "params",
                     .argument = "YAML|@FILE",
                     .help = "its parameters, a mapping; default {}"},
    [OPTION_SUBGROUP] = {.name = "subgroup",
                     .argument = "SUBGROUP",
                     .help = "its subgroup; default none"},
    [OPTION_VERSION] = {.name = "version",
                     .argument = "VERSION",
                     .help = "print the full ID of this version"},
    [OPTION_LEGACY] = {.name = "legacy",
                     .help = "compute the legacy ID, of 36 characters; "
                               "needs --version"},
    [OPTION_PRIVATE] = {.name = "private",
                     .help = "with --legacy: of the private repository"},
    {0                              },
};

/* YAML text, or with "@" in front the file that holds it. */
static int read_params(const char *given, struct yaml **ret_yaml, struct error *err)
{
    CLEANUP_BYTES struct bytes file;
    CLEANUP_YAML struct yaml *yaml = NULL;
    int rc;

    bytes_init(&file, YAML_BYTES_MAX);
    rc = given_read(given, &file, err);
    if (rc == 0)
        rc = yaml_parse(file.data, file.size, &yaml, err);
    if (rc == 0 && yaml_root(yaml)->kind != YAML_MAP &&
        yaml_root(yaml)->kind != YAML_NULL)
        rc = fail(err, EINVAL, "a mapping such as '{rate: 16000}' is needed, not %s",
                  yaml_kind_name(yaml_root(yaml)->kind));
    if (rc < 0)
        return fail_context(err, rc, "--params");
    *ret_yaml = steal_ptr(&yaml);
    return 0;
}

static int compute(char *const *values, const struct yaml_node *params,
                   char ret_uid[QUERY_UID_SIZE], struct error *err)
{
    const char *version = values[OPTION_VERSION];
    char id[MODEL_ID_SIZE];
    int rc;

    if (values[OPTION_LEGACY])
        rc = uid_legacy(values[OPTION_NAME], values[OPTION_SUBGROUP], params, version,
                        values[OPTION_PRIVATE] ? UID_LEGACY_PRIVATE : UID_LEGACY_PUBLIC,
                        id, err);
    else
        rc = uid_short(values[OPTION_NAME], values[OPTION_SUBGROUP], params, id, err);
    if (rc < 0)
        return rc;
    if (version)
        query_print_uid(id, version, ret_uid);
    else
        snprintf(ret_uid, QUERY_UID_SIZE, "%s", id);
    return 0;
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_YAML struct yaml *params = NULL;
    char *const *values = arguments->values;
    char uid[QUERY_UID_SIZE];
    int rc;

    if (!values[OPTION_NAME])
        return command_misused(arguments->command, "uid: --name is missing");
    if (values[OPTION_LEGACY] && !values[OPTION_VERSION])
        return command_misused(arguments->command,
                               "uid: --legacy needs --version, which is part of the ID");
    if (values[OPTION_PRIVATE] && !values[OPTION_LEGACY])
        return command_misused(arguments->command, "uid: --private needs --legacy");
    if (values[OPTION_VERSION] && !uid_version_is_valid(values[OPTION_VERSION]))
        return fail(err, EINVAL, "'%.80s' cannot be a version", values[OPTION_VERSION]);
    if (!*values[OPTION_NAME])
        return fail(err, EINVAL, "the name must not be empty");
    rc = read_params(values[OPTION_PARAMS] ? values[OPTION_PARAMS] : "{}", &params, err);
    if (rc == 0)
        rc = compute(values, yaml_root(params), uid, err);
    if (rc < 0)
        return rc;
    output_value(uid, arguments->form);
    return output_finish(err);
}

const struct command cmd_uid = {
    .name = "uid",
    .operands = "--name NAME",
    .operands_max = 0,
    .has_json = true,
    .summary = "compute the ID of a model from its name and parameters",
    .options = options,
    .more = "The model need not exist.\n",
    .run = run,
};
