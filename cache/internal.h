/* internal.h: the cache as its own files see it; no other folder includes it.
 *
 * No lock (common/sync.h has their order) is held while a backend is asked, a member is
 * read or written, or somebody's archive_done runs. */
#ifndef CACHE_INTERNAL_H
#define CACHE_INTERNAL_H

#include "cache/delay.h"
#include "cache/documents.h"
#include "cache/store.h"
#include "cache/usage.h"
#include "common/sync.h"
#include "common/workers.h"

#include <stdatomic.h>
#include <sys/queue.h>

struct archive;
struct opening;
TAILQ_HEAD(archive_list, archive);
TAILQ_HEAD(opening_list, opening);

struct cache {
    struct store store;          /* constant */
    struct documents *documents; /* constant */
    struct delay *delay;         /* constant */
    struct workers *movers;      /* of complete trees; constant */
    struct workers *writers;     /* of what others unpack (relay.h); constant */

    /* Constant: struct cache_options with its zeros replaced. */
    uint64_t size;
    uint64_t hold;
    unsigned threads;
    bool prefetch_model;
    int64_t stall_ms;
    size_t idle_max; /* archives that nobody uses */

    struct lock lock;
    struct archive_list archives; /* guarded by lock */
    bool is_letting_go;           /* idle ones, by the timer; guarded by lock */
    struct opening_list openings; /* guarded by lock */
    struct condition opened;      /* one of openings ended */
    unsigned works[2];            /* registry_work_begin: under way; guarded by lock */
    unsigned works_now;           /* which of them begin now; guarded by lock */
    uint64_t works_ended;         /* of all; guarded by lock */
    struct condition work_ended;
    struct workers **pools; /* one per repository; guarded by lock */
    size_t pool_count;      /* guarded by lock */
    atomic_bool is_closing;

    struct lock evict_lock;
    struct usage usage;       /* guarded by evict_lock */
    bool is_usage_right;      /* by a look of this process; guarded by evict_lock */
    bool is_evicting;         /* a thread is at it; guarded by evict_lock */
    uint64_t rooms_made;      /* how often that made room; guarded by evict_lock */
    uint64_t vain_looks;      /* how often it did not; guarded by evict_lock */
    int64_t vain_until_ms;    /* so long the last one of these counts; the same */
    struct condition evicted; /* is_evicting ended */

    atomic_uint_fast64_t spare_bytes; /* that are taken (spare.h) */
    atomic_uint helpers_running;      /* further threads of transfers */

    atomic_uint_fast64_t transfers_running, transfers_done, transfers_failed;
    atomic_uint_fast64_t bytes_fetched, members_done;
};

#endif
