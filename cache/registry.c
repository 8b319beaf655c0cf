/* registry.c: the archives that are open in this process, and how long idle ones stay. */
#include "cache/registry.h"

#include "common/memory.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
    IDLE_MAX = 256,  /* archives that nobody uses */
    OTHERS = 192,    /* descriptors that threads, transfers and what completes may need */
    IDLE_SHARE = 16, /* of the further ones that a process may have: each holds four */
    IDLE_MS = 30000, /* so long they stay, */
    HELD_MS = 100,   /* and so long no other process may evict them: who reads one file
                        after another takes no lock for each */
    IDLE_ENTRIES_MAX = 128 << 10, /* of their tables together: their memory */
};

static bool was_replaced(struct archive *archive)
{
    bool was_replaced;

    lock_acquire(&archive->lock);
    was_replaced = archive->is_replaced;
    lock_release(&archive->lock);
    return was_replaced;
}

struct archive *registry_ref(struct archive *archive)
{
    archive->refs++;
    return archive;
}

struct archive *registry_find_locked(struct cache *cache, const struct release *release,
                                     const char *digest)
{
    struct archive *archive, *newest = NULL;

    TAILQ_FOREACH(archive, &cache->archives, link) {
        if (archive->is_lost || !release_is_same(&archive->release, release))
            continue;
        if (digest ? strcmp(toc_digest(archive->toc), digest) == 0
                   : !was_replaced(archive)) {
            if (!newest || archive->opened_ms >= newest->opened_ms)
                newest = archive;
        }
    }
    if (newest && newest->is_let_go) {
        newest->is_lost = !tree_take_again(newest->tree);
        newest->is_let_go = newest->is_lost;
    }
    if (!newest || newest->is_lost)
        return NULL;
    TAILQ_REMOVE(&cache->archives, newest, link);
    TAILQ_INSERT_TAIL(&cache->archives, newest, link);
    return registry_ref(newest);
}

bool registry_has_replaced(struct cache *cache, const struct release *release)
{
    struct archive *archive;
    bool has_replaced = false;

    lock_acquire(&cache->lock);
    TAILQ_FOREACH(archive, &cache->archives, link) {
        if (release_is_same(&archive->release, release) && was_replaced(archive))
            has_replaced = true;
    }
    lock_release(&cache->lock);
    return has_replaced;
}

/* Let go what has not been used for a while. true: some is still held. */
static bool let_go_locked(struct cache *cache) REQUIRES(cache->lock)
{
    int64_t deadline_ms = clock_now_ms() - HELD_MS;
    struct archive *archive;
    bool is_any_held = false;

    TAILQ_FOREACH(archive, &cache->archives, link) {
        if (archive->refs > 0 || archive->is_let_go || !archive->tree)
            continue;
        archive->is_let_go = archive->released_ms <= deadline_ms;
        if (archive->is_let_go)
            tree_let_go(archive->tree);
        else
            is_any_held = true;
    }
    return is_any_held;
}

/* In the timer's thread, as long as anything idle is held. */
static void let_go(void *arg)
{
    struct cache *cache = arg;
    bool goes_on;

    if (cache->is_closing)
        return;
    lock_acquire(&cache->lock);
    goes_on = let_go_locked(cache);
    cache->is_letting_go = goes_on;
    lock_release(&cache->lock);
    if (goes_on)
        delay_run(cache->delay, HELD_MS, let_go, cache);
}

/* true: the last reference is gone, and let_go is to be called for that. */
static bool unref_locked(struct cache *cache, struct archive *archive)
    REQUIRES(cache->lock)
{
    bool is_first = --archive->refs == 0 && !cache->is_letting_go;

    cache->is_letting_go |= is_first;
    return is_first;
}

void registry_add_locked(struct cache *cache, struct archive *archive)
{
    TAILQ_INSERT_TAIL(&cache->archives, archive, link);
}

size_t registry_idle_max(void)
{
    struct rlimit limit;
    rlim_t left;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return IDLE_MAX;
    left = limit.rlim_cur > OTHERS ? limit.rlim_cur - OTHERS : 0;
    return left / IDLE_SHARE < IDLE_MAX ? (size_t)left / IDLE_SHARE : IDLE_MAX;
}

/* Move idle archives that are of no use, or above the limits, to list. */
static void collect_surplus_locked(struct cache *cache, struct archive_list *list)
    REQUIRES(cache->lock)
{
    struct archive *archive, *previous;
    int64_t deadline_ms = clock_now_ms() - IDLE_MS;
    uint64_t entries = 0;
    size_t idle = 0;

    for (archive = TAILQ_LAST(&cache->archives, archive_list); archive;
         archive = previous) {
        previous = TAILQ_PREV(archive, archive_list, link);
        if (archive->refs > 0)
            continue;
        idle++;
        entries += toc_count(archive->toc);
        if (!archive->is_lost && idle <= cache->idle_max &&
            (idle == 1 || entries <= IDLE_ENTRIES_MAX) &&
            archive->released_ms > deadline_ms)
            continue;
        TAILQ_REMOVE(&cache->archives, archive, link);
        TAILQ_INSERT_TAIL(list, archive, link);
    }
}

static unsigned begin_work_locked(struct cache *cache) REQUIRES(cache->lock)
{
    cache->works[cache->works_now]++;
    return cache->works_now;
}

unsigned registry_work_begin(struct cache *cache)
{
    unsigned begun;

    lock_acquire(&cache->lock);
    begun = begin_work_locked(cache);
    lock_release(&cache->lock);
    return begun;
}

void registry_work_end(struct cache *cache, unsigned begun)
{
    lock_acquire(&cache->lock);
    cache->works[begun]--;
    cache->works_ended++;
    condition_broadcast(&cache->work_ended);
    lock_release(&cache->lock);
}

uint64_t registry_work_ended(struct cache *cache)
{
    uint64_t ended;

    lock_acquire(&cache->lock);
    ended = cache->works_ended;
    lock_release(&cache->lock);
    return ended;
}

bool registry_work_await(struct cache *cache, uint64_t ended, int64_t deadline_ms)
{
    unsigned before;
    bool has_ended;
    int rc = 0;

    lock_acquire(&cache->lock);
    before = cache->works_now;
    cache->works_now = !before; /* what begins from now on is not waited for */
    while (rc == 0 && cache->works[before] > 0)
        rc = condition_wait_until(&cache->work_ended, &cache->lock, deadline_ms);
    has_ended = cache->works_ended != ended;
    lock_release(&cache->lock);
    return has_ended;
}

/* They are in use until they are closed, and nobody else knows. */
static void close_and_release(struct cache *cache, struct archive_list *list)
    RELEASES(cache->lock)
{
    bool is_any = !TAILQ_EMPTY(list);
    unsigned begun = is_any ? begin_work_locked(cache) : 0;
    struct archive *archive;

    lock_release(&cache->lock);
    while ((archive = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, archive, link);
        archive_state_free(archive);
    }
    if (is_any)
        registry_work_end(cache, begun);
}

void registry_release(struct archive *archive)
{
    struct archive_list surplus = TAILQ_HEAD_INITIALIZER(surplus);
    struct cache *cache;
    bool is_first_idle;

    if (!archive)
        return;
    cache = archive->cache;
    lock_acquire(&cache->lock);
    archive->released_ms = clock_now_ms();
    is_first_idle = unref_locked(cache, archive);
    if (archive->refs == 0)
        collect_surplus_locked(cache, &surplus);
    close_and_release(cache, &surplus);
    if (is_first_idle)
        delay_run(cache->delay, HELD_MS, let_go, cache);
}

void registry_close_surplus(struct cache *cache)
{
    struct archive_list surplus = TAILQ_HEAD_INITIALIZER(surplus);

    lock_acquire(&cache->lock);
    collect_surplus_locked(cache, &surplus);
    close_and_release(cache, &surplus);
}

void registry_close_idle(struct cache *cache, const char *id, const char *version)
{
    struct archive_list list = TAILQ_HEAD_INITIALIZER(list);
    struct archive *archive, *next;

    lock_acquire(&cache->lock);
    for (archive = TAILQ_FIRST(&cache->archives); archive; archive = next) {
        next = TAILQ_NEXT(archive, link);
        if (archive->refs > 0 ||
            (id && !release_is_version(&archive->release, id, version)))
            continue;
        TAILQ_REMOVE(&cache->archives, archive, link);
        TAILQ_INSERT_TAIL(&list, archive, link);
    }
    close_and_release(cache, &list);
}

bool registry_is_used(struct cache *cache, const char *id, const char *version)
{
    struct archive *archive;
    bool is_used = false;

    lock_acquire(&cache->lock);
    TAILQ_FOREACH(archive, &cache->archives, link) {
        is_used = is_used || (archive->tree && !archive->is_let_go &&
                              release_is_version(&archive->release, id, version));
    }
    lock_release(&cache->lock);
    return is_used;
}

void registry_for_each(struct cache *cache, registry_each *each, void *arg)
{
    struct archive **archives;
    struct archive *archive;
    bool is_first_idle = false;
    size_t count = 0;
    unsigned begun;

    lock_acquire(&cache->lock);
    begun = begin_work_locked(cache);
    TAILQ_FOREACH(archive, &cache->archives, link) {
        count++;
    }
    archives = xcalloc(count + 1, sizeof(struct archive *));
    count = 0;
    TAILQ_FOREACH(archive, &cache->archives, link) {
        archives[count++] = registry_ref(archive);
    }
    lock_release(&cache->lock);
    for (size_t i = 0; i < count; i++) {
        each(archives[i], arg);
        lock_acquire(&cache->lock);
        is_first_idle |= unref_locked(cache, archives[i]); /* a look is no use */
        lock_release(&cache->lock);
    }
    free(archives);
    registry_work_end(cache, begun);
    if (is_first_idle)
        delay_run(cache->delay, HELD_MS, let_go, cache);
}

static void note_use(struct archive *archive, void *arg)
{
    struct cache *cache = archive->cache;
    bool is_due;

    (void)arg;
    lock_acquire(&cache->lock);
    is_due = archive->tree && archive->released_ms > archive->noted_ms;
    archive->noted_ms = archive->released_ms;
    lock_release(&cache->lock);
    if (is_due)
        tree_note_use(archive->tree);
}

void registry_note_uses(struct cache *cache)
{
    registry_for_each(cache, note_use, NULL);
}
