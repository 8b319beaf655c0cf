/* evict.c: brings the cache back under its size; never touches what is in use. */
#include "cache/evict.h"

#include "cache/documents_clean.h"
#include "cache/inventory.h"
#include "cache/layout.h"
#include "cache/model_lock.h"
#include "cache/registry.h"
#include "cache/tree_open.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum {
    TRIES_MAX = 3,     /* a transfer ends, then the move that its end began */
    PAUSE_MS_MIN = 10, /* between looks at what other processes use */
    PAUSE_MS_MAX = 160,
    OTHERS_MS_MAX = 2000, /* in which what they just closed is let go (registry.c) */
    VAIN_SHARE = 4,       /* of the time of a stall: so long a look in vain counts */
};

struct candidate {
    char id[MODEL_ID_SIZE];
    char version[VERSION_SIZE];
    char digest[TOC_DIGEST_SIZE];
    uint64_t bytes;
    int64_t used_ns;
    bool is_partial;
};

struct candidates {
    struct candidate *list;
    size_t count, capacity;
    uint64_t bytes;
};

static int add_candidate(void *arg, const struct inventory_tree *tree, struct error *err)
{
    struct candidates *candidates = arg;
    struct candidate *candidate;

    if (candidates->count == candidates->capacity) {
        size_t capacity = candidates->capacity ? 2 * candidates->capacity : 64;
        struct candidate *list =
            reallocarray(candidates->list, capacity, sizeof(*candidates->list));

        if (!list)
            return fail(err, ENOMEM, "no memory for the list of cached models");
        candidates->list = list;
        candidates->capacity = capacity;
    }
    candidate = &candidates->list[candidates->count++];
    snprintf(candidate->id, sizeof(candidate->id), "%s", tree->id);
    snprintf(candidate->version, sizeof(candidate->version), "%s", tree->version);
    snprintf(candidate->digest, sizeof(candidate->digest), "%s", tree->digest);
    candidate->bytes = tree->header.bytes;
    candidate->is_partial = !tree->is_moved;
    candidate->used_ns = tree->used_ns;
    candidates->bytes += candidate->bytes;
    return 0;
}

static int by_last_use(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    return (a->used_ns > b->used_ns) - (a->used_ns < b->used_ns);
}

/* The whole folder vanishes by one rename before it is emptied, so that nobody opens a
 * half-removed tree. */
static int remove_tree(struct cache *cache, const struct candidate *candidate,
                       struct tree *tree, struct error *err)
{
    const struct store *store = &cache->store;
    CLEANUP_FREE char *away = NULL;
    char name[RANDOM_NAME_SIZE];
    int rc = random_name(name, err);

    if (rc == 0)
        rc = files_make_folders_beneath(store->root_fd, LAYOUT_REMOVED, 0777, err);
    if (rc < 0)
        return rc;
    away = xasprintf(LAYOUT_REMOVED "/%s-%s-%s", candidate->id, candidate->digest, name);
    if (renameat(store->root_fd, tree->path, store->root_fd, away) < 0)
        rc = fail_errno(err, "rename '%s'", tree->path);
    FAULT("cache.evict.before-remove");
    return rc < 0 ? rc : files_remove_tree(store->root_fd, away, err);
}

/* The tree goes back from its final path into its own folder, under audmodel's lock. */
static int take_back(struct cache *cache, const struct candidate *candidate,
                     struct tree *tree, struct error *err)
{
    const struct store *store = &cache->store;
    CLEANUP_FREE char *lock =
        layout_lock(candidate->id, candidate->version, LAYOUT_MODEL);
    struct tree_header header;
    int lock_fd = -1;
    int rc = tree_read_header(tree, &header, err);

    if (rc < 0 || !tree_is_final_ours(tree, &header))
        return rc;
    rc = model_lock_acquire(store->root_fd, lock, TREE_TRY, &lock_fd, err);
    if (rc < 0)
        return rc;
    FAULT("cache.evict.before-rename");
    if (renameat2(store->root_fd, tree->final_path, tree->folder_fd, "files",
                  RENAME_NOREPLACE) < 0)
        rc = fail_errno(err, "rename '%s'", tree->final_path);
    FAULT("cache.evict.after-rename");
    model_lock_release(lock_fd);
    return rc;
}

/* What keeps a version from being evicted. */
enum user {
    USER_NONE,
    USER_US,
    USER_OTHER,
    USER_MOVER, /* another process moves it to its place: that ends by itself */
};

static enum user find_user(struct cache *cache, const struct candidate *candidate,
                           const struct tree *tree)
{
    return registry_is_used(cache, candidate->id, candidate->version) ? USER_US
           : tree_is_locked(tree, TREE_LOCK_MOVE)                     ? USER_MOVER
                                                                      : USER_OTHER;
}

/* What is in use, or fails, stays. What another process removed meanwhile is gone. */
static int evict_one(struct cache *cache, const struct candidate *candidate,
                     enum user *ret_user, struct error *err)
{
    CLEANUP_TREE struct tree *tree = NULL;
    int rc;

    *ret_user = USER_NONE;
    registry_close_idle(cache, candidate->id, candidate->version);
    rc = tree_open_existing(&cache->store, candidate->id, candidate->version,
                            candidate->digest, &tree, err);
    if (rc == -ENOENT)
        return 0;
    if (rc == 0)
        rc = tree_lock_alone(tree, err);
    if (rc == -EAGAIN && tree)
        *ret_user = find_user(cache, candidate, tree);
    if (rc == 0 && !tree_is_there(tree))
        return 0; /* what lies there by now is another one, perhaps in use */
    if (rc == 0)
        rc = take_back(cache, candidate, tree, err);
    return rc < 0 ? rc : remove_tree(cache, candidate, tree, err);
}

/* What an eviction is for, and what came of it. */
struct goal {
    uint64_t keep;   /* no more than so many bytes may be left, */
    uint64_t wanted; /* and at least so many must be freed */
    uint64_t freed, left;
    enum user user; /* the one of all users that is most worth waiting for */
    bool is_once;   /* what others are about to let go is not waited for */
};

static int try_goal(struct cache *cache, struct goal *goal, struct error *err)
{
    struct candidates candidates = {0};
    struct error ignored = {0}; /* what cannot go now stays */
    enum user user;
    int rc = inventory_trees(&cache->store, NULL, NULL, add_candidate, &candidates, err);

    if (rc == 0 && candidates.count > 0)
        qsort(candidates.list, candidates.count, sizeof(*candidates.list), by_last_use);
    goal->left = candidates.bytes;
    goal->user = USER_NONE;
    for (size_t i = 0; rc == 0 && i < candidates.count; i++) {
        if (goal->left <= goal->keep && goal->freed >= goal->wanted)
            break;
        if (evict_one(cache, &candidates.list[i], &user, &ignored) == 0) {
            goal->left -= candidates.list[i].bytes;
            goal->freed += candidates.list[i].bytes;
        }
        if (user > goal->user)
            goal->user = user;
    }
    free(candidates.list);
    if (rc == 0 && (goal->left > goal->keep || goal->freed < goal->wanted))
        rc = fail(err, ENOSPC, "the cache folder '%s' is full and all of it is in use",
                  cache->store.root);
    return rc;
}

/* How long others are waited for. */
struct patience {
    int64_t deadline_ms; /* earlier than those give up who want the room: to hear of it */
    int64_t others_ms;   /* until then what others use may be let go */
    int64_t pause_ms;    /* before the next look */
};

/* Other processes tell nobody that they let go: look again after a while. false: there is
 * nothing to wait for any more. */
static bool await_others(enum user user, struct patience *patience)
{
    int64_t now_ms = clock_now_ms();

    if (user == USER_MOVER) /* and lets go behind that */
        patience->others_ms = now_ms + OTHERS_MS_MAX;
    if (user < USER_OTHER || now_ms >= patience->deadline_ms ||
        now_ms >= patience->others_ms)
        return false;
    clock_sleep_ms(patience->pause_ms);
    if (patience->pause_ms < PAUSE_MS_MAX)
        patience->pause_ms *= 2;
    return true;
}

/* What is in use only because somebody is about to end with it can go as soon as he
 * has. */
static int evict(struct cache *cache, struct goal *goal, struct error *err)
{
    int64_t now_ms = clock_now_ms();
    struct patience patience = {now_ms + cache->stall_ms / 2, now_ms + OTHERS_MS_MAX,
                                PAUSE_MS_MIN};
    uint64_t ended;
    int rc, tries = 0;

    do {
        ended = registry_work_ended(cache);
        rc = try_goal(cache, goal, err);
    } while (rc == -ENOSPC && !goal->is_once &&
             ((++tries < TRIES_MAX &&
               registry_work_await(cache, ended, patience.deadline_ms)) ||
              await_others(goal->user, &patience)));
    return rc;
}

int evict_release(struct cache *cache, const char *id, const char *version,
                  struct error *err)
{
    struct candidates candidates = {0};
    enum user user;
    int rc = inventory_trees(&cache->store, id, version, add_candidate, &candidates, err);

    for (size_t i = 0; rc == 0 && i < candidates.count; i++)
        rc = evict_one(cache, &candidates.list[i], &user, err);
    free(candidates.list);
    return rc;
}

int evict_unused(struct cache *cache, enum evict_what what, struct evict_sum *ret_sum,
                 struct error *err)
{
    struct candidates candidates = {0};
    int rc = inventory_trees(&cache->store, NULL, NULL, add_candidate, &candidates, err);

    *ret_sum = (struct evict_sum){0};
    for (size_t i = 0; rc == 0 && i < candidates.count; i++) {
        const struct candidate *candidate = &candidates.list[i];
        struct error ignored = {0}; /* counted as kept */
        enum user user;

        if (what == EVICT_PARTIAL && !candidate->is_partial)
            continue;
        if (evict_one(cache, candidate, &user, &ignored) == 0) {
            ret_sum->freed++;
            ret_sum->freed_bytes += candidate->bytes;
        } else {
            ret_sum->kept++;
            ret_sum->kept_bytes += candidate->bytes;
        }
    }
    free(candidates.list);
    return rc == 0 && what == EVICT_ALL
               ? documents_clean(&cache->store, &ret_sum->documents, err)
               : rc;
}

/* true: it fits, as far as anybody knows; counted. */
static bool fits(struct cache *cache, uint64_t bytes)
{
    bool fits;

    lock_acquire(&cache->evict_lock);
    fits = cache->is_usage_right && usage_take(&cache->usage, bytes, cache->size);
    lock_release(&cache->evict_lock);
    return fits;
}

/* Evict, and let all processes know what is there then, with what comes. */
static int evict_counted(struct cache *cache, struct goal *goal, uint64_t coming,
                         struct error *err)
{
    uint64_t added_before;
    int rc;

    lock_acquire(&cache->evict_lock);
    added_before = usage_added(&cache->usage);
    lock_release(&cache->evict_lock);
    rc = evict(cache, goal, err);
    if (rc < 0 && rc != -ENOSPC)
        return rc; /* not all of it was seen */
    lock_acquire(&cache->evict_lock);
    usage_set(&cache->usage, added_before, goal->left, rc == 0 ? coming : 0);
    cache->is_usage_right = true;
    lock_release(&cache->evict_lock);
    return rc;
}

bool evict_was_in_vain(struct cache *cache)
{
    bool was_in_vain;

    lock_acquire(&cache->evict_lock);
    was_in_vain = clock_now_ms() < cache->vain_until_ms;
    lock_release(&cache->evict_lock);
    return was_in_vain;
}

static int fail_in_vain(struct cache *cache, struct error *err)
{
    return fail(err, ENOSPC, "a moment ago all of the cache folder '%s' was in use",
                cache->store.root);
}

/* Of a thread that waited until it may evict. */
struct turn {
    uint64_t rooms; /* how often room was made before it waited */
    bool is_vain;   /* another thread looked in vain meanwhile */
};

/* One thread evicts at a time: what another one is about to remove looks as if it were in
 * use. */
static struct turn take_turn(struct cache *cache)
{
    struct turn turn;
    uint64_t looks;

    lock_acquire(&cache->evict_lock);
    turn.rooms = cache->rooms_made;
    looks = cache->vain_looks;
    while (cache->is_evicting)
        condition_wait(&cache->evicted, &cache->evict_lock);
    cache->is_evicting = true;
    turn.is_vain = cache->vain_looks != looks;
    lock_release(&cache->evict_lock);
    return turn;
}

/* rc: what came of it. true: another thread made room since take_turn was called, or this
 * one did. */
static bool end_turn(struct cache *cache, const struct turn *turn, int rc)
{
    bool is_made;

    lock_acquire(&cache->evict_lock);
    if (rc == 0) {
        cache->rooms_made++;
        cache->vain_until_ms = 0;
    } else if (rc == -ENOSPC) {
        cache->vain_looks++;
        cache->vain_until_ms = clock_now_ms() + cache->stall_ms / VAIN_SHARE;
    }
    is_made = cache->rooms_made != turn->rooms;
    cache->is_evicting = false;
    condition_broadcast(&cache->evicted);
    lock_release(&cache->evict_lock);
    return is_made;
}

/* Without a limit: for those that have one. */
static void count(struct cache *cache, uint64_t bytes)
{
    lock_acquire(&cache->evict_lock);
    usage_add(&cache->usage, bytes);
    lock_release(&cache->evict_lock);
}

int evict_reserve(struct cache *cache, uint64_t bytes, enum evict_for who,
                  struct error *err)
{
    struct goal goal = {.keep = cache->size - bytes};
    uint64_t limit = cache->size;
    struct turn turn;
    int rc = 0;

    if (limit == 0)
        count(cache, bytes);
    if (limit == 0 || fits(cache, bytes))
        return 0;
    if (bytes > limit)
        return fail(err, ENOSPC, "it has %ju bytes, more than cache.size allows (%ju)",
                    (uintmax_t)bytes, (uintmax_t)limit);
    if (who == EVICT_UNASKED && evict_was_in_vain(cache))
        return fail_in_vain(cache, err);
    turn = take_turn(cache);
    goal.is_once = who == EVICT_UNASKED || turn.is_vain;
    if (who == EVICT_UNASKED && turn.is_vain)
        rc = fail_in_vain(cache, err);
    else if (!fits(cache, bytes)) /* by now */
        rc = evict_counted(cache, &goal, bytes, err);
    (void)end_turn(cache, &turn, rc);
    return rc < 0 ? fail_context(err, rc, "cache.size is %ju", (uintmax_t)limit) : 0;
}

int evict_make_room(struct cache *cache, uint64_t bytes, enum evict_for who,
                    struct error *err)
{
    struct goal goal = {.keep = UINT64_MAX, .wanted = bytes};
    struct turn turn;
    int rc;

    if (who == EVICT_UNASKED && evict_was_in_vain(cache))
        return fail_in_vain(cache, err);
    turn = take_turn(cache);
    goal.is_once = who == EVICT_UNASKED || turn.is_vain;
    rc = cache->size > 0 ? evict_counted(cache, &goal, 0, err) : evict(cache, &goal, err);
    return end_turn(cache, &turn, rc) ? 0 : rc;
}

/* Left over again, it is removed at the next start. */
static int remove_left(void *arg, int folder_fd, const char *name, struct error *err)
{
    (void)arg;
    (void)files_remove_tree(folder_fd, name, err);
    return 0;
}

void evict_clean(struct cache *cache)
{
    int root_fd = cache->store.root_fd;
    struct error ignored = {0};

    /* The folder itself stays: another process may be about to move something there. And
     * on a full disk it could not be made any more, and nothing could be evicted. */
    if (files_make_folders_beneath(root_fd, LAYOUT_REMOVED, 0777, &ignored) < 0) {
        (void)files_remove_tree(root_fd, LAYOUT_REMOVED, &ignored); /* it is none */
        (void)files_make_folders_beneath(root_fd, LAYOUT_REMOVED, 0777, &ignored);
    }
    (void)files_list(root_fd, LAYOUT_REMOVED, remove_left, NULL, &ignored);
}
