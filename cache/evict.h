/* evict.h: brings the cache back under its size; never touches what is in use.
 *
 * Counted and evicted is only what modelfs put there: whole versions, complete or not,
 * the least recently used first. Header and metadata stay where nobody asks for all to
 * go. In use is what any process has open (TREE_LOCK_USE) or audmodel loads (its lock).
 */
#ifndef CACHE_EVICT_H
#define CACHE_EVICT_H

#include "cache/internal.h"

/* Does anybody wait for what needs the room? Where room was looked for in vain a while
 * ago, it is looked for again only for who waits; and only for him others are awaited. */
enum evict_for {
    EVICT_UNASKED,
    EVICT_ASKED,
};

/* bytes will come: make room for them below the size, if there is one. Blocks. -ENOSPC:
 * all that could go is in use. */
int evict_reserve(struct cache *cache, uint64_t bytes, enum evict_for who,
                  struct error *err);

/* Remove one version, for its content is of no use. -EAGAIN: it is in use. */
int evict_release(struct cache *cache, const char *id, const char *version,
                  struct error *err);

/* Remove what nobody uses: of the versions that are not complete, or of all and the
 * documents that lie beside no model then. */
enum evict_what {
    EVICT_PARTIAL,
    EVICT_ALL,
};
struct evict_sum {
    uint64_t freed_bytes, kept_bytes; /* kept: in use */
    uint32_t freed, kept;             /* versions */
    uint32_t documents;               /* headers and metadata that went, too */
};
int evict_unused(struct cache *cache, enum evict_what what, struct evict_sum *ret_sum,
                 struct error *err);

/* The disk is full: remove at least so many bytes. -ENOSPC. */
int evict_make_room(struct cache *cache, uint64_t bytes, enum evict_for who,
                    struct error *err);

/* Was room looked for in vain a while ago? Then nothing is worth fetching that nobody
 * asked for. */
bool evict_was_in_vain(struct cache *cache);

/* Drop what an evicting process left when it died. */
void evict_clean(struct cache *cache);

#endif
