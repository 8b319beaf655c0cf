/* wire.c: turns the configuration into backends, resolver and cache. */
#include "cli/wire.h"

#include "cache/layout.h"
#include "cli/version.h"
#include "common/files.h"
#include "common/memory.h"

#include <fcntl.h>

int wire_make_default(const struct config *config, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    int rc;

    if (!config->repositories_are_default)
        return 0;
    path = xasprintf("%s/%s", config->repositories->host, config->repositories->name);
    rc = files_make_folders(AT_FDCWD, path, 0777, err);
    return rc < 0 ? fail_context(err, rc, "the default repository '%s'", path) : 0;
}

int wire_http(const struct config *config, int64_t silence_ms, struct http **ret_http,
              struct error *err)
{
    return http_open(
        &(struct http_options){
            .ca_file = config->ca_file,
            .connections = config->connections,
            .stall_timeout_ms = silence_ms,
            .give_up_ms = silence_ms,
            .agent = "modelfs/" VERSION,
        },
        ret_http, err);
}

int wire_backend(const struct config_repository *repository, struct http *http,
                 struct backend **ret_backend, struct error *err)
{
    const struct backend_options options = {
        .host = repository->host, .repository = repository->name, .http = http};
    int rc = backend_open(repository->backend, &options, ret_backend, err);

    return rc < 0 ? fail_context(err, rc, "repository '%s'", repository->name) : 0;
}

int wire_cache(const struct config *config, struct cache **ret_cache, struct error *err)
{
    return cache_open(
        &(struct cache_options){
            .root = config->cache_root,
            .size = config->cache_size,
            .hold = config->hold,
            .threads = config->connections,
            .prefetch_model = config->prefetch == CONFIG_PREFETCH_MODEL,
        },
        ret_cache, err);
}

static int open_backends(struct wire *wire, struct error *err)
{
    const struct config *config = wire->config;
    int rc = 0;

    wire->repositories = xcalloc(config->repository_count, sizeof *wire->repositories);
    for (size_t i = 0; rc == 0 && i < config->repository_count; i++) {
        rc = wire_backend(&config->repositories[i], wire->http,
                          &wire->repositories[i].backend, err);
        if (rc < 0)
            return rc;
        wire->repositories[i].name = config->repositories[i].name;
        wire->repository_count++;
    }
    return rc;
}

/* Who gave a command can wait for a slow server longer than a look-up can. */
static int open_resolver(struct wire *wire, enum wire_parts parts, struct error *err)
{
    return resolver_open(
        &(struct resolver_options){
            .repositories = wire->repositories,
            .repository_count = wire->repository_count,
            .cache_root = wire->config->cache_root,
            .known_folder = LAYOUT_KNOWN,
            .ttl_alias_ms = wire->config->ttl_alias_ms,
            .ttl_listing_ms = wire->config->ttl_listing_ms,
            .ttl_negative_ms = wire->config->ttl_negative_ms,
            .silence_ms = parts == WIRE_MOUNT ? 0 : WIRE_COMMAND_SILENCE_MS,
        },
        &wire->resolver, err);
}

int wire_open(struct config *take_config, enum wire_parts parts, struct wire **ret_wire,
              struct error *err)
{
    CLEANUP_WIRE struct wire *wire = XNEW(struct wire);
    int rc;

    wire->config = take_config;
    rc = wire_make_default(wire->config, err);
    if (rc == 0)
        rc = wire_http(wire->config, 0, &wire->http, err);
    if (rc == 0)
        rc = open_backends(wire, err);
    if (rc == 0)
        rc = open_resolver(wire, parts, err);
    if (rc == 0 && parts != WIRE_RESOLVER)
        rc = wire_cache(wire->config, &wire->cache, err);
    if (rc == 0)
        *ret_wire = steal_ptr(&wire);
    return rc;
}

int wire_load(const char *asked, enum wire_parts parts, struct wire **ret_wire,
              struct error *err)
{
    struct config *config = NULL;
    int rc = config_load(asked, &config, err);

    if (rc < 0)
        return rc;
    log_set_level(config->log);
    log_set_style(LOG_STYLE_COMMAND);
    return wire_open(config, parts, ret_wire, err);
}

void wire_close(struct wire *wire)
{
    if (!wire)
        return;
    if (wire->http)
        http_cancel(wire->http); /* first: nobody is to wait for a server any more */
    cache_close(wire->cache);
    resolver_close(wire->resolver);
    for (size_t i = 0; i < wire->repository_count; i++)
        backend_close(wire->repositories[i].backend);
    http_close(wire->http);
    free(wire->repositories);
    config_free(wire->config);
    free(wire);
}
