/* config.c: the configuration file, checked key by key. */
#include "cli/config.h"

#include "backends/backend.h"
#include "cli/config_keys.h"
#include "cli/places.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/paths.h"
#include "common/yaml.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>

enum { NAME_MAX_BYTES = 64 }; /* of a full key such as repositories.backend */

/* What one file's values go through. */
struct reader {
    const char *path; /* for messages */
    const char *base; /* folder where relative paths start; NULL: the working folder */
    struct config *config;
};

__attribute__((format(printf, 4, 5))) static int fail_at(const struct reader *reader,
                                                         unsigned line, struct error *err,
                                                         const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(err, EINVAL, "%s:%u: %s", reader->path, line, text);
}

static int fail_unknown(const struct reader *reader, const struct yaml_node *key,
                        const char *name, struct error *err)
{
    const char *nearest = config_keys_nearest(name);

    return nearest ? fail_at(reader, key->at.line, err,
                             "unknown key '%s'; did you mean '%s'?", name, nearest)
                   : fail_at(reader, key->at.line, err, "unknown key '%s'", name);
}

/* "section.key", or "key" without a section. */
static int full_name(const struct reader *reader, const char *section,
                     const struct yaml_node *key, char name[NAME_MAX_BYTES],
                     struct error *err)
{
    const char *text = yaml_text(key);

    if (!text)
        return fail_at(reader, key->at.line, err, "a key must be a text, not %s",
                       yaml_kind_name(key->kind));
    if (snprintf(name, NAME_MAX_BYTES, "%s%s%s", section, *section ? "." : "", text) >=
        NAME_MAX_BYTES)
        return fail_at(reader, key->at.line, err, "unknown key '%s...'", name);
    return 0;
}

static const char *text_of(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_BOOL:
        return node->boolean ? "on" : "off";
    case YAML_INT:
        return node->text.data;
    default:
        return yaml_text(node);
    }
}

static int expand(const struct reader *reader, unsigned line, const char *name,
                  char **path, struct error *err)
{
    struct error why = {0};
    char *expanded = NULL;

    if (paths_expand(*path, reader->base, &expanded, &why) < 0)
        return fail_at(reader, line, err, "'%s': %s", name, why.message);
    free(*path);
    *path = expanded;
    return 0;
}

static int set_field(const struct reader *reader, const struct config_key *key,
                     void *object, const struct yaml_node *node, struct error *err)
{
    const char *text = text_of(node);
    void *field = (char *)object + key->field;

    if (!(key->type->kinds & 1u << node->kind) || !text)
        return fail_at(reader, node->at.line, err, "'%s' must be %s, not %s", key->name,
                       key->type->what, yaml_kind_name(node->kind));
    if (key->type->parse(text, field) < 0)
        return fail_at(reader, node->at.line, err, "'%s' must be %s, not '%.80s'",
                       key->name, key->type->what, text);
    return key->type->is_path ? expand(reader, node->at.line, key->name, field, err) : 0;
}

/* All keys are there, the backend is one we have, and no earlier entry is the same. */
static int finish_repository(const struct reader *reader, const struct yaml_node *node,
                             size_t index, struct error *err)
{
    struct config_repository *all = reader->config->repositories;
    struct config_repository *entry = &all[index];
    bool host_is_path = false;
    struct error why = {0};
    int rc = 0;

    if (!entry->name || !entry->host || !entry->backend)
        return fail_at(reader, entry->line, err, "the repository lacks '%s'",
                       !entry->name   ? "name"
                       : !entry->host ? "host"
                                      : "backend");
    if (backend_find_kind(entry->backend, &host_is_path, &why) < 0)
        return fail_at(reader, yaml_get(node, "backend")->at.line, err,
                       "'repositories.backend': %s", why.message);
    if (host_is_path)
        rc = expand(reader, yaml_get(node, "host")->at.line, "repositories.host",
                    &entry->host, err);
    for (size_t i = 0; rc == 0 && i < index; i++) {
        if (strcmp(all[i].name, entry->name) == 0 &&
            strcmp(all[i].host, entry->host) == 0)
            return fail_at(reader, entry->line, err,
                           "repository '%s' of '%s' is named twice, first in line %u",
                           entry->name, entry->host, all[i].line);
    }
    return rc;
}

static int read_repository(const struct reader *reader, const struct yaml_node *node,
                           size_t index, struct error *err)
{
    struct config_repository *entry = &reader->config->repositories[index];
    char name[NAME_MAX_BYTES] = "";

    if (node->kind != YAML_MAP)
        return fail_at(reader, node->at.line, err,
                       "a repository must be a mapping with name, host and backend, "
                       "not %s",
                       yaml_kind_name(node->kind));
    entry->line = node->at.line;
    for (size_t i = 0; i < node->map.count; i++) {
        const struct yaml_pair *pair = &node->map.pairs[i];
        const struct config_key *key;
        int rc = full_name(reader, "repositories", pair->key, name, err);

        if (rc < 0)
            return rc;
        key = config_keys_find(CONFIG_OF_REPOSITORY, name);
        if (!key)
            return fail_unknown(reader, pair->key, name, err);
        rc = set_field(reader, key, entry, pair->value, err);
        if (rc < 0)
            return rc;
    }
    return finish_repository(reader, node, index, err);
}

static int read_repositories(const struct reader *reader, const struct yaml_node *node,
                             struct error *err)
{
    struct config *config = reader->config;

    if (node->kind != YAML_LIST)
        return fail_at(reader, node->at.line, err,
                       "'repositories' must be a list of repositories, not %s",
                       yaml_kind_name(node->kind));
    if (node->list.count == 0)
        return fail_at(reader, node->at.line, err,
                       "'repositories' is empty: name one, or remove the key");
    if (node->list.count > CONFIG_REPOSITORIES_MAX)
        return fail_at(reader, node->at.line, err, "more than %d repositories",
                       CONFIG_REPOSITORIES_MAX);
    config->repositories = xcalloc(node->list.count, sizeof *config->repositories);
    config->repository_count = node->list.count;
    for (size_t i = 0; i < node->list.count; i++) {
        int rc = read_repository(reader, node->list.items[i], i, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The keys of one section; "" is the top, whose sections are read in turn. */
static int read_section(const struct reader *reader, const char *section,
                        const struct yaml_node *map, struct error *err)
{
    char name[NAME_MAX_BYTES] = "";
    int rc = 0;

    if (map->kind == YAML_NULL) /* all its keys are commented out */
        return 0;
    if (map->kind != YAML_MAP)
        return fail_at(reader, map->at.line, err, "%s%s%s must be a mapping, not %s",
                       *section ? "'" : "", *section ? section : "the configuration",
                       *section ? "'" : "", yaml_kind_name(map->kind));
    for (size_t i = 0; rc == 0 && i < map->map.count; i++) {
        const struct yaml_pair *pair = &map->map.pairs[i];
        const struct config_key *key;

        rc = full_name(reader, section, pair->key, name, err);
        if (rc < 0)
            return rc;
        key = config_keys_find(CONFIG_OF_FILE, name);
        if (key)
            rc = set_field(reader, key, reader->config, pair->value, err);
        else if (strcmp(name, "repositories") == 0)
            rc = read_repositories(reader, pair->value, err);
        else if (config_keys_is_section(name))
            rc = read_section(reader, name, pair->value, err); /* holds no section */
        else
            rc = fail_unknown(reader, pair->key, name, err);
    }
    return rc;
}

static void set_defaults(struct config *config)
{
    size_t count = 0;
    const struct config_key *keys = config_keys(CONFIG_OF_FILE, &count);

    for (size_t i = 0; i < count; i++) {
        int rc = 0;

        if (keys[i].standard)
            rc = keys[i].type->parse(keys[i].standard, (char *)config + keys[i].field);
        assert(rc == 0);
        (void)rc; /* otherwise the table is wrong, which the tests would show */
    }
}

/* AUDMODEL_CACHE_ROOT, else what the file says, which is absolute, else the default. */
static int finish_root(struct config *config, struct error *err)
{
    const char *override = getenv("AUDMODEL_CACHE_ROOT");
    char *root = NULL;
    int rc;

    if (override && *override)
        rc = paths_expand(override, NULL, &root, err);
    else
        rc = paths_expand(config->cache_root, NULL, &root, err);
    if (rc < 0)
        return fail_context(err, rc, "the cache folder");
    free(config->cache_root);
    config->cache_root = root;
    return 0;
}

static int add_default_repository(struct config *config, struct error *err)
{
    CLEANUP_FREE char *host = NULL;
    int rc = places_data(&host, err);

    if (rc < 0)
        return fail_context(err, rc, "the default repository");
    config->repositories = XNEW(struct config_repository);
    config->repositories->host = steal_ptr(&host);
    config->repositories->name = xstrdup("models");
    config->repositories->backend = xstrdup("file-system");
    config->repository_count = 1;
    config->repositories_are_default = true;
    return 0;
}

static int read_text(struct reader *reader, const char *text, size_t size,
                     struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    const struct yaml_node *duplicate;
    int rc = yaml_parse(text, size, &yaml, err);

    if (rc < 0)
        return fail_context(err, rc, "%s", reader->path);
    duplicate = yaml_duplicate(yaml);
    if (duplicate)
        return fail_at(reader, duplicate->at.line, err,
                       "key '%.80s' is here for the second time",
                       text_of(duplicate) ? text_of(duplicate) : "");
    rc = read_section(reader, "", yaml_root(yaml), err);
    if (rc == 0)
        rc = finish_root(reader->config, err);
    if (rc == 0 && reader->config->repository_count == 0)
        rc = add_default_repository(reader->config, err);
    return rc;
}

int config_parse(const char *text, size_t size, const char *path,
                 struct config **ret_config, struct error *err)
{
    CLEANUP_CONFIG struct config *config = XNEW(struct config);
    CLEANUP_FREE char *base = NULL;
    struct reader reader = {.path = path ? path : "configuration", .config = config};
    int rc;

    if (path) {
        base = xstrdup(path);
        reader.base = dirname(base);
        config->path = xstrdup(path);
    }
    set_defaults(config);
    rc = read_text(&reader, text, size, err);
    if (rc == 0)
        *ret_config = steal_ptr(&config);
    return rc;
}

int config_load(const char *asked, struct config **ret_config, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    CLEANUP_FREE char *path = NULL;
    int rc;

    bytes_init(&text, CONFIG_BYTES_MAX);
    rc = places_config(asked, &path, err);
    if (rc == 0 && path)
        rc = files_read(AT_FDCWD, path, &text, err);
    if (rc < 0)
        return path ? fail_context(err, rc, "configuration") : rc;
    return config_parse(text.data, text.size, path, ret_config, err);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->repository_count; i++) {
        free(config->repositories[i].name);
        free(config->repositories[i].host);
        free(config->repositories[i].backend);
    }
    free(config->repositories);
    free(config->cache_root);
    free(config->ca_file);
    free(config->path);
    free(config);
}
