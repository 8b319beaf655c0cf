/* cmd_ls.c: modelfs ls. */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/wire.h"
#include "common/memory.h"

#include <errno.h>
#include <fnmatch.h>

enum { OPTION_LONG };

enum { CELL_BYTES_MAX = 16 << 20 };

static const struct command_option options[] = {
    [OPTION_LONG] = {.letter = 'l',
                     .name = "long",
                     .help = "with name, subgroup, versions and aliases"},
    {0},
};

/* What is listed, and how it went. */
struct listing {
    struct wire *wire;
    const char *pattern; /* NULL: all */
    struct json *json;   /* NULL: text */
    struct output_table *table;
    size_t shown;
    bool is_partial; /* a repository could not be asked */
    int status;      /* COMMAND_FAILED once something was left out */
};

static bool matches(const struct listing *listing, const char *name)
{
    return !listing->pattern || fnmatch(listing->pattern, name, 0) == 0;
}

static bool matches_any(const struct listing *listing, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (matches(listing, names->names[i]))
            return true;
    }
    return false;
}

static int find_names(struct listing *listing, enum names_of of, struct names **ret_names,
                      struct error *err)
{
    int rc = resolver_names(listing->wire->resolver, of, RESOLVE_FETCH, ret_names, err);

    if (rc == 0)
        listing->is_partial |= (*ret_names)->is_partial;
    return rc;
}

static void print_names(struct listing *listing, const char *key,
                        const struct names *names)
{
    if (listing->json)
        json_begin(listing->json, key, JSON_LIST);
    for (size_t i = 0; i < names->count; i++) {
        if (!matches(listing, names->names[i]))
            continue;
        listing->shown++;
        if (listing->json)
            json_text(listing->json, NULL, names->names[i]);
        else
            output_line(names->names[i]);
    }
    if (listing->json)
        json_end(listing->json);
}

/* Nothing is printed before all is known: half of a mapping is no JSON. */
static int list_short(struct listing *listing, struct error *err)
{
    struct names *models = NULL, *aliases = NULL;
    int rc = find_names(listing, NAMES_OF_MODELS, &models, err);

    if (rc == 0)
        rc = find_names(listing, NAMES_OF_ALIASES, &aliases, err);
    if (rc == 0) {
        if (listing->json)
            json_begin(listing->json, NULL, JSON_MAP);
        print_names(listing, "models", models);
        print_names(listing, "aliases", aliases);
        if (listing->json)
            json_end(listing->json);
    }
    names_unref(models);
    names_unref(aliases);
    return rc;
}

/* One model with all that the long form shows. */
struct model {
    const char *id;
    struct version_list *versions;
    bool is_partial;        /* of versions and aliases */
    struct header *header;  /* of the latest */
    struct names **aliases; /* by version; NULL for what an earlier repository shadows */
};

static void model_done(struct model *model)
{
    for (size_t i = 0; model->aliases && i < model->versions->count; i++)
        names_unref(model->aliases[i]);
    free(model->aliases);
    header_unref(model->header);
    version_list_unref(model->versions);
}
#define CLEANUP_MODEL CLEANUP_WITH(model_done)

static int find_aliases(struct wire *wire, struct model *model, size_t index,
                        struct error *err)
{
    const struct version_entry *entry = &model->versions->entries[index];
    struct release release = {.repository = entry->repository};
    int rc;

    if (entry->is_shadowed)
        return 0;
    snprintf(release.id, sizeof release.id, "%s", model->id);
    snprintf(release.version, sizeof release.version, "%s", entry->version);
    rc = resolver_aliases_of(wire->resolver, &release, &model->aliases[index], err);
    if (rc == 0)
        model->is_partial |= model->aliases[index]->is_partial;
    return rc;
}

static int find_header(struct wire *wire, struct model *model, struct error *err)
{
    const char *latest = model->versions->entries[model->versions->latest].version;
    struct freshness fresh;
    struct release release;
    int rc = resolver_release(wire->resolver, model->id, latest, RESOLVE_FETCH, &release,
                              &fresh, err);

    if (rc == 0)
        rc = cache_header(wire->cache, wire->resolver, &release, RESOLVE_FETCH,
                          &model->header, err);
    return rc;
}

static int find_model(struct wire *wire, struct model *model, struct error *err)
{
    int rc = resolver_versions(wire->resolver, model->id, RESOLVE_FETCH, &model->versions,
                               err);

    if (rc < 0)
        return rc;
    model->is_partial = model->versions->is_partial;
    model->aliases = xcalloc(model->versions->count, sizeof *model->aliases);
    for (size_t i = 0; rc == 0 && i < model->versions->count; i++)
        rc = find_aliases(wire, model, i, err);
    return rc < 0 ? rc : find_header(wire, model, err);
}

static bool model_matches(const struct listing *listing, const struct model *model)
{
    if (matches(listing, model->id))
        return true;
    for (size_t i = 0; i < model->versions->count; i++) {
        if (model->aliases[i] && matches_any(listing, model->aliases[i]))
            return true;
    }
    return false;
}

static int append_name(struct bytes *to, const char *name, struct error *err)
{
    return bytes_printf(to, err, "%s%s", to->size ? ", " : "", name);
}

static int print_row(struct listing *listing, const struct model *model,
                     struct error *err)
{
    CLEANUP_BYTES struct bytes versions;
    CLEANUP_BYTES struct bytes aliases;
    int rc = 0;

    bytes_init(&versions, CELL_BYTES_MAX);
    bytes_init(&aliases, CELL_BYTES_MAX);
    for (size_t i = 0; rc == 0 && i < model->versions->count; i++) {
        const struct names *names = model->aliases[i];

        if (model->versions->entries[i].is_shadowed)
            continue;
        rc = append_name(&versions, model->versions->entries[i].version, err);
        for (size_t k = 0; rc == 0 && names && k < names->count; k++)
            rc = append_name(&aliases, names->names[k], err);
    }
    if (rc == 0)
        output_table_add(listing->table,
                         (const char *const[]){model->id, model->header->name,
                                               model->header->subgroup, versions.data,
                                               aliases.data});
    return rc;
}

static void print_object(struct json *json, const struct model *model)
{
    const struct version_list *versions = model->versions;

    json_begin(json, NULL, JSON_MAP);
    json_text(json, "id", model->id);
    json_text(json, "name", model->header->name);
    json_text(json, "subgroup", model->header->subgroup);
    json_begin(json, "versions", JSON_LIST);
    for (size_t i = 0; i < versions->count; i++) {
        if (!versions->entries[i].is_shadowed)
            json_text(json, NULL, versions->entries[i].version);
    }
    json_end(json);
    json_text(json, "latest", versions->entries[versions->latest].version);
    json_begin(json, "aliases", JSON_MAP); /* to the version that each names */
    for (size_t i = 0; i < versions->count; i++) {
        for (size_t k = 0; model->aliases[i] && k < model->aliases[i]->count; k++)
            json_text(json, model->aliases[i]->names[k], versions->entries[i].version);
    }
    json_end(json);
    json_end(json);
}

/* A model that cannot be read does not keep the others from being listed. */
static int list_model(struct listing *listing, const char *id, struct error *err)
{
    CLEANUP_MODEL struct model model = {.id = id};
    struct error why = {0};
    int rc;

    rc = find_model(listing->wire, &model, &why);
    if (rc == -ENOENT) /* it is being published, or somebody failed to */
        return 0;
    if (rc < 0) {
        command_complain("model '%s': %s", id, why.message);
        listing->status = COMMAND_FAILED;
        return 0;
    }
    listing->is_partial |= model.is_partial;
    if (!model_matches(listing, &model))
        return 0;
    listing->shown++;
    if (!listing->json)
        return print_row(listing, &model, err);
    print_object(listing->json, &model);
    return 0;
}

static int list_long(struct listing *listing, struct error *err)
{
    static const char *const titles[] = {"ID",       "NAME",    "SUBGROUP",
                                         "VERSIONS", "ALIASES", NULL};
    struct names *names = NULL;
    int rc = find_names(listing, NAMES_OF_MODELS, &names, err);

    if (rc < 0)
        return rc;
    if (listing->json) {
        json_begin(listing->json, NULL, JSON_MAP);
        json_begin(listing->json, "models", JSON_LIST);
    } else {
        listing->table = output_table_new(titles);
    }
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        rc = list_model(listing, names->names[i], err);
    if (listing->json) {
        json_end(listing->json);
        json_end(listing->json);
    } else if (rc == 0 && listing->shown > 0) {
        output_table_print(listing->table);
    }
    output_table_free(listing->table);
    names_unref(names);
    return rc;
}

static int list(struct listing *listing, const struct arguments *arguments,
                struct error *err)
{
    int rc = arguments->values[OPTION_LONG] ? list_long(listing, err)
                                            : list_short(listing, err);

    return rc < 0 ? rc : output_finish(err);
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    struct json json;
    struct listing listing = {
        .pattern = arguments->operand_count ? arguments->operands[0] : NULL,
        .json = arguments->form == OUTPUT_JSON ? &json : NULL,
    };
    int rc = wire_load(arguments->config,
                       arguments->values[OPTION_LONG] ? WIRE_CACHE : WIRE_RESOLVER, &wire,
                       err);

    if (rc < 0)
        return rc;
    json_init(&json, stdout);
    listing.wire = wire;
    rc = list(&listing, arguments, err);
    if (rc < 0)
        return rc;
    if (listing.is_partial)
        listing.status = query_is_partial();
    if (listing.pattern && listing.shown == 0 && listing.status == COMMAND_DONE)
        return fail(err, ENOENT, "no model and no alias matches '%s'", listing.pattern);
    return listing.status;
}

const struct command cmd_ls = {
    .name = "ls",
    .operands = "[PATTERN]",
    .operands_max = 1,
    .has_json = true,
    .summary = "list models and aliases",
    .options = options,
    .more =
        "PATTERN is a glob over IDs and aliases, such as 'emotion-*'. With -l a model "
        "is\n"
        "shown when its ID or one of its aliases matches; name and subgroup are those\n"
        "of its latest version.\n",
    .run = run,
};
