/* attempt.c: one attempt at one member: its lock between processes, its record, its end.
 */
#include "cache/attempt.h"

#include "cache/checksum.h"
#include "cache/complete.h"
#include "cache/internal.h"
#include "cache/tree_member.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

/* A member that an unclean stop left: is it what we once verified? */
static int recheck(struct attempt *attempt, const char *path, struct error *err)
{
    struct tree *tree = attempt->archive->tree;
    uint64_t size = attempt->member->size;
    struct checksum *sum = checksum_new();
    CLEANUP_CLOSE int fd = tree_member_open(tree, path, err);
    struct stat st;
    int rc = fd < 0 ? fd : 0;

    if (rc == 0 && (fstat(fd, &st) < 0 || (uint64_t)st.st_size != size))
        rc = fail(err, EIO, "has not its size");
    if (rc == 0)
        rc = receive_hash(fd, 0, size, sum, err);
    if (rc == 0 && checksum_value(sum) != attempt->record.xxh3)
        rc = fail(err, EIO, "has not its checksum");
    checksum_free(sum);
    attempt->record.state = rc == 0 ? TREE_COMPLETE : TREE_ABSENT;
    return rc == 0
               ? tree_write_record(tree, attempt->member->index, &attempt->record, err)
               : tree_member_forget(tree, attempt->member->index, size, &attempt->record,
                                    err);
}

enum outcome attempt_land(struct attempt *attempt, int rc,
                          const struct received *received)
{
    struct archive *archive = attempt->archive;
    struct member *member = attempt->member;
    char path[TOC_PATH_MAX + 1];

    if (received->is_damaged)
        return OUTCOME_DAMAGED;
    if (rc < 0)
        return OUTCOME_FAILED;
    attempt->record.xxh3 = received->xxh3;
    attempt->record.state = TREE_COMPLETE;
    attempt->record.failures = 0;
    toc_path(archive->toc, member->index, path);
    rc = member->is_placed
             ? tree_member_note(archive->tree, member->index, member->size,
                                &attempt->record, &attempt->err)
             : tree_member_land(archive->tree, member->index, member->fd, path,
                                member->size, &attempt->record, &attempt->err);
    return rc < 0 ? OUTCOME_FAILED : OUTCOME_COMPLETE;
}

enum evict_for attempt_asks(struct attempt *attempt)
{
    attempt->is_asked = archive_state_is_waited_for(attempt->archive, attempt->member);
    return attempt->is_asked ? EVICT_ASKED : EVICT_UNASKED;
}

bool attempt_is_full(const struct attempt *attempt)
{
    return attempt->err.code == ENOSPC || attempt->err.code == EDQUOT;
}

/* The record on disk decides: another process may have been here. */
static enum outcome look(struct attempt *attempt)
{
    struct archive *archive = attempt->archive;
    struct member *member = attempt->member;
    struct error *err = &attempt->err;
    char path[TOC_PATH_MAX + 1];
    int rc = tree_read_record(archive->tree, member->index, &attempt->record, err);

    if (rc == 0 && attempt->record.state == TREE_UNCHECKED) {
        toc_path(archive->toc, member->index, path);
        rc = recheck(attempt, path, err);
    }
    if (rc < 0)
        return OUTCOME_FAILED;
    if (attempt->record.state == TREE_COMPLETE)
        return OUTCOME_COMPLETE;
    rc = evict_reserve(archive->cache, member->size, attempt_asks(attempt), err);
    return rc < 0 ? OUTCOME_FAILED : OUTCOME_READY;
}

/* Its writer's file grows: that is progress. */
static void watch_other(struct attempt *attempt)
{
    struct member *member = attempt->member;
    struct error err = {0};
    CLEANUP_CLOSE int fd =
        tree_member_arriving(attempt->archive->tree, member->index, &err);
    struct stat st;
    int64_t blocks = fd >= 0 && fstat(fd, &st) == 0 ? st.st_blocks : 0;

    lock_acquire(&attempt->archive->lock);
    if (blocks != member->foreign_size)
        member->progress_ms = clock_now_ms();
    member->foreign_size = blocks;
    lock_release(&attempt->archive->lock);
}

static bool is_wanted(struct attempt *attempt)
{
    struct member *member = attempt->member;
    bool is_wanted;

    lock_acquire(&attempt->archive->lock);
    is_wanted = member->is_background || !TAILQ_EMPTY(&member->waiters);
    lock_release(&attempt->archive->lock);
    return is_wanted;
}

enum outcome attempt_begin(struct attempt *attempt)
{
    int rc;

    if (attempt->archive->cache->is_closing) {
        fail(&attempt->err, ECANCELED, "the cache is being closed");
        return OUTCOME_FAILED;
    }
    if (!is_wanted(attempt))
        return OUTCOME_IDLE;
    rc = tree_lock(attempt->archive->tree, TREE_LOCK_MEMBER + attempt->member->index,
                   TREE_TRY, &attempt->err);
    if (rc == -EAGAIN) {
        watch_other(attempt);
        return OUTCOME_BUSY;
    }
    return rc < 0 ? OUTCOME_FAILED : look(attempt);
}

static void remove_file(struct attempt *attempt)
{
    struct archive *archive = attempt->archive;
    struct member *member = attempt->member;
    char path[TOC_PATH_MAX + 1];

    if (!member->is_placed)
        return tree_member_drop(archive->tree, member->index);
    toc_path(archive->toc, member->index, path);
    tree_member_unplace(archive->tree, path);
}

/* What came of it is of no use: remove it. Who was given a part of it must not be given
 * another attempt's, so that ends their generation. */
static void discard(struct attempt *attempt, enum outcome outcome)
{
    struct tree *tree = attempt->archive->tree;
    struct member *member = attempt->member;

    remove_file(attempt);
    if (outcome == OUTCOME_DAMAGED)
        tree_record_fail(&attempt->record, time(NULL));
    if (outcome == OUTCOME_DAMAGED || member_is_started(member))
        attempt->record.failed++;
    attempt->record.state = TREE_ABSENT;
    /* Not noted on disk: then the next process tries once more than it should. */
    (void)tree_write_record(tree, member->index, &attempt->record, &(struct error){0});
}

/* Is what came not where it could go on? Then it can only begin anew. */
static bool is_lost(const struct attempt *attempt)
{
    const struct member *member = attempt->member;

    return member->fd >= 0 && !member->is_placed &&
           !tree_member_is_arriving(attempt->archive->tree, member->index, member->fd);
}

enum outcome attempt_settle(struct attempt *attempt, enum outcome outcome)
{
    struct tree *tree = attempt->archive->tree;
    struct member *member = attempt->member;
    bool is_kept;

    if (outcome == OUTCOME_FAILED && attempt->err.code == ENOENT &&
        !tree_is_there(tree)) {
        fail(&attempt->err, ESTALE, /* who asks again gets a new one */
             "its folder in the cache was removed");
    } else if (outcome == OUTCOME_FAILED && is_lost(attempt)) {
        fail(&attempt->err, EIO,
             "its file in the cache folder was removed; open it again");
        outcome = OUTCOME_DROPPED;
    }
    /* To make room; or because the next attempt, of another archive, waits for our lock.
     */
    if (outcome == OUTCOME_FAILED && member->fd >= 0 &&
        (attempt_is_full(attempt) || attempt->err.code == ESTALE))
        outcome = OUTCOME_DROPPED;
    if (outcome == OUTCOME_DAMAGED || outcome == OUTCOME_DROPPED)
        discard(attempt, outcome);
    else if (outcome == OUTCOME_FAILED && member->fd >= 0 && !member_is_started(member))
        remove_file(attempt);
    /* What came of a member that is to be tried again stays ours meanwhile. */
    is_kept = (outcome == OUTCOME_FAILED || outcome == OUTCOME_IDLE) &&
              member_is_started(member);
    if (outcome != OUTCOME_BUSY && !is_kept)
        tree_unlock(tree, TREE_LOCK_MEMBER + member->index);
    return outcome;
}

/* Did it find no room, and nobody asked for it? That is no failure. */
static bool is_in_vain(const struct attempt *attempt, enum outcome outcome)
{
    return (outcome == OUTCOME_FAILED || outcome == OUTCOME_DROPPED) &&
           attempt_is_full(attempt) && TAILQ_EMPTY(&attempt->member->waiters);
}

/* Is it to be begun again, for somebody who came to wait? */
static bool is_to_begin_again(const struct attempt *attempt, enum outcome outcome)
{
    const struct member *member = attempt->member;

    return !TAILQ_EMPTY(&member->waiters) &&
           (outcome == OUTCOME_IDLE ||
            (outcome == OUTCOME_FAILED && attempt_is_full(attempt) &&
             !attempt->is_asked && member->fd < 0));
}

/* Note how it ended; whom to tell goes to waiters. true: the member is no more. */
static bool end_locked(struct archive *archive, struct attempt *attempt,
                       enum outcome outcome, bool is_failure, struct waiter_list *waiters)
    REQUIRES(archive->lock)
{
    struct member *member = attempt->member;

    member_take_all(member, waiters);
    member->has_job = false;
    member->is_background = false;
    if (outcome == OUTCOME_COMPLETE || outcome == OUTCOME_DAMAGED ||
        outcome == OUTCOME_DROPPED)
        archive_state_set_record_locked(archive, member->index, &attempt->record);
    if (outcome == OUTCOME_COMPLETE)
        archive_state_forget_failure_locked(archive, member->index);
    else if (is_failure)
        archive_state_note_failure_locked(archive, member->index, &attempt->err);
    if (attempt->err.code == ESTALE)
        archive->is_replaced = true;
    condition_broadcast(&archive->changed);
    if ((outcome == OUTCOME_FAILED || outcome == OUTCOME_IDLE) &&
        member_is_started(member))
        return false;
    archive_state_drop_member_locked(archive, member);
    return true;
}

static void count_end(struct cache *cache, bool is_there, bool is_failure)
{
    cache->members_done += is_there;
    cache->transfers_done += is_there;
    cache->transfers_failed += is_failure;
}

enum outcome attempt_end(struct attempt *attempt, enum outcome outcome)
{
    struct archive *archive = attempt->archive;
    struct waiter_list waiters = TAILQ_HEAD_INITIALIZER(waiters);
    char path[TOC_PATH_MAX + 1];
    struct error err;
    bool is_over, is_complete, is_failure;
    int rc = 0;

    toc_path(archive->toc, attempt->member->index, path);
    lock_acquire(&archive->lock);
    if (is_to_begin_again(attempt, outcome)) {
        lock_release(&archive->lock);
        return OUTCOME_IDLE;
    }
    is_failure = outcome != OUTCOME_COMPLETE && outcome != OUTCOME_IDLE &&
                 !is_in_vain(attempt, outcome);
    is_over = end_locked(archive, attempt, outcome, is_failure, &waiters);
    is_complete = archive_state_is_complete_locked(archive);
    lock_release(&archive->lock);
    count_end(archive->cache, outcome == OUTCOME_COMPLETE, is_failure);
    if (is_over)
        member_free(attempt->member);
    err = attempt->err;
    if (outcome != OUTCOME_COMPLETE && outcome != OUTCOME_IDLE)
        rc = fail_context(&err, -err.code, "'%s' of model %s-%s", path,
                          archive->release.id, archive->release.version);
    waiters_answer(&waiters, rc, rc < 0 ? &err : NULL);
    if (is_complete && outcome == OUTCOME_COMPLETE)
        complete_later(archive);
    return OUTCOME_ENDED;
}
