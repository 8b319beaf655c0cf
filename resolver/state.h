/* state.h: what the files behind resolver.h share; nobody else includes it. */
#ifndef RESOLVER_STATE_H
#define RESOLVER_STATE_H

#include "common/sync.h"
#include "resolver/catalog.h"
#include "resolver/known.h"
#include "resolver/resolver.h"

/* Listings of all repositories put together, kept because a million names take long. */
struct merged {
    struct listing **sources; /* one for each repository, or NULL */
    struct listing *listing;
};

struct resolver {
    struct resolver_repository *repositories; /* constant after open */
    size_t repository_count;                  /* constant after open */
    char *cache_root;                         /* constant after open; or NULL */
    struct catalog *catalog;                  /* constant after open */
    struct known *known;                      /* constant after open; or NULL */
    struct lock lock;                         /* innermost: nothing is asked under it */
    struct merged merged[2];                  /* guarded by lock; by enum names_of */
};

/* Ask the repositories in their order until one has it. -ENOENT when all are known not to
 * have it, else the first failure. A document that makes no sense (-EBADMSG) ends it.
 * ret_answer->left_ms is the shortest of those asked. */
int state_find_first(struct resolver *resolver, const struct catalog_kind *kind,
                     const char *key, enum resolve_how how,
                     struct catalog_answer *ret_answer, unsigned *ret_repository,
                     struct error *err);

/* What all repositories said. */
struct gathered {
    struct listing **listings; /* one for each repository; NULL: it has none */
    size_t count;
    size_t found;         /* repositories that have it */
    size_t failed;        /* that could not be asked and of which nothing is known */
    int64_t left_ms;      /* the shortest; 0 when one failed */
    struct error failure; /* the first; code 0: none */
};

/* 0 when at least one repository answered, even that it has none. gathered_done it. */
int state_gather(struct resolver *resolver, const struct catalog_kind *kind,
                 const char *key, enum resolve_how how, struct gathered *ret_gathered,
                 struct error *err);
void gathered_done(struct gathered *gathered);
#define CLEANUP_GATHERED CLEANUP_WITH(gathered_done)

/* There is a release of an ID in a repository: its folder needs no request for a while.
 */
void state_note_model(struct resolver *resolver, unsigned repository, const char *id);

/* The versions of an ID whose headers are in the cache folder, in order; at least one.
 * -ENOENT. For what no repository can say: which version a legacy ID has, and what there
 * is when none can be asked. listing_unref the result. */
int state_cached_versions(struct resolver *resolver, const char *id, enum resolve_how how,
                          struct listing **ret_listing, int64_t *ret_left_ms,
                          struct error *err);

#endif
