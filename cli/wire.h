/* wire.h: turns the configuration into backends, resolver and cache, each with its own
 * options.
 *
 *     rc = wire_load(arguments->config, WIRE_CACHE, &wire, &err);
 *     resolver_resolve(wire->resolver, ...);
 *     wire_close(wire);
 *
 * Starts threads: call it after any fork. */
#ifndef CLI_WIRE_H
#define CLI_WIRE_H

#include "backends/http.h"
#include "cache/cache.h"
#include "cli/config.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "resolver/resolver.h"

#include <stddef.h>

enum wire_parts {
    WIRE_RESOLVER, /* cache stays NULL: the cache folder is not touched */
    WIRE_CACHE,
    WIRE_MOUNT, /* the cache, for look-ups, which wait no longer than 3 s */
};

struct wire {
    struct config *config;
    struct http *http; /* all backends use it */
    struct resolver_repository *repositories;
    size_t repository_count;
    struct resolver *resolver;
    struct cache *cache;
};

/* wire_close the result. */
int wire_open(struct config *take_config, enum wire_parts parts, struct wire **ret_wire,
              struct error *err);

/* The same for the configuration that asked (-c) or the places say. */
int wire_load(const char *asked, enum wire_parts parts, struct wire **ret_wire,
              struct error *err);

/* Closes all in order; what waits for a server is cancelled. Accepts NULL. */
void wire_close(struct wire *wire);
#define CLEANUP_WIRE CLEANUP_WITH(wire_cleanup)
static inline void wire_cleanup(struct wire **wire)
{
    wire_close(*wire);
}

/* Make the default repository where it is missing. Does nothing if one is named. */
int wire_make_default(const struct config *config, struct error *err);

/* What speaks to servers, and gives up after so long without a byte (0: as http.h says);
 * http_close the result after the last backend was closed. */
enum { WIRE_COMMAND_SILENCE_MS = 10000 }; /* as a connection may take */
int wire_http(const struct config *config, int64_t silence_ms, struct http **ret_http,
              struct error *err);

/* One backend as the configuration has it; backend_close the result. */
int wire_backend(const struct config_repository *repository, struct http *http,
                 struct backend **ret_backend, struct error *err);

/* The cache alone; cache_close the result. */
int wire_cache(const struct config *config, struct cache **ret_cache, struct error *err);

#endif
