/* config.h: the configuration file, checked key by key.
 *
 *     rc = config_load(asked, &config, &err);
 *     ... config->cache_size ...
 *     config_free(config);
 *
 * Each failure names file, line and key. No layer but cli sees struct config: wire.h
 * turns it into each layer's own options. Constant after loading. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "common/cleanup.h"
#include "common/error.h"
#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONFIG_BYTES_MAX = 1 << 20,
    CONFIG_REPOSITORIES_MAX = 100,
};

enum config_prefetch {
    CONFIG_PREFETCH_NONE,
    CONFIG_PREFETCH_MODEL,
};

/* DEFAULT: not in the file; on for the mounting user, off under allow_other. */
enum config_write {
    CONFIG_WRITE_DEFAULT,
    CONFIG_WRITE_OFF,
    CONFIG_WRITE_ON,
};

struct config_repository {
    char *name;
    char *host;    /* an absolute path if backend is "file-system" */
    char *backend; /* one that is built in */
    unsigned line; /* in the file, 0 without one */
};

struct config {
    char *path; /* of the file; NULL without one */
    struct config_repository *repositories;
    size_t repository_count;       /* at least 1 */
    bool repositories_are_default; /* nobody named one: made where missing */
    char *cache_root;              /* absolute */
    uint64_t cache_size;           /* bytes, 0: unlimited */
    int64_t ttl_alias_ms, ttl_listing_ms, ttl_negative_ms;
    uint64_t hold; /* bytes */
    enum config_prefetch prefetch;
    unsigned connections;
    char *ca_file; /* absolute; NULL: none */
    enum config_write write_staging, write_aliases, write_meta;
    enum log_level log;
};

/* Find and read the configuration (places_config tells where); without a file, the
 * defaults. config_free the result. */
int config_load(const char *asked, struct config **ret_config, struct error *err);

/* The same for a text, without a look at any disk: the part that tests judge. path stands
 * in messages, and its folder is where relative paths start; NULL: the text is no file's.
 * AUDMODEL_CACHE_ROOT overrides cache.root. */
int config_parse(const char *text, size_t size, const char *path,
                 struct config **ret_config, struct error *err);

void config_free(struct config *config); /* accepts NULL */
#define CLEANUP_CONFIG CLEANUP_WITH(config_cleanup)
static inline void config_cleanup(struct config **config)
{
    config_free(*config);
}

#endif
