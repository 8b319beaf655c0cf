/* registry.h: the archives that are open in this process, and how long idle ones stay.
 *
 * What nobody has used for a moment keeps no other process from evicting it, and is not
 * found any more once it was. */
#ifndef CACHE_REGISTRY_H
#define CACHE_REGISTRY_H

#include "cache/archive_state.h"
#include "cache/internal.h"

/* The archive of a release that is open; with digest NULL the newest that was not
 * replaced. NULL if there is none. archive_unref the result. */
struct archive *registry_find_locked(struct cache *cache, const struct release *release,
                                     const char *digest) REQUIRES(cache->lock);

/* Is an archive of the release open whose object was replaced since? Then the saved table
 * is of no use. */
bool registry_has_replaced(struct cache *cache, const struct release *release);

/* List a new archive; its reference stays the caller's. */
void registry_add_locked(struct cache *cache, struct archive *archive)
    REQUIRES(cache->lock);

/* Take a reference beside one that the caller has. */
struct archive *registry_ref(struct archive *archive);

/* Give a reference back. The last one leaves the archive open for the next user, until
 * too many are idle. May close files: with no lock held. Accepts NULL. */
void registry_release(struct archive *archive);

/* How many idle ones stay open, as far as descriptors go: asked once (cache->idle_max).
 */
size_t registry_idle_max(void);

/* Close what has been idle for too long. */
void registry_close_surplus(struct cache *cache);

/* Note on disk what was used since the last call, for who evicts by age. Does I/O. */
void registry_note_uses(struct cache *cache);

/* Close what nobody uses of a version, or with id NULL of all. */
void registry_close_idle(struct cache *cache, const char *id, const char *version);

/* Does anybody here use a version, or has until a moment ago? */
bool registry_is_used(struct cache *cache, const char *id, const char *version);

/* Own work that keeps an archive in use though nobody waits for it any more: it must end
 * by itself, without room in the cache. With no lock held. The end is given what the
 * beginning gave. */
unsigned registry_work_begin(struct cache *cache);
void registry_work_end(struct cache *cache, unsigned begun);

/* How much of it has ended so far. */
uint64_t registry_work_ended(struct cache *cache);

/* Wait for what is being done, until deadline_ms: it may hang with a disk or a server.
 * One thread at a time. true: some has ended since there were so many. */
bool registry_work_await(struct cache *cache, uint64_t ended, int64_t deadline_ms);

/* Call each(archive, arg) for all that are open, with no lock held. */
typedef void registry_each(struct archive *archive, void *arg);
void registry_for_each(struct cache *cache, registry_each *each, void *arg);

#endif
