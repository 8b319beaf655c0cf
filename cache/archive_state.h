/* archive_state.h: an open archive as the files of cache/ see it: members and records.
 *
 *     rc = archive_state_new(cache, resolver, &release, toc, tree, &archive, &err);
 *     rc = archive_state_load(archive, &err);
 *     archive_state_free(archive);
 *
 * No other folder includes it. Functions ending in _locked want archive->lock. */
#ifndef CACHE_ARCHIVE_STATE_H
#define CACHE_ARCHIVE_STATE_H

#include "cache/cache.h"
#include "cache/member.h"
#include "cache/order.h"
#include "cache/toc.h"
#include "cache/tree.h"
#include "common/sync.h"
#include "resolver/resolver.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

enum {
    ARCHIVE_BUCKETS = 64,
    ARCHIVE_FAILURES_MAX = 100, /* sentences kept */
    MEMBER_FAILURES_MAX = 2,    /* checks failed in succession, then none is tried */
};

/* Why a member could not be had. */
struct failure {
    TAILQ_ENTRY(failure) link;
    uint32_t index;
    struct error err;
};
TAILQ_HEAD(failure_list, failure);

struct archive {
    struct cache *cache;       /* constant */
    struct resolver *resolver; /* constant; lent */
    struct release release;    /* constant */
    struct toc *toc;           /* constant */
    struct tree *tree;         /* constant; NULL: served as found, offline */
    struct workers *workers;   /* constant: of its repository */
    int64_t opened_ms;         /* constant */
    atomic_uint refs;          /* falls to 0 only under cache->lock */

    TAILQ_ENTRY(archive) link; /* the newest use last; guarded by cache->lock */
    int64_t released_ms;       /* when the last reference went; guarded by cache->lock */
    int64_t noted_ms;          /* when that was noted on disk; guarded by cache->lock */
    bool is_let_go;            /* its tree was; guarded by cache->lock */
    bool is_lost;              /* and was evicted meanwhile; guarded by cache->lock */

    struct lock lock;
    struct condition changed;    /* a member is complete, or is_completing fell */
    struct object *object;       /* NULL until bytes are needed; guarded by lock; what it
                                    points to stays till the archive is closed */
    struct tree_record *records; /* one per entry; guarded by lock */
    uint32_t complete_count;     /* files; guarded by lock */
    uint64_t complete_bytes;     /* guarded by lock */
    struct member_list members[ARCHIVE_BUCKETS]; /* that arrive; guarded by lock */
    uint32_t member_count;                       /* guarded by lock */
    struct failure_list failures;                /* guarded by lock */
    uint32_t failure_count;                      /* guarded by lock */
    bool is_replaced;                            /* the object is; guarded by lock */
    bool is_foreign;            /* audmodel's tree is used; guarded by lock */
    bool is_attested;           /* and was verified; guarded by lock */
    bool is_final;              /* all of it is at the final path; guarded by lock */
    bool is_completing;         /* a thread moves it there; guarded by lock */
    bool is_adopting;           /* members come from adopt_fd; guarded by lock */
    int adopt_fd;               /* lent; guarded by lock */
    enum cache_adopt adopt_how; /* guarded by lock */
    struct order *order;        /* NULL until needed, then constant; guarded by lock */
    uint64_t serial;            /* the last one of a member; guarded by lock */
    uint32_t prefetch_next;     /* place in order to go on from; guarded by lock */
    bool is_prefetching;        /* guarded by lock */
    unsigned background_jobs;   /* of transfer_start_from_locked; guarded by lock */
};

/* Is all of it complete? */
bool archive_state_is_complete_locked(struct archive *archive) REQUIRES(archive->lock);

/* The member if it arrives, else NULL. */
struct member *archive_state_member_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock);

/* Is the member absent, with nobody at it, and may it be tried? */
bool archive_state_may_fetch_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock);

/* How its bytes come. */
enum member_order archive_state_order(const struct archive *archive, uint32_t index);

/* Is it held, and fits into memory easily, packed and unpacked? */
bool archive_state_is_small(const struct archive *archive, uint32_t index);

/* Is the object a file on this machine? false, too, while none was opened. */
bool archive_state_is_local_locked(struct archive *archive) REQUIRES(archive->lock);

/* Does somebody wait for bytes of a member at this moment? Takes the lock. */
bool archive_state_is_waited_for(struct archive *archive, const struct member *member);

/* A member from now on, with no job: its record says that it is absent and may be
 * tried. -ENOMEM. */
int archive_state_new_member_locked(struct archive *archive, uint32_t index,
                                    struct member **ret_member, struct error *err)
    REQUIRES(archive->lock);

/* Take it out of the table; member_free it. */
void archive_state_drop_member_locked(struct archive *archive, struct member *member)
    REQUIRES(archive->lock);

/* Note or forget why a member failed. */
void archive_state_note_failure_locked(struct archive *archive, uint32_t index,
                                       const struct error *err) REQUIRES(archive->lock);
void archive_state_forget_failure_locked(struct archive *archive, uint32_t index)
    REQUIRES(archive->lock);

/* Set a member's record and the sums that hang on it. */
void archive_state_set_record_locked(struct archive *archive, uint32_t index,
                                     const struct tree_record *record)
    REQUIRES(archive->lock);

/* Read the records from disk, then compare what audmodel put at the final path. */
int archive_state_load(struct archive *archive, struct error *err);

/* Note the members that audmodel put at the final path. true: all have the size of the
 * table. */
bool archive_state_adopt_foreign(struct archive *archive);

/* The table and records of an archive, all members absent; the cache's reference is the
 * caller's. Takes toc and tree, also on failure. */
int archive_state_new(struct cache *cache, struct resolver *resolver,
                      const struct release *release, struct toc *take_toc,
                      struct tree *take_tree, struct archive **ret_archive,
                      struct error *err);

/* The last reference is gone and it is in no list. Accepts NULL. */
void archive_state_free(struct archive *archive);

#endif
