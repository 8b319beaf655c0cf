/* http_pool.c: curl handles with their kept connections, and how many may run at once. */
#include "backends/http_pool.h"

#include "backends/http_share.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    CONNECTIONS_DEFAULT = 16,
    FEW = 8,        /* connections, of which one is left to short requests; else two */
    HOSTS_MAX = 64, /* remembered while nothing runs */
    IDLE_MAX_MS = 60000,
};

TAILQ_HEAD(handles, http_handle);
TAILQ_HEAD(hosts, http_pool_host);

struct http_pool_host {
    struct url origin; /* constant; its target is not */
    unsigned running;  /* guarded by lock of the pool, as all below */
    unsigned running_long;
    struct handles idle; /* used last first */
    TAILQ_ENTRY(http_pool_host) entry;
};

struct http_pool {
    unsigned connections; /* constant after open */
    char *ca_file;        /* the same */
    struct lock lock;
    struct condition changed;
    bool is_cancelled;        /* guarded by lock */
    struct http_share *share; /* set once; guarded by lock until then */
    struct hosts hosts;       /* used last first; guarded by lock */
    unsigned host_count;      /* guarded by lock */
    struct handles busy;      /* guarded by lock */
};

/* Where the clients that one has for such servers look for certificates of own
 * authorities: OpenSSL's, and with it MinIO's; those of Amazon; Python's. NULL: nowhere.
 */
static const char *named_by_environment(void)
{
    static const char *const variables[] = {"SSL_CERT_FILE", "AWS_CA_BUNDLE",
                                            "REQUESTS_CA_BUNDLE"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *path = getenv(variables[i]);
        struct stat found;

        if (path && stat(path, &found) == 0 && S_ISREG(found.st_mode) &&
            access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

int http_pool_open(const struct http_options *options, struct http_pool **ret_pool,
                   struct error *err)
{
    struct http_pool *pool;
    const char *ca_file = options->ca_file ? options->ca_file : named_by_environment();

    if (options->ca_file && access(options->ca_file, R_OK) < 0)
        return fail_errno(err, "the certificates in '%s', which 'ca_file' names",
                          options->ca_file);
    pool = XNEW(struct http_pool);
    pool->connections = options->connections ? options->connections : CONNECTIONS_DEFAULT;
    pool->ca_file = ca_file ? xstrdup(ca_file) : NULL;
    lock_init(&pool->lock);
    condition_init(&pool->changed);
    TAILQ_INIT(&pool->hosts);
    TAILQ_INIT(&pool->busy);
    *ret_pool = pool;
    return 0;
}

static void free_handle(struct http_handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    curl_multi_cleanup(handle->multi);
    http_dial_done(&handle->dial);
    free(handle);
}

static void free_handles(struct handles *handles)
{
    struct http_handle *handle;

    while ((handle = TAILQ_FIRST(handles))) {
        TAILQ_REMOVE(handles, handle, entry);
        free_handle(handle);
    }
}

void http_pool_close(struct http_pool *pool)
{
    struct http_pool_host *host;

    if (!pool)
        return;
    while ((host = TAILQ_FIRST(&pool->hosts))) {
        TAILQ_REMOVE(&pool->hosts, host, entry);
        free_handles(&host->idle);
        free(host);
    }
    if (pool->share) {
        http_share_close(pool->share);
        curl_global_cleanup();
    }
    condition_done(&pool->changed);
    lock_done(&pool->lock);
    free(pool->ca_file);
    free(pool);
}

/* Idle hosts beyond the limit; their handles go to unused. */
static void forget_hosts_locked(struct http_pool *pool, struct handles *unused)
    REQUIRES(pool->lock)
{
    struct http_pool_host *host, *before;

    for (host = TAILQ_LAST(&pool->hosts, hosts); host && pool->host_count > HOSTS_MAX;
         host = before) {
        before = TAILQ_PREV(host, hosts, entry);
        if (host->running > 0)
            continue;
        TAILQ_CONCAT(unused, &host->idle, entry);
        TAILQ_REMOVE(&pool->hosts, host, entry);
        pool->host_count--;
        free(host);
    }
}

/* The entry of an origin, made where it is missing. */
static struct http_pool_host *find_host_locked(struct http_pool *pool,
                                               const struct url *url) REQUIRES(pool->lock)
{
    struct http_pool_host *host;

    TAILQ_FOREACH(host, &pool->hosts, entry) {
        if (url_is_same_origin(&host->origin, url))
            break;
    }
    if (host) {
        TAILQ_REMOVE(&pool->hosts, host, entry);
    } else {
        host = XNEW(struct http_pool_host);
        host->origin = *url;
        host->origin.target = NULL;
        TAILQ_INIT(&host->idle);
        pool->host_count++;
    }
    TAILQ_INSERT_HEAD(&pool->hosts, host, entry);
    return host;
}

/* Connections that are left to short requests. The only one is for all. */
static unsigned spare(unsigned connections)
{
    return connections < 2 ? 0 : connections < FEW ? 1 : 2;
}

static bool has_turn_locked(const struct http_pool *pool,
                            const struct http_pool_host *host, enum http_pool_use use)
    REQUIRES(pool->lock)
{
    return host->running < pool->connections &&
           (use == HTTP_POOL_SHORT ||
            host->running_long < pool->connections - spare(pool->connections));
}

/* A turn at the origin. */
static int wait_turn_locked(struct http_pool *pool, const struct url *url,
                            enum http_pool_use use, int64_t deadline_ms,
                            struct http_pool_host **ret_host, struct error *err)
    REQUIRES(pool->lock)
{
    while (!pool->is_cancelled) {
        struct http_pool_host *host = find_host_locked(pool, url);
        int rc = 0;

        if (has_turn_locked(pool, host, use)) {
            host->running++;
            host->running_long += use == HTTP_POOL_LONG;
            *ret_host = host;
            return 0;
        }
        if (deadline_ms)
            rc = condition_wait_until(&pool->changed, &pool->lock, deadline_ms);
        else
            condition_wait(&pool->changed, &pool->lock);
        if (rc < 0)
            return fail(err, ETIMEDOUT, "all %u connections to '%s' were in use",
                        pool->connections, url->host);
    }
    return fail(err, ECANCELED, "the program is ending");
}

/* curl itself, with the first request. */
static int start_locked(struct http_pool *pool, struct error *err) REQUIRES(pool->lock)
{
    if (pool->share)
        return 0;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, ENOMEM, "libcurl does not start");
    pool->share = http_share_open();
    if (pool->share)
        return 0;
    curl_global_cleanup();
    return fail(err, ENOMEM, "libcurl has no memory to share");
}

static struct http_handle *make_handle(struct http_pool *pool)
{
    struct http_handle *handle = XNEW(struct http_handle);

    http_dial_init(&handle->dial);
    handle->easy = curl_easy_init();
    handle->multi = curl_multi_init();
    if (handle->easy && handle->multi &&
        curl_easy_setopt(handle->easy, CURLOPT_SHARE, http_share_handle(pool->share)) ==
            CURLE_OK)
        return handle;
    free_handle(handle);
    return NULL;
}

static void leave_host_locked(struct http_pool *pool, struct http_pool_host *host,
                              enum http_pool_use use) REQUIRES(pool->lock)
{
    host->running--;
    host->running_long -= use == HTTP_POOL_LONG;
    condition_broadcast(&pool->changed);
}

int http_pool_take(struct http_pool *pool, const struct url *url, enum http_pool_use use,
                   int64_t deadline_ms, struct http_handle **ret_handle,
                   struct error *err)
{
    struct http_pool_host *host = NULL;
    struct http_handle *handle = NULL;
    int rc;

    lock_acquire(&pool->lock);
    rc = start_locked(pool, err);
    if (rc == 0)
        rc = wait_turn_locked(pool, url, use, deadline_ms, &host, err);
    if (rc == 0 && (handle = TAILQ_FIRST(&host->idle)))
        TAILQ_REMOVE(&host->idle, handle, entry);
    if (rc == 0 && !handle)
        handle = make_handle(pool);
    if (handle) {
        handle->host = host;
        handle->use = use;
        TAILQ_INSERT_HEAD(&pool->busy, handle, entry);
        *ret_handle = handle;
    } else if (rc == 0) {
        leave_host_locked(pool, host, use);
        rc = fail(err, ENOMEM, "libcurl has no memory for another connection");
    }
    lock_release(&pool->lock);
    return rc;
}

/* Did nobody need it for a while? */
static bool is_old(const struct http_handle *handle)
{
    return handle->used_ms < clock_now_ms() - IDLE_MAX_MS;
}

static bool is_ready(const struct http_handle *handle)
{
    enum http_dial_state state = http_dial_look(&handle->dial);

    return !is_old(handle) && (state == HTTP_DIAL_NONE || state == HTTP_DIAL_THERE);
}

bool http_pool_has_another(struct http_pool *pool, const struct http_handle *handle)
{
    const struct http_handle *another;
    bool result;

    lock_acquire(&pool->lock);
    another = TAILQ_FIRST(&handle->host->idle);
    result = another && is_ready(another) && handle->host->running < pool->connections;
    lock_release(&pool->lock);
    return result;
}

/* Idle handles that nobody needed for a while, and those of forgotten hosts. */
static void retire_locked(struct http_pool *pool, struct http_pool_host *host,
                          struct handles *unused) REQUIRES(pool->lock)
{
    struct http_handle *oldest;

    while ((oldest = TAILQ_LAST(&host->idle, handles)) && is_old(oldest)) {
        TAILQ_REMOVE(&host->idle, oldest, entry);
        TAILQ_INSERT_HEAD(unused, oldest, entry);
    }
    forget_hosts_locked(pool, unused);
}

/* Is none kept, and room for one? What is of no use makes room first. */
static bool wants_another_locked(struct http_pool *pool, struct http_pool_host *host,
                                 struct handles *unused) REQUIRES(pool->lock)
{
    struct http_handle *first;

    retire_locked(pool, host, unused);
    first = TAILQ_FIRST(&host->idle);
    if (first && http_dial_look(&first->dial) == HTTP_DIAL_LOST) {
        TAILQ_REMOVE(&host->idle, first, entry);
        TAILQ_INSERT_HEAD(unused, first, entry);
    }
    return TAILQ_EMPTY(&host->idle) && host->running < pool->connections;
}

void http_pool_dial(struct http_pool *pool, struct http_handle *handle)
{
    struct handles unused = TAILQ_HEAD_INITIALIZER(unused);
    struct http_pool_host *host = handle->host;
    struct http_handle *another = NULL;

    if (host->origin.scheme != URL_HTTP)
        return;
    lock_acquire(&pool->lock);
    if (wants_another_locked(pool, host, &unused))
        another = make_handle(pool);
    lock_release(&pool->lock);
    if (another && http_dial_begin(&another->dial, &handle->dial)) {
        another->used_ms = clock_now_ms();
        lock_acquire(&pool->lock);
        if (wants_another_locked(pool, host, &unused))
            TAILQ_INSERT_HEAD(&host->idle, another, entry);
        else
            TAILQ_INSERT_HEAD(&unused, another, entry);
        lock_release(&pool->lock);
    } else {
        free_handle(another);
    }
    free_handles(&unused);
}

void http_pool_give(struct http_pool *pool, struct http_handle *take_handle)
{
    struct handles unused = TAILQ_HEAD_INITIALIZER(unused);
    struct http_pool_host *host = take_handle->host;

    curl_easy_reset(take_handle->easy);
    http_dial_done(&take_handle->dial);
    take_handle->used_ms = clock_now_ms();
    lock_acquire(&pool->lock);
    TAILQ_REMOVE(&pool->busy, take_handle, entry);
    TAILQ_INSERT_HEAD(&host->idle, take_handle, entry);
    leave_host_locked(pool, host, take_handle->use);
    retire_locked(pool, host, &unused);
    lock_release(&pool->lock);
    free_handles(&unused);
}

void http_pool_cancel(struct http_pool *pool)
{
    struct http_handle *handle;

    lock_acquire(&pool->lock);
    pool->is_cancelled = true;
    condition_broadcast(&pool->changed);
    TAILQ_FOREACH(handle, &pool->busy, entry) {
        curl_multi_wakeup(handle->multi);
    }
    lock_release(&pool->lock);
}

bool http_pool_is_cancelled(struct http_pool *pool)
{
    bool is_cancelled;

    lock_acquire(&pool->lock);
    is_cancelled = pool->is_cancelled;
    lock_release(&pool->lock);
    return is_cancelled;
}

int http_pool_pause(struct http_pool *pool, int64_t pause_ms, struct error *err)
{
    int64_t until_ms = clock_now_ms() + pause_ms;
    bool is_cancelled;

    lock_acquire(&pool->lock);
    while (!pool->is_cancelled &&
           condition_wait_until(&pool->changed, &pool->lock, until_ms) == 0)
        continue;
    is_cancelled = pool->is_cancelled;
    lock_release(&pool->lock);
    return is_cancelled ? fail(err, ECANCELED, "the program is ending") : 0;
}

void http_pool_trust(const struct http_pool *pool, CURL *easy)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    /* Where curl knows the system's folder of certificates it looks up the few it needs
     * there: that saves reading the whole bundle for each connection, and makes ca_file
     * an addition. */
    if (pool->ca_file || (curl->capath && access(curl->capath, X_OK) == 0))
        curl_easy_setopt(easy, CURLOPT_CAINFO, pool->ca_file);
}
