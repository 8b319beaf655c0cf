/* cmd_load.c: modelfs load. */
#include "cache/load.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "cli/wire.h"

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
    progress_update(arg, done, total);
}

static int load(struct wire *wire, const struct release *release, char **ret_path,
                struct error *err)
{
    struct archive *archive = NULL;
    struct progress_bar progress;
    char uid[QUERY_UID_SIZE];
    int rc;

    query_print_uid(release->id, release->version, uid);
    rc = cache_archive(wire->cache, wire->resolver, release, &archive, err);
    if (rc < 0)
        return rc;
    progress_init(&progress, uid);
    rc = load_archive(archive, show_progress, &progress, ret_path, err);
    progress_done(&progress);
    archive_unref(archive);
    return rc;
}

static int resolve_and_load(struct wire *wire, const char *text, char **ret_path,
                            struct error *err)
{
    struct release release;
    int rc = resolver_resolve(wire->resolver, text, RESOLVE_FETCH, &release, err);

    return rc < 0 ? rc : load(wire, &release, ret_path, err);
}

/* What cannot be loaded is said at once, and the others are still loaded. */
static int load_all(struct wire *wire, const struct arguments *arguments,
                    struct json *json, struct error *err)
{
    int status = COMMAND_DONE;

    for (int i = 0; i < arguments->operand_count; i++) {
        CLEANUP_FREE char *path = NULL;
        struct error why = {0};
        int rc;

        if (resolve_and_load(wire, arguments->operands[i], &path, &why) < 0) {
            command_complain("cannot load '%s': %s", arguments->operands[i], why.message);
            status = COMMAND_FAILED;
            continue;
        }
        if (json) {
            json_begin(json, NULL, JSON_MAP);
            json_text(json, "uid", arguments->operands[i]);
            json_text(json, "path", path);
            json_end(json);
            continue;
        }
        output_line(path);
        rc = output_finish(err); /* whoever reads can start with the first */
        if (rc < 0)
            return rc;
    }
    return status;
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    struct json json;
    int status = wire_load(arguments->config, WIRE_CACHE, &wire, err);
    int rc;

    if (status < 0)
        return status;
    json_init(&json, stdout);
    if (arguments->form == OUTPUT_JSON)
        json_begin(&json, NULL, JSON_LIST);
    status =
        load_all(wire, arguments, arguments->form == OUTPUT_JSON ? &json : NULL, err);
    if (arguments->form == OUTPUT_JSON)
        json_end(&json);
    if (status < 0)
        return status;
    rc = output_finish(err);
    return rc < 0 ? rc : status;
}

const struct command cmd_load = {
    .name = "load",
    .operands = "UID...",
    .operands_min = 1,
    .operands_max = -1,
    .has_json = true,
    .summary = "fetch models into the cache and print their folders",
    .more = "audmodel uses the folders as if it had loaded them itself.\n",
    .run = run,
};
