/* cache.c: the cache folder of this process: open, close, and the module's face. */
#include "cache/cache.h"

#include "cache/adopt.h"
#include "cache/archive_state.h"
#include "cache/evict.h"
#include "cache/internal.h"
#include "cache/inventory.h"
#include "cache/layout.h"
#include "cache/opening.h"
#include "cache/registry.h"
#include "cache/transfer.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "resolver/listing.h"

#include <fcntl.h>
#include <string.h>

enum {
    HOLD_DEFAULT = 64 << 20,
    THREADS_DEFAULT = 8,
    THREADS_MAX = 32, /* each has buffers */
    MOVES_MAX = 8,    /* that wait, each with the descriptors of an open archive */
    WRITERS_MAX = 4,  /* threads: they are faster than those that unpack */
    WRITES_MAX = 64,
    STALL_MS_DEFAULT = 30000,
    STALL_LOOKS = 4, /* in the time of one stall */
};

static void fail_stalled(struct archive *archive, void *arg)
{
    transfer_fail_stalled(archive, *(int64_t *)arg);
}

/* In the timer's thread, again and again. */
static void look_for_stalled(void *arg)
{
    struct cache *cache = arg;
    int64_t deadline_ms = clock_now_ms() - cache->stall_ms;

    if (cache->is_closing)
        return;
    registry_for_each(cache, fail_stalled, &deadline_ms);
    registry_note_uses(cache);
    registry_close_surplus(cache);
    delay_run(cache->delay, cache->stall_ms / STALL_LOOKS + 1, look_for_stalled, cache);
}

static void set_options(struct cache *cache, const struct cache_options *options)
{
    cache->size = options->size;
    cache->hold = options->hold ? options->hold : HOLD_DEFAULT;
    cache->threads = options->threads ? options->threads : THREADS_DEFAULT;
    if (cache->threads > THREADS_MAX)
        cache->threads = THREADS_MAX;
    cache->prefetch_model = options->prefetch_model;
    cache->stall_ms = options->stall_ms ? options->stall_ms : STALL_MS_DEFAULT;
    cache->idle_max = registry_idle_max();
}

static void free_cache(struct cache *cache)
{
    delay_free(cache->delay);
    workers_close(cache->movers);
    workers_close(cache->writers);
    documents_close(cache->documents);
    usage_done(&cache->usage);
    store_close(&cache->store);
    condition_done(&cache->work_ended);
    condition_done(&cache->opened);
    condition_done(&cache->evicted);
    lock_done(&cache->evict_lock);
    lock_done(&cache->lock);
    free(cache->pools);
    free(cache);
}

int cache_open(const struct cache_options *options, struct cache **ret_cache,
               struct error *err)
{
    struct cache *cache = XNEW(struct cache);
    int rc;

    lock_init(&cache->lock);
    lock_init(&cache->evict_lock);
    condition_init(&cache->evicted);
    condition_init(&cache->opened);
    condition_init(&cache->work_ended);
    TAILQ_INIT(&cache->archives);
    TAILQ_INIT(&cache->openings);
    set_options(cache, options);
    usage_init(&cache->usage, &cache->store);
    rc = store_open(options->root, &cache->store, err);
    if (rc == 0)
        rc = documents_open(&cache->store, &cache->documents, err);
    if (rc == 0)
        rc = workers_open(&(struct workers_options){.name = "complete",
                                                    .threads = 1, /* it flushes disks */
                                                    .queue_max = MOVES_MAX},
                          &cache->movers, err);
    if (rc == 0)
        rc = workers_open(&(struct workers_options){.name = "write",
                                                    .threads = WRITERS_MAX,
                                                    .queue_max = WRITES_MAX},
                          &cache->writers, err);
    if (rc == 0)
        rc = delay_open(&cache->delay, err);
    if (rc < 0) {
        free_cache(cache);
        return rc;
    }
    evict_clean(cache);
    delay_run(cache->delay, cache->stall_ms / STALL_LOOKS + 1, look_for_stalled, cache);
    *ret_cache = cache;
    return 0;
}

static void mark_clean(struct archive *archive, void *arg)
{
    (void)arg;
    if (archive->tree)
        tree_mark_clean(archive->tree);
}

static void look_for_unclean(struct archive *archive, void *arg)
{
    bool *is_unclean = arg;

    *is_unclean |= archive->tree && tree_is_unclean(archive->tree);
}

/* What lies at its final path was flushed when it went there; a flush waits for what
 * others write to that disk, too. On failure members are hashed again after a reboot. */
static void flush(struct cache *cache)
{
    bool is_unclean = false;

    if (cache->members_done > 0)
        registry_for_each(cache, look_for_unclean, &is_unclean);
    if (is_unclean && syncfs(cache->store.root_fd) == 0)
        registry_for_each(cache, mark_clean, NULL);
}

void cache_close(struct cache *cache)
{
    if (!cache)
        return;
    cache->is_closing = true;
    delay_close(cache->delay);
    for (size_t i = 0; i < cache->pool_count; i++)
        workers_close(cache->pools[i]);
    workers_close(cache->movers);
    cache->movers = NULL;
    workers_close(cache->writers);
    cache->writers = NULL;
    flush(cache);
    registry_note_uses(cache);
    registry_close_idle(cache, NULL, NULL);
    free_cache(cache);
}

uint64_t cache_hold(const struct cache *cache)
{
    return cache->hold;
}

struct archive *cache_find(struct cache *cache, const struct release *release,
                           const char *digest)
{
    struct archive *archive;

    lock_acquire(&cache->lock);
    archive = registry_find_locked(cache, release, digest);
    lock_release(&cache->lock);
    return archive;
}

int cache_archive(struct cache *cache, struct resolver *resolver,
                  const struct release *release, struct archive **ret_archive,
                  struct error *err)
{
    return opening_archive(cache, resolver, release, ret_archive, err);
}

int cache_adopt(struct cache *cache, struct resolver *resolver,
                const struct release *release, int folder_fd, enum cache_adopt how,
                struct error *err)
{
    struct archive *archive = NULL;
    int rc = opening_archive(cache, resolver, release, &archive, err);

    if (rc == 0)
        rc = adopt_all(archive, folder_fd, how, err);
    archive_unref(archive);
    return rc;
}

int cache_header(struct cache *cache, struct resolver *resolver,
                 const struct release *release, enum resolve_how how,
                 struct header **ret_header, struct error *err)
{
    return documents_header(cache->documents, resolver, release, how, ret_header, err);
}

int cache_date(struct cache *cache, struct resolver *resolver,
               const struct release *release, enum resolve_how how, int64_t *ret_date_s,
               struct error *err)
{
    return documents_date(cache->documents, resolver, release, how, ret_date_s, err);
}

int cache_meta(struct cache *cache, struct resolver *resolver,
               const struct release *release, struct bytes *to, struct error *err)
{
    return documents_meta(cache->documents, resolver, release, to, err);
}

/* What cache_list tells its caller, and what of one version it found so far. */
struct rows {
    struct cache *cache;
    cache_each *each;
    void *arg;
    struct listing_builder seen; /* trees that were told as partial */
    struct listing *partial;     /* the same, when all were */
    struct cache_row row;
    bool is_known;
    bool is_told;
};

static void fill_row(struct cache_row *row, const struct inventory_tree *tree)
{
    *row = (struct cache_row){
        .id = tree->id,
        .version = tree->version,
        .cached_bytes = tree->header.bytes,
        .total_bytes = tree->header.total_bytes,
        .state = tree->is_moved ? "complete" : "partial",
        .used_s = tree->used_ns / 1000000000,
    };
}

static char *name_of(const struct inventory_tree *tree)
{
    return xasprintf("%s/%s/%s", tree->id, tree->version, tree->digest);
}

/* Trees that are at their final path are listed with the models. */
static int list_partial(void *arg, const struct inventory_tree *tree, struct error *err)
{
    CLEANUP_FREE char *name = name_of(tree);
    struct rows *rows = arg;
    struct cache_row row;
    int rc;

    if (tree->is_moved || tree->header.bytes == 0)
        return 0;
    fill_row(&row, tree);
    rc = listing_add(&rows->seen, name, err);
    return rc < 0 ? rc : rows->each(rows->arg, &row, err);
}

static int find_moved(void *arg, const struct inventory_tree *tree, struct error *err)
{
    CLEANUP_FREE char *name = name_of(tree);
    struct rows *rows = arg;

    (void)err;
    if (tree->is_moved) {
        fill_row(&rows->row, tree);
        rows->is_known = true;
        rows->is_told = listing_has(rows->partial, strcmp, name); /* and moved since */
    }
    return 0;
}

static int list_model(void *arg, const char *id, const char *version, struct error *err)
{
    struct rows *rows = arg;
    int rc;

    rows->is_known = false;
    rows->is_told = false;
    rc = inventory_trees(&rows->cache->store, id, version, find_moved, rows, err);
    if (rc < 0 || rows->is_told)
        return rc;
    if (!rows->is_known)
        rows->row = (struct cache_row){.state = "by audmodel"};
    rows->row.id = id;
    rows->row.version = version;
    if (!rows->is_known)
        rc = inventory_size(&rows->cache->store, id, version, &rows->row.cached_bytes,
                            err);
    if (!rows->is_known)
        rows->row.total_bytes = rows->row.cached_bytes;
    return rc < 0 ? rc : rows->each(rows->arg, &rows->row, err);
}

/* What is partial first: a model that becomes complete meanwhile is then seen once, and
 * not missed. */
int cache_list(struct cache *cache, cache_each *each, void *arg, struct error *err)
{
    struct rows rows = {.cache = cache, .each = each, .arg = arg};
    int rc;

    listing_builder_init(&rows.seen);
    rc = inventory_trees(&cache->store, NULL, NULL, list_partial, &rows, err);
    if (rc == 0)
        rc = listing_finish(&rows.seen, strcmp, &rows.partial, err);
    if (rc == 0)
        rc = inventory_models(&cache->store, list_model, &rows, err);
    listing_unref(rows.partial);
    listing_builder_done(&rows.seen);
    return rc;
}

struct status {
    struct bytes *to;
    struct error *err;
    int rc;
};

static void print_archive(struct archive *archive, void *arg)
{
    struct status *status = arg;

    if (status->rc < 0)
        return;
    lock_acquire(&archive->lock);
    status->rc = bytes_printf(
        status->to, status->err,
        "  - model: %s-%s\n    files: %u\n    files_cached: %u\n    bytes: %ju\n"
        "    bytes_cached: %ju\n    arriving: %u\n    failed: %u\n    place: %s\n",
        archive->release.id, archive->release.version, toc_file_count(archive->toc),
        archive->complete_count, (uintmax_t)toc_total_size(archive->toc),
        (uintmax_t)archive->complete_bytes, archive->member_count, archive->failure_count,
        archive->is_final ? "complete" : "partial");
    lock_release(&archive->lock);
}

int cache_print_status(struct cache *cache, struct bytes *to, struct error *err)
{
    struct status status = {.to = to, .err = err};
    struct cache_counters counters;

    cache_count(cache, &counters);
    status.rc = bytes_printf(
        to, err,
        "  transfers_running: %ju\n  transfers_done: %ju\n"
        "  transfers_failed: %ju\n  bytes_fetched: %ju\n"
        "  archives:%s\n",
        (uintmax_t)counters.transfers_running, (uintmax_t)counters.transfers_done,
        (uintmax_t)counters.transfers_failed, (uintmax_t)counters.bytes_fetched,
        counters.archives_open ? "" : " []");
    if (counters.archives_open)
        registry_for_each(cache, print_archive, &status);
    return status.rc;
}

void cache_count(struct cache *cache, struct cache_counters *ret_counters)
{
    struct archive *archive;

    *ret_counters = (struct cache_counters){
        .transfers_running = cache->transfers_running,
        .transfers_done = cache->transfers_done,
        .transfers_failed = cache->transfers_failed,
        .bytes_fetched = cache->bytes_fetched,
        .members_done = cache->members_done,
    };
    lock_acquire(&cache->lock);
    TAILQ_FOREACH(archive, &cache->archives, link) {
        ret_counters->archives_open++;
    }
    lock_release(&cache->lock);
}
