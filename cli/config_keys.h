/* config_keys.h: the table of configuration keys: name, type, field, default and text in
 * one row, so that parsing, defaults, help and the manual cannot drift. */
#ifndef CLI_CONFIG_KEYS_H
#define CLI_CONFIG_KEYS_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/* What a value may be. */
struct config_type {
    const char *what; /* "a size such as 64MiB": for messages */
    unsigned kinds;   /* of YAML, bits 1 << enum yaml_kind */
    bool is_path;     /* a char * that stands for a path */
    /* A boolean comes as "on" or "off". 0, or negative for what it cannot be. */
    int (*parse)(const char *text, void *field);
};

struct config_key {
    const char *name; /* "section.key", or "key" */
    const struct config_type *type;
    size_t field;         /* offset in struct config, or struct config_repository */
    const char *standard; /* NULL: the field stays zero */
    const char *help;
};

enum config_scope {
    CONFIG_OF_FILE,       /* fields of struct config */
    CONFIG_OF_REPOSITORY, /* fields of struct config_repository: "repositories.name" */
};

/* All keys of a scope. */
const struct config_key *config_keys(enum config_scope scope, size_t *ret_count);

/* NULL if there is no such key. */
const struct config_key *config_keys_find(enum config_scope scope, const char *name);

/* Does the mapping of that name hold keys of CONFIG_OF_FILE? */
bool config_keys_is_section(const char *name);

/* The key that was meant: one that only lacks its section, or one that is written nearly
 * alike; NULL if none is near. */
const char *config_keys_nearest(const char *name);

/* Every key with its default and what it means, a line each. */
int config_keys_print(struct bytes *to, struct error *err);

#endif
