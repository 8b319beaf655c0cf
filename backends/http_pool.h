/* http_pool.h: curl handles with their kept connections, and how many may run at once.
 *
 *     rc = http_pool_open(&options, &pool, &err);
 *     rc = http_pool_take(pool, &url, HTTP_POOL_SHORT, deadline_ms, &handle, &err);
 *     ... one transfer of handle->easy in handle->multi, by this thread ...
 *     http_pool_give(pool, handle);
 *     http_pool_close(pool);
 *
 * A handle belongs to one origin and keeps one connection to it; the one that was used
 * last is taken first, so that the others grow old and are closed. Host names and TLS
 * sessions are shared between all. Each handle has a multi handle of its own, because
 * only that can be woken out of a wait. Thread-safe. */
#ifndef BACKENDS_HTTP_POOL_H
#define BACKENDS_HTTP_POOL_H

#include "backends/http.h"
#include "backends/http_dial.h"
#include "backends/url.h"

#include <curl/curl.h>
#include <sys/queue.h>

struct http_pool;
struct http_pool_host;

/* What a turn is for. */
enum http_pool_use {
    HTTP_POOL_SHORT,
    HTTP_POOL_LONG, /* much is to come: some connections are left to the others, so that
                       these need not wait for its end */
};

struct http_handle {
    CURL *easy; /* reset; shares names and sessions */
    CURLM *multi;
    struct http_pool_host *host;
    enum http_pool_use use;
    struct http_dial dial; /* its connection, if opened before there was a request */
    int64_t used_ms;       /* when it was given back */
    TAILQ_ENTRY(http_handle) entry;
};

/* ca_file and connections of options count. Costs nothing until the first take. */
int http_pool_open(const struct http_options *options, struct http_pool **ret_pool,
                   struct error *err);
void http_pool_close(struct http_pool *pool); /* all handles were given back */

/* Waits for a turn at the origin of url. -ETIMEDOUT by deadline_ms (0: none), -ECANCELED.
 * http_pool_give the result. */
int http_pool_take(struct http_pool *pool, const struct url *url, enum http_pool_use use,
                   int64_t deadline_ms, struct http_handle **ret_handle,
                   struct error *err);
void http_pool_give(struct http_pool *pool, struct http_handle *take_handle);

/* Begin another connection to where handle went before, unless one is kept or there are
 * as many as may be: at best it is there before the next transfer of handle has ended.
 * Not with TLS, whose handshake would only begin with a request, and not of a handle that
 * had no request. Waits for nothing. */
void http_pool_dial(struct http_pool *pool, struct http_handle *handle);

/* Is another connection to the same origin kept, and in nobody's use? */
bool http_pool_has_another(struct http_pool *pool, const struct http_handle *handle);

/* Wakes all that wait: for a turn, in a pause, for a server. */
void http_pool_cancel(struct http_pool *pool);
bool http_pool_is_cancelled(struct http_pool *pool);

/* -ECANCELED as soon as the pool is cancelled, else 0 after the pause. */
int http_pool_pause(struct http_pool *pool, int64_t pause_ms, struct error *err);

/* Certificates for handle, as the options say. */
void http_pool_trust(const struct http_pool *pool, CURL *easy);

#endif
