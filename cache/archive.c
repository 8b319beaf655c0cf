/* archive.c: one version of a model being served: what is there, what is asked for. */
#include "cache/archive.h"

#include "cache/archive_state.h"
#include "cache/internal.h"
#include "cache/layout.h"
#include "cache/prefetch.h"
#include "cache/registry.h"
#include "cache/transfer.h"
#include "cache/tree_member.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { OPEN_TRIES = 5 }; /* a file moves from arriving to complete meanwhile */

struct archive *archive_ref(struct archive *archive)
{
    return registry_ref(archive);
}

void archive_unref(struct archive *archive)
{
    registry_release(archive);
}

const struct toc *archive_toc(const struct archive *archive)
{
    return archive->toc;
}

enum member_state archive_member_state(struct archive *archive, uint32_t index)
{
    enum member_state state = MEMBER_ABSENT;
    struct member *member;

    lock_acquire(&archive->lock);
    if (tree_record_is_there(&archive->records[index])) {
        state = MEMBER_COMPLETE;
    } else {
        member = archive_state_member_locked(archive, index);
        if (member && (member->has_job || member_is_started(member)))
            state = MEMBER_ARRIVING;
    }
    lock_release(&archive->lock);
    return state;
}

static int check_kind(struct archive *archive, uint32_t index, struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);

    if (entry->kind != TOC_FILE)
        return fail(err, EISDIR, "'%s' is a folder", toc_name(archive->toc, index));
    if (entry->method == TOC_UNSUPPORTED)
        return fail(err, ENOTSUP,
                    "'%s' of model %s-%s is encrypted or packed by a method that "
                    "cannot be read (only stored and deflated can)",
                    toc_name(archive->toc, index), archive->release.id,
                    archive->release.version);
    return 0;
}

/* May this attempt still be taken part in? */
static int check_generation_locked(struct archive *archive, uint32_t index,
                                   uint32_t generation, struct error *err)
    REQUIRES(archive->lock)
{
    const struct tree_record *record = &archive->records[index];
    const char *name = toc_name(archive->toc, index);

    if (generation != ARCHIVE_GENERATION_NEW && generation != record->failed + 1)
        return fail(err, EIO, "'%s' of model %s-%s %s since it was opened; open it again",
                    name, archive->release.id, archive->release.version,
                    archive->is_replaced ? "was replaced" : "failed its check");
    if (tree_record_is_there(record))
        return 0;
    if (record->failures >= MEMBER_FAILURES_MAX)
        return fail(err, EIO,
                    "'%s' of model %s-%s is damaged in the archive: it failed its check "
                    "%d times",
                    name, archive->release.id, archive->release.version,
                    record->failures);
    if (archive->is_replaced)
        return fail(err, ESTALE, "the archive of model %s-%s was replaced by another one",
                    archive->release.id, archive->release.version);
    return 0;
}

static int want_locked(struct archive *archive, uint32_t index, struct waiter *wish,
                       struct error *err) REQUIRES(archive->lock)
{
    struct member *member = archive_state_member_locked(archive, index);
    int rc = 0;

    if (!member)
        rc = archive_state_new_member_locked(archive, index, &member, err);
    if (rc < 0)
        return rc;
    if (!wish->wants_all && member_has(member, wish->first, wish->end))
        return 1;
    if (!member->has_job || member->turn == MEMBER_LATER)
        rc = transfer_start_locked(archive, member, err);
    if (rc < 0) {
        if (!member->has_job && !member_is_started(member)) {
            archive_state_drop_member_locked(archive, member);
            member_free(member);
        }
        return rc;
    }
    member_wait(member, wish);
    return 0;
}

static struct waiter make_wish(uint64_t member_size, uint64_t offset, uint64_t size)
{
    struct waiter wish = {
        .first = offset < member_size ? offset : member_size,
        .wants_all = size == ARCHIVE_WHOLE,
    };

    wish.end = size < member_size - wish.first ? wish.first + size : member_size;
    return wish;
}

bool archive_has(struct archive *archive, uint32_t index, uint64_t offset, uint64_t size,
                 uint32_t *generation)
{
    struct waiter wish = make_wish(toc_entry(archive->toc, index)->size, offset, size);
    struct error ignored = {0}; /* archive_want will say it */
    struct member *member;
    bool has = false;

    lock_acquire(&archive->lock);
    if (check_generation_locked(archive, index, *generation, &ignored) == 0) {
        member = archive_state_member_locked(archive, index);
        has = tree_record_is_there(&archive->records[index]) ||
              (member && !wish.wants_all && member_has(member, wish.first, wish.end));
    }
    if (has)
        *generation = archive->records[index].failed + 1;
    lock_release(&archive->lock);
    return has;
}

int archive_want(struct archive *archive, uint32_t index, uint64_t offset, uint64_t size,
                 uint32_t *generation, archive_done *done, void *arg, struct error *err)
{
    struct waiter wish = make_wish(toc_entry(archive->toc, index)->size, offset, size);
    int rc = check_kind(archive, index, err);

    wish.since_ms = clock_now_ms();
    wish.done = done;
    wish.arg = arg;
    lock_acquire(&archive->lock);
    if (rc == -ENOTSUP)
        archive_state_note_failure_locked(archive, index, err);
    if (rc == 0)
        rc = check_generation_locked(archive, index, *generation, err);
    if (rc == 0)
        rc = tree_record_is_there(&archive->records[index])
                 ? 1
                 : want_locked(archive, index, &wish, err);
    if (rc >= 0)
        *generation = archive->records[index].failed + 1;
    if (rc == 0)
        prefetch_start_locked(archive);
    lock_release(&archive->lock);
    return rc;
}

/* A complete member is not where it was: somebody removed it from the cache folder. It is
 * absent from now on, and can be fetched again. */
static void lose_member(struct archive *archive, uint32_t index)
{
    struct error err = {0};
    struct tree_record record;

    if (!archive->tree)
        return;
    lock_acquire(&archive->lock);
    record = archive->records[index];
    record.state = TREE_ABSENT;
    archive_state_set_record_locked(archive, index, &record);
    archive->is_final = false;
    if (!tree_is_there(archive->tree))
        archive->is_replaced =
            true; /* all of it went: the next opening makes a new one */
    lock_release(&archive->lock);
    /* On failure the next process finds out by itself, as we did. */
    (void)tree_member_forget(archive->tree, index, toc_entry(archive->toc, index)->size,
                             &record, &err);
    (void)tree_forget_move(archive->tree, &err);
}

/* As found at the final path, offline. */
static int open_found(struct archive *archive, const char *path, struct error *err)
{
    const struct release *release = &archive->release;
    CLEANUP_FREE char *model = layout_path(release->id, release->version, LAYOUT_MODEL);
    CLEANUP_FREE char *full = xasprintf("%s/%s", model, path);

    return files_open_beneath(archive->cache->store.root_fd, full, O_RDONLY | O_NOFOLLOW,
                              0, err);
}

/* A complete member of another size was cut by somebody: that one is not ours any more.
 */
static int open_complete(struct archive *archive, uint32_t index, const char *path,
                         struct error *err)
{
    CLEANUP_CLOSE int fd = archive->tree ? tree_member_open(archive->tree, path, err)
                                         : open_found(archive, path, err);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return fail_errno(err, "stat '%s'", path);
    if (!S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size != toc_entry(archive->toc, index)->size)
        return fail(err, ENOENT, "'%s' was changed in the cache folder", path);
    return steal_fd(&fd);
}

static int open_in_state(struct archive *archive, uint32_t index, enum member_state state,
                         struct error *err)
{
    char path[TOC_PATH_MAX + 1];

    toc_path(archive->toc, index, path);
    if (state == MEMBER_ABSENT)
        return fail(err, ENOENT, "nothing of '%s' is in the cache", path);
    return state == MEMBER_COMPLETE ? open_complete(archive, index, path, err)
                                    : tree_member_arriving(archive->tree, index, err);
}

int archive_fd(struct archive *archive, uint32_t index, uint32_t generation,
               struct error *err)
{
    for (int tries = 1;; tries++) {
        enum member_state state = archive_member_state(archive, index);
        CLEANUP_CLOSE int fd = open_in_state(archive, index, state, err);
        struct error ended = {0};
        int rc;

        /* Afterwards: what was opened may be the file of the next attempt. */
        lock_acquire(&archive->lock);
        rc = check_generation_locked(archive, index, generation, &ended);
        lock_release(&archive->lock);
        if (rc < 0) {
            *err = ended;
            return rc;
        }
        if (fd != -ENOENT || state == MEMBER_ABSENT)
            return steal_fd(&fd);
        if (state == MEMBER_COMPLETE)
            lose_member(archive, index);
        if (tries == OPEN_TRIES)
            return fd;
    }
}

uint64_t archive_cached_bytes(struct archive *archive)
{
    uint64_t bytes;

    lock_acquire(&archive->lock);
    bytes = archive->complete_bytes;
    lock_release(&archive->lock);
    return bytes;
}

/* One line for @info/verdict:
 *     ok: verified                                 all checked against the archive
 *     ok: unverified, unpacked by audmodel         names and sizes agree
 *     ok: verified, unpacked by audmodel           `modelfs cache verify` has read it
 *     ok: partly cached, 3 of 7 files verified
 *     damaged: path: sentence                      the last failed check */
int archive_print_verdict(struct archive *archive, struct bytes *to, struct error *err)
{
    char path[TOC_PATH_MAX + 1];
    const struct failure *failure, *damage = NULL;
    int rc;

    lock_acquire(&archive->lock);
    TAILQ_FOREACH(failure, &archive->failures, link) {
        if (archive->records[failure->index].failures > 0)
            damage = failure;
    }
    if (damage) {
        toc_path(archive->toc, damage->index, path);
        rc = bytes_printf(to, err, "damaged: %s: %s\n", path, damage->err.message);
    } else if (archive->is_foreign) {
        rc = bytes_printf(to, err, "ok: %s, unpacked by audmodel\n",
                          archive->is_attested ? "verified" : "unverified");
    } else if (archive->complete_count == toc_file_count(archive->toc)) {
        rc = bytes_printf(to, err, "ok: verified\n");
    } else {
        rc = bytes_printf(to, err, "ok: partly cached, %u of %u files verified\n",
                          archive->complete_count, toc_file_count(archive->toc));
    }
    lock_release(&archive->lock);
    return rc;
}

int archive_print_errors(struct archive *archive, struct bytes *to, struct error *err)
{
    char path[TOC_PATH_MAX + 1];
    const struct failure *failure;
    int rc = 0;

    lock_acquire(&archive->lock);
    TAILQ_FOREACH(failure, &archive->failures, link) {
        toc_path(archive->toc, failure->index, path);
        rc = bytes_printf(to, err, "%s: %s\n", failure->index ? path : ".",
                          failure->err.message);
        if (rc < 0)
            break;
    }
    lock_release(&archive->lock);
    return rc;
}
