/* opening.c: from a release to its open archive; many askers cost one opening. */
#include "cache/opening.h"

#include "cache/archive_state.h"
#include "cache/complete.h"
#include "cache/evict.h"
#include "cache/inventory.h"
#include "cache/layout.h"
#include "cache/registry.h"
#include "cache/source.h"
#include "cache/toc_file.h"
#include "cache/toc_folder.h"
#include "cache/toc_read.h"
#include "cache/tree_open.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    LOOK_MS = 100,         /* how late those who wait notice that nobody answers */
    FOUND_KEPT_MS = 30000, /* what was served as found: then the archive is asked again */
    POOL_QUEUE_MAX = 16384,
};

/* One opening that runs; the others wait for its result. */
struct opening {
    TAILQ_ENTRY(opening) link; /* guarded by cache->lock, as all below */
    struct release release;
    unsigned users;
    bool is_done;
    int rc;
    struct error err;
    struct archive *archive;
};

static int workers_of(struct cache *cache, unsigned repository,
                      struct workers **ret_workers, struct error *err)
{
    int rc = 0;

    lock_acquire(&cache->lock);
    if (repository >= cache->pool_count) {
        size_t count = repository + 1;
        struct workers **pools = xcalloc(count, sizeof(*pools));

        for (size_t i = 0; i < cache->pool_count; i++)
            pools[i] = cache->pools[i];
        free(cache->pools);
        cache->pools = pools;
        cache->pool_count = count;
    }
    if (!cache->pools[repository])
        rc = workers_open(&(struct workers_options){.name = "transfer",
                                                    .threads = cache->threads,
                                                    .queue_max = POOL_QUEUE_MAX},
                          &cache->pools[repository], err);
    *ret_workers = cache->pools[repository];
    lock_release(&cache->lock);
    return rc;
}

/* Takes toc and tree, also on failure. */
static int make_archive(struct cache *cache, struct resolver *resolver,
                        const struct release *release, struct toc *take_toc,
                        struct tree *take_tree, struct archive **ret_archive,
                        struct error *err)
{
    struct archive *archive = NULL;
    int rc =
        archive_state_new(cache, resolver, release, take_toc, take_tree, &archive, err);

    if (rc == 0)
        rc = workers_of(cache, release->repository, &archive->workers, err);
    if (rc == 0 && archive->tree)
        rc = archive_state_load(archive, err);
    if (rc < 0) {
        archive_state_free(archive);
        return rc;
    }
    *ret_archive = archive;
    return 0;
}

/* The table that was read last from the archive. */
struct newest {
    const struct store *store;
    char digest[TOC_DIGEST_SIZE];
    struct timespec time;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static int take_newest(void *arg, const struct inventory_tree *tree, struct error *err)
{
    struct newest *newest = arg;
    CLEANUP_FREE char *folder = layout_tree(tree->id, tree->version, tree->digest);
    CLEANUP_FREE char *path = xasprintf("%s/toc", folder);
    struct stat st;

    (void)err;
    if (fstatat(newest->store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        is_before(&st.st_mtim, &newest->time))
        return 0;
    newest->time = st.st_mtim;
    snprintf(newest->digest, sizeof(newest->digest), "%s", tree->digest);
    return 0;
}

/* A check may have failed on an object that was repaired since. */
static bool has_failures(struct archive *archive)
{
    bool has_failures = false;

    lock_acquire(&archive->lock);
    for (uint32_t i = 0; !has_failures && i < toc_count(archive->toc); i++)
        has_failures = archive->records[i].failures > 0;
    lock_release(&archive->lock);
    return has_failures;
}

/* With the saved table nothing is asked. -ENOENT: none is saved. */
static int open_saved(struct cache *cache, struct resolver *resolver,
                      const struct release *release, struct archive **ret_archive,
                      struct error *err)
{
    struct newest newest = {.store = &cache->store};
    struct tree *tree = NULL;
    struct toc *toc = NULL;
    struct object *object;
    int rc = inventory_trees(&cache->store, release->id, release->version, take_newest,
                             &newest, err);

    if (rc < 0)
        return rc;
    if (newest.digest[0] == '\0')
        return fail(err, ENOENT, "no table of contents is saved");
    CLEANUP_FREE char *folder = layout_tree(release->id, release->version, newest.digest);
    CLEANUP_FREE char *path = xasprintf("%s/toc", folder);
    rc = toc_file_load(cache->store.root_fd, path, &toc, err);
    if (rc < 0)
        return fail(err, ENOENT, "no readable table of contents is saved");
    rc = tree_open(&cache->store, release->id, release->version, toc, &tree, err);
    if (rc < 0) {
        toc_free(toc);
        return rc;
    }
    rc = make_archive(cache, resolver, release, toc, tree, ret_archive, err);
    if (rc == 0 && has_failures(*ret_archive)) /* without an answer they stay failed */
        (void)source_get(*ret_archive, &object, &(struct error){0});
    return rc;
}

/* Date the table after those that were read before, whatever the clock says: it is moved,
 * and two files of one moment have the same time. */
static int make_newest(const struct newest *before, const char *path, struct error *err)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = before->time.tv_sec + 1}};
    int root_fd = before->store->root_fd;
    struct stat st;

    if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "stat '%s'", path);
    if (is_before(&before->time, &st.st_mtim))
        return 0;
    return utimensat(root_fd, path, times, AT_SYMLINK_NOFOLLOW) < 0
               ? fail_errno(err, "date '%s'", path)
               : 0;
}

/* From now on the saved table is used, which takes no memory of its own. */
static int save_table(struct cache *cache, const struct release *release,
                      struct tree *tree, struct toc **toc, struct object *object,
                      struct error *err)
{
    CLEANUP_FREE char *path = xasprintf("%s/toc", tree->path);
    struct newest before = {.store = &cache->store};
    struct toc *mapped = NULL;
    int rc = inventory_trees(&cache->store, release->id, release->version, take_newest,
                             &before, err);

    if (rc == 0)
        rc = toc_file_save(cache->store.root_fd, path, *toc, err);
    if (rc == 0)
        rc = make_newest(&before, path, err);
    if (rc == 0)
        rc = toc_file_load(cache->store.root_fd, path, &mapped, err);
    if (rc < 0)
        return rc;
    toc_free(*toc);
    *toc = mapped;
    return source_note(tree, object, err);
}

/* Two requests at most, beyond the header: one unless the directory is large. */
static int open_fetched(struct cache *cache, struct resolver *resolver,
                        const struct release *release, struct archive **ret_archive,
                        struct error *err)
{
    CLEANUP_OBJECT struct object *object = NULL;
    CLEANUP_BYTES struct bytes tail;
    struct tree *tree = NULL;
    struct toc *toc = NULL;
    int rc;

    bytes_init(&tail, TOC_READ_TAIL);
    rc = source_open(cache, resolver, release, &tail, &object, err);
    if (rc == 0)
        rc = toc_read(object, &tail, &toc, err);
    if (rc < 0)
        return rc;
    rc = tree_open(&cache->store, release->id, release->version, toc, &tree, err);
    if (rc == 0)
        rc = save_table(cache, release, tree, &toc, object, err);
    if (rc < 0) {
        tree_close(tree);
        toc_free(toc);
        return rc;
    }
    rc = make_archive(cache, resolver, release, toc, tree, ret_archive, err);
    if (rc == 0)
        (*ret_archive)->object = steal_ptr(&object);
    return rc;
}

/* What audmodel unpacked, and nobody can say what it should be. */
static int open_found(struct cache *cache, struct resolver *resolver,
                      const struct release *release, struct archive **ret_archive,
                      struct error *err)
{
    CLEANUP_FREE char *path = layout_path(release->id, release->version, LAYOUT_MODEL);
    static const struct tree_record foreign = {.state = TREE_FOREIGN};
    struct archive *archive = NULL;
    struct toc *toc = NULL;
    int rc = store_has_files(&cache->store, path, err);
    CLEANUP_CLOSE int fd = -1;

    if (rc <= 0)
        return rc < 0 ? rc : fail(err, ENOENT, "'%s' is not in the cache folder", path);
    fd = files_open_beneath(cache->store.root_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
    rc = fd < 0 ? fd : toc_folder_read(fd, &toc, err);
    if (rc == 0)
        rc = make_archive(cache, resolver, release, toc, NULL, &archive, err);
    if (rc < 0)
        return rc;
    lock_acquire(&archive->lock);
    for (uint32_t i = 0; i < toc_count(toc); i++)
        archive_state_set_record_locked(archive, i, &foreign);
    archive->is_foreign = true;
    archive->is_final = true;
    lock_release(&archive->lock);
    *ret_archive = archive;
    return 0;
}

static int open_one(struct cache *cache, struct resolver *resolver,
                    const struct release *release, struct archive **ret_archive,
                    struct error *err)
{
    struct error ignored = {0};
    bool is_complete;
    int rc = -ENOENT;

    if (!registry_has_replaced(cache, release))
        rc = open_saved(cache, resolver, release, ret_archive, &ignored);
    if (rc < 0)
        rc = open_fetched(cache, resolver, release, ret_archive, err);
    if ((rc == -ENOSPC || rc == -EDQUOT) &&
        evict_make_room(cache, 1, EVICT_ASKED, &ignored) == 0)
        rc = open_fetched(cache, resolver, release, ret_archive, err);
    if (rc < 0 && rc != -EBADMSG &&
        open_found(cache, resolver, release, ret_archive, &ignored) == 0)
        rc = 0;
    if (rc < 0)
        return rc;
    lock_acquire(&(*ret_archive)->lock);
    is_complete =
        archive_state_is_complete_locked(*ret_archive) && !(*ret_archive)->is_final;
    lock_release(&(*ret_archive)->lock);
    if (is_complete) /* its process died before it came to that */
        complete_later(*ret_archive);
    return 0;
}

static struct opening *find_opening_locked(struct cache *cache,
                                           const struct release *release)
    REQUIRES(cache->lock)
{
    struct opening *opening;

    TAILQ_FOREACH(opening, &cache->openings, link) {
        if (release_is_same(&opening->release, release))
            return opening;
    }
    return NULL;
}

/* Open it, for all that wait. */
static void run_opening_locked(struct cache *cache, struct resolver *resolver,
                               struct opening *opening) REQUIRES(cache->lock)
{
    TAILQ_INSERT_TAIL(&cache->openings, opening, link);
    lock_release(&cache->lock);
    opening->rc =
        open_one(cache, resolver, &opening->release, &opening->archive, &opening->err);
    lock_acquire(&cache->lock);
    if (opening->rc == 0)
        registry_add_locked(cache, opening->archive);
    TAILQ_REMOVE(&cache->openings, opening, link);
    opening->is_done = true;
    condition_broadcast(&cache->opened);
}

static int take_result_locked(struct opening *opening, struct archive **ret_archive,
                              struct error *err)
{
    int rc = opening->rc;

    if (rc == 0)
        *ret_archive = registry_ref(opening->archive);
    else
        *err = opening->err;
    return rc;
}

/* For the result of another's opening; not for longer than somebody answers, since each
 * that waits keeps a thread from others. */
static int wait_locked(struct cache *cache, struct resolver *resolver,
                       const struct opening *opening, struct error *err)
    REQUIRES(cache->lock)
{
    while (!opening->is_done) {
        lock_release(&cache->lock);
        bool is_down = resolver_is_down(resolver, opening->release.repository);
        lock_acquire(&cache->lock);
        if (is_down && !opening->is_done)
            return fail(err, ETIMEDOUT, "its repository does not answer");
        if (!opening->is_done)
            (void)condition_wait_until(&cache->opened, &cache->lock,
                                       clock_now_ms() + LOOK_MS);
    }
    return 0;
}

/* An archive served as found is asked for again after a while. */
static bool is_good(const struct archive *archive)
{
    return archive->tree || clock_now_ms() - archive->opened_ms < FOUND_KEPT_MS;
}

int opening_archive(struct cache *cache, struct resolver *resolver,
                    const struct release *release, struct archive **ret_archive,
                    struct error *err)
{
    struct archive *known, *spent = NULL;
    struct opening *opening;
    int rc = layout_check(release->id, release->version, err);

    if (rc < 0)
        return rc;
    lock_acquire(&cache->lock);
    known = registry_find_locked(cache, release, NULL);
    if (known && is_good(known)) {
        lock_release(&cache->lock);
        *ret_archive = known;
        return 0;
    }
    opening = find_opening_locked(cache, release);
    if (!opening) {
        opening = XNEW(struct opening);
        opening->release = *release;
        opening->users = 1;
        run_opening_locked(cache, resolver, opening);
    } else {
        opening->users++;
        rc = wait_locked(cache, resolver, opening, err);
    }
    if (rc == 0)
        rc = take_result_locked(opening, ret_archive, err);
    if (--opening->users == 0) {
        spent = opening->archive; /* the opening's own reference */
        free(opening);
    }
    lock_release(&cache->lock);
    registry_release(known);
    registry_release(spent);
    return rc;
}
