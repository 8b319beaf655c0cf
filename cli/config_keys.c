/* config_keys.c: the table of configuration keys. */
#include "cli/config_keys.h"

#include "cli/config.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>

enum {
    CONNECTIONS_MAX = 1024,
    NUMBERS = 1 << YAML_INT | 1 << YAML_TEXT, /* "4096" and "4KiB" */
    TEXTS = 1 << YAML_TEXT,
};

static int parse_text(const char *text, void *field)
{
    char **value = field;

    if (!*text)
        return -EINVAL;
    free(*value);
    *value = xstrdup(text);
    return 0;
}

static int parse_size(const char *text, void *field)
{
    struct error err = {0}; /* the caller's sentence says more */

    return text_to_size(text, field, &err);
}

static int parse_limit(const char *text, void *field)
{
    if (strcmp(text, "none") != 0 && strcmp(text, "unlimited") != 0)
        return parse_size(text, field);
    *(uint64_t *)field = 0;
    return 0;
}

static int parse_time(const char *text, void *field)
{
    struct error err = {0}; /* the caller's sentence says more */

    return text_to_time(text, field, &err);
}

static int parse_connections(const char *text, void *field)
{
    struct error err = {0}; /* the caller's sentence says more */
    uint64_t value = 0;
    int rc = text_to_u64(text, &value, &err);

    if (rc < 0 || value < 1 || value > CONNECTIONS_MAX)
        return -EINVAL;
    *(unsigned *)field = (unsigned)value;
    return 0;
}

static int parse_prefetch(const char *text, void *field)
{
    enum config_prefetch *value = field;

    if (strcmp(text, "none") != 0 && strcmp(text, "model") != 0)
        return -EINVAL;
    *value = *text == 'n' ? CONFIG_PREFETCH_NONE : CONFIG_PREFETCH_MODEL;
    return 0;
}

static int parse_switch(const char *text, void *field)
{
    enum config_write *value = field;

    *value = strcmp(text, "on") == 0 ? CONFIG_WRITE_ON : CONFIG_WRITE_OFF;
    return 0;
}

static int parse_level(const char *text, void *field)
{
    return log_level_parse(text, field);
}

static const struct config_type text_type = {
    .what = "a text", .kinds = TEXTS, .parse = parse_text};
static const struct config_type path_type = {
    .what = "a path", .kinds = TEXTS, .is_path = true, .parse = parse_text};
static const struct config_type size_type = {
    .what = "a size such as 64MiB", .kinds = NUMBERS, .parse = parse_size};
static const struct config_type limit_type = {
    .what = "a size such as 50GiB, or unlimited", .kinds = NUMBERS, .parse = parse_limit};
static const struct config_type time_type = {
    .what = "a time such as 5s or 500ms", .kinds = NUMBERS, .parse = parse_time};
static const struct config_type connections_type = {.what = "a number from 1 to 1024",
                                                    .kinds = 1 << YAML_INT,
                                                    .parse = parse_connections};
static const struct config_type prefetch_type = {
    .what = "none or model", .kinds = TEXTS, .parse = parse_prefetch};
static const struct config_type switch_type = {
    .what = "on or off", .kinds = 1 << YAML_BOOL, .parse = parse_switch};
static const struct config_type level_type = {
    .what = "error, warning, info or debug", .kinds = TEXTS, .parse = parse_level};

#define FIELD(name) offsetof(struct config, name)
#define OF_REPOSITORY(name) offsetof(struct config_repository, name)

static const struct config_key file_keys[] = {
    {"cache.root",    &path_type,        FIELD(cache_root),      "~/audmodel",
     "the cache folder, shared with audmodel; AUDMODEL_CACHE_ROOT overrides it"                               },
    {"cache.size",    &limit_type,       FIELD(cache_size),      "unlimited",
     "evict what was not used for longest above this"                                                         },
    {"ttl.alias",     &time_type,        FIELD(ttl_alias_ms),    "5s",
     "for so long an alias is taken to name the same version"                                                 },
    {"ttl.listing",   &time_type,        FIELD(ttl_listing_ms),  "30s",
     "for so long a list of models, versions or aliases is taken to be complete"                              },
    {"ttl.negative",  &time_type,        FIELD(ttl_negative_ms), "5s",
     "for so long what was not found is taken to be missing"                                                  },
    {"hold",          &size_type,        FIELD(hold),            "64MiB",
     "files up to this size are handed out only when complete and verified"                                   },
    {"prefetch",      &prefetch_type,    FIELD(prefetch),        "none",
     "model: after the first open fetch the rest of the model"                                                },
    {"connections",   &connections_type, FIELD(connections),     "16",
     "at most so many at once to one host; file systems have none"                                            },
    {"ca_file",       &path_type,        FIELD(ca_file),         NULL,
     "certificates of own authorities (PEM), besides the system's"                                            },
    {"write.staging", &switch_type,      FIELD(write_staging),   NULL,
     "publish models through @staging; on, but off under allow_other"                                         },
    {"write.aliases", &switch_type,      FIELD(write_aliases),   NULL,
     "change aliases through the mount; on, but off under allow_other"                                        },
    {"write.meta",    &switch_type,      FIELD(write_meta),      NULL,
     "change metadata through the mount; on, but off under allow_other"                                       },
    {"log",           &level_type,       FIELD(log),             "info",       "error, warning, info or debug"},
};

static const struct config_key repository_keys[] = {
    {"repositories.name",    &text_type, OF_REPOSITORY(name),    NULL, "repository or bucket"},
    {"repositories.host",    &text_type, OF_REPOSITORY(host),    NULL,
     "folder, host[:port] or URL"                                                            },
    {"repositories.backend", &text_type, OF_REPOSITORY(backend), NULL, "file-system"         },
};

static const char *const sections[] = {"cache", "ttl", "write"};

enum {
    FILE_KEY_COUNT = sizeof file_keys / sizeof *file_keys,
    REPOSITORY_KEY_COUNT = sizeof repository_keys / sizeof *repository_keys,
    SECTION_COUNT = sizeof sections / sizeof *sections,
};

const struct config_key *config_keys(enum config_scope scope, size_t *ret_count)
{
    *ret_count = scope == CONFIG_OF_FILE ? FILE_KEY_COUNT : REPOSITORY_KEY_COUNT;
    return scope == CONFIG_OF_FILE ? file_keys : repository_keys;
}

const struct config_key *config_keys_find(enum config_scope scope, const char *name)
{
    size_t count = 0;
    const struct config_key *keys = config_keys(scope, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

bool config_keys_is_section(const char *name)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strcmp(sections[i], name) == 0)
            return true;
    }
    return false;
}

const char *config_keys_nearest(const char *name)
{
    const char *names[FILE_KEY_COUNT + REPOSITORY_KEY_COUNT + SECTION_COUNT + 2];
    size_t count = 0;

    for (size_t i = 0; i < FILE_KEY_COUNT; i++)
        names[count++] = file_keys[i].name;
    for (size_t i = 0; i < REPOSITORY_KEY_COUNT; i++)
        names[count++] = repository_keys[i].name;
    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(names[i], '.');

        if (dot && strcmp(dot + 1, name) == 0)
            return names[i];
    }
    for (size_t i = 0; i < SECTION_COUNT; i++)
        names[count++] = sections[i];
    names[count++] = "repositories";
    names[count] = NULL;
    return text_nearest(name, names);
}

int config_keys_print(struct bytes *to, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < REPOSITORY_KEY_COUNT + FILE_KEY_COUNT; i++) {
        const struct config_key *key = i < REPOSITORY_KEY_COUNT
                                           ? &repository_keys[i]
                                           : &file_keys[i - REPOSITORY_KEY_COUNT];

        rc = bytes_printf(to, err, "  %-20s  %-10s  %s\n", key->name,
                          key->standard ? key->standard : "", key->help);
    }
    return rc;
}
