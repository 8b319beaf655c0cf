/* cmd_publish.c: modelfs publish. */
#include "cli/cmd.h"
#include "cli/given.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/wire.h"
#include "common/defaults.h"
#include "common/yaml.h"
#include "publish/publish.h"

#include <fcntl.h>

enum {
    OPTION_NAME,
    OPTION_VERSION,
    OPTION_PARAMS,
    OPTION_META,
    OPTION_SUBGROUP,
    OPTION_AUTHOR,
    OPTION_DATE,
    OPTION_ALIAS,
    OPTION_REPOSITORY,
};

/* clang-format off */
static const struct command_option options[] = {
    [OPTION_NAME] = {.name = "name", .argument = "NAME", .help = "the model's name"},
    [OPTION_VERSION] = {.name = "version", .argument = "VERSION",
                        .help = "its version, such as 1.0.0"},
    [OPTION_PARAMS] = {.name = "params", .argument = "YAML|@FILE",
                       .help = "its parameters, a mapping; part of the ID; default {}"},
    [OPTION_META] = {.name = "meta", .argument = "YAML|@FILE",
                     .help = "its metadata, a mapping"},
    [OPTION_SUBGROUP] = {.name = "subgroup", .argument = "SUBGROUP",
                         .help = "its subgroup, such as emotion.cnn; default none"},
    [OPTION_AUTHOR] = {.name = "author", .argument = "AUTHOR",
                       .help = "who made it; default the login name"},
    [OPTION_DATE] = {.name = "date", .argument = "DATE",
                     .help = "YYYY-MM-DD; default today"},
    [OPTION_ALIAS] = {.name = "alias", .argument = "ALIAS",
                      .help = "let this alias name it"},
    [OPTION_REPOSITORY] = {.name = "repository", .argument = "REPOSITORY",
                           .help = "publish there; default the first configured"},
    {.name = NULL},
};
/* clang-format on */

/* What stands on the terminal while it runs. */
struct bars {
    struct progress_bar progress;
    bool is_shown;
    enum publish_step step;
};

static int show_progress(void *arg, enum publish_step step, uint64_t done, uint64_t total,
                         struct error *err)
{
    static const char *const titles[] = {
        [PUBLISH_STEP_ARCHIVE] = "archive",
        [PUBLISH_STEP_UPLOAD] = "upload",
    };
    struct bars *bars = arg;

    (void)err; /* nothing to cancel for */
    if (bars->is_shown && bars->step != step)
        progress_done(&bars->progress);
    if (!bars->is_shown || bars->step != step)
        progress_init(&bars->progress, titles[step]);
    bars->is_shown = true;
    bars->step = step;
    progress_update(&bars->progress, done, total);
    return 0;
}

static void show_warning(void *arg, const char *sentence)
{
    struct bars *bars = arg;

    if (bars->is_shown)
        progress_done(&bars->progress);
    bars->is_shown = false;
    command_complain("warning: %s", sentence);
}

static int read_yaml(const char *argument, const char *option, struct bytes *to,
                     const char **ret_text, struct error *err)
{
    int rc;

    if (!argument)
        return 0;
    rc = given_read(argument, to, err);
    if (rc < 0)
        return fail_context(err, rc, "%s", option);
    *ret_text = to->data;
    return 0;
}

static int make_manifest(char *const *values, struct manifest **ret_manifest,
                         struct error *err)
{
    CLEANUP_BYTES struct bytes params, meta;
    CLEANUP_FREE char *author = NULL;
    char date[DEFAULTS_DATE_SIZE];
    struct manifest_texts texts = {.name = values[OPTION_NAME],
                                   .version = values[OPTION_VERSION],
                                   .subgroup = values[OPTION_SUBGROUP],
                                   .author = values[OPTION_AUTHOR],
                                   .date = values[OPTION_DATE],
                                   .alias = values[OPTION_ALIAS],
                                   .repository = values[OPTION_REPOSITORY]};
    int rc = values[OPTION_AUTHOR] ? 0 : defaults_author(&author, err);

    bytes_init(&params, YAML_BYTES_MAX);
    bytes_init(&meta, YAML_BYTES_MAX);
    defaults_date(date);
    if (rc == 0)
        rc = read_yaml(values[OPTION_PARAMS], "--params", &params, &texts.params, err);
    if (rc == 0)
        rc = read_yaml(values[OPTION_META], "--meta", &meta, &texts.meta, err);
    if (rc < 0)
        return rc;
    return manifest_make(&texts,
                         &(struct manifest_defaults){.author = author, .date = date},
                         ret_manifest, err);
}

static int publish(struct wire *wire, const struct manifest *manifest, const char *path,
                   enum output_form form, struct error *err)
{
    struct bars bars = {.is_shown = false};
    const struct publish_watch watch = {
        .progress = show_progress, .warn = show_warning, .arg = &bars};
    CLEANUP_CLOSE int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct publish_result result;
    struct error reason = {0};
    int rc, printed;

    if (folder < 0)
        return fail_errno(err, "open folder '%s'", path);
    rc = publish_folder(&(struct publish_options){.resolver = wire->resolver}, manifest,
                        folder, &watch, &result, &reason);
    if (bars.is_shown)
        progress_done(&bars.progress);
    if (result.is_published) /* also when its alias failed */
        output_value(manifest->uid, form);
    printed = output_finish(err);
    if (rc < 0)
        *err = reason;
    return rc < 0 ? rc : printed;
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    CLEANUP_WIRE struct wire *wire = NULL;
    int rc;

    if (!arguments->values[OPTION_NAME])
        return command_misused(arguments->command, "publish: --name is missing");
    if (!arguments->values[OPTION_VERSION])
        return command_misused(arguments->command, "publish: --version is missing");
    rc = make_manifest(arguments->values, &manifest, err);
    if (rc == 0)
        rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);
    return rc < 0 ? rc
                  : publish(wire, manifest, arguments->operands[0], arguments->form, err);
}

const struct command cmd_publish = {
    .name = "publish",
    .operands = "--name NAME --version VERSION DIR",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "publish the files of a folder as a model and print its ID",
    .options = options,
    .more = "Nobody sees the model before it is complete. An ID that exists is never\n"
            "overwritten. audmodel loads what modelfs publishes.\n",
    .run = run,
};
