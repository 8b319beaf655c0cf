/* transfer.c: what runs on a pool thread to bring one member into the cache.
 *
 * A job takes the member's lock between processes, looks whether another process was
 * faster, receives, verifies, moves the file to its place, notes it, answers waiters.
 * When another process has the lock the job gives its thread back and looks again later.
 *
 * Where a check failed the file is removed: those who have it open keep what was handed
 * out, and nobody can open it any more. */
#include "cache/transfer.h"

#include "cache/adopt.h"
#include "cache/checksum.h"
#include "cache/complete.h"
#include "cache/evict.h"
#include "cache/internal.h"
#include "cache/receive.h"
#include "cache/registry.h"
#include "cache/source.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    RETRY_MS_MIN = 5, /* between looks at a member that another process writes */
    RETRY_MS_MAX = 200,
};

/* How an attempt ended. */
enum outcome {
    OUTCOME_COMPLETE,
    OUTCOME_DAMAGED, /* the content failed its check */
    OUTCOME_FAILED,  /* it did not come; may be tried again */
    OUTCOME_DROPPED, /* the same; and what came is of no use: dropped */
    OUTCOME_BUSY,    /* another process writes it */
    OUTCOME_IDLE,    /* nobody waits any more */
};

/* What a pool thread is given; its own until the job ends. */
struct job {
    struct archive *archive; /* a reference */
    struct member *member;
};

struct attempt {
    struct archive *archive;
    struct member *member;
    struct tree_record record; /* as on disk, then as it will be */
    struct error err;
};

static uint64_t lock_byte(const struct member *member)
{
    return TREE_LOCK_MEMBER + member->index;
}

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
    return tree_write_record(tree, attempt->member->index, &attempt->record, err);
}

static int open_file(struct attempt *attempt, struct error *err)
{
    struct member *member = attempt->member;
    int fd;

    if (member->fd >= 0)
        return 0; /* a part of it came in an earlier attempt */
    fd = tree_incoming_create(attempt->archive->tree, member->index, err);
    if (fd < 0)
        return fd;
    lock_acquire(&attempt->archive->lock);
    member->fd = fd;
    lock_release(&attempt->archive->lock);
    return 0;
}

static enum outcome fetch(struct attempt *attempt, const char *path)
{
    struct archive *archive = attempt->archive;
    struct member *member = attempt->member;
    struct received received = {0};
    struct object *object;
    int rc = 0;

    if (!adopt_member(archive, member, path, &received.xxh3)) {
        rc = source_get(archive, &object, &attempt->err);
        if (rc == 0)
            rc = open_file(attempt, &attempt->err);
        if (rc == 0)
            rc = receive_member(archive, member, object, &received, &attempt->err);
    }
    if (received.is_damaged)
        return OUTCOME_DAMAGED;
    if (rc < 0)
        return OUTCOME_FAILED;
    attempt->record.xxh3 = received.xxh3;
    attempt->record.state = TREE_COMPLETE;
    attempt->record.failures = 0;
    rc = tree_land(archive->tree, member->index, path, member->size, &attempt->record,
                   &attempt->err);
    return rc < 0 ? OUTCOME_FAILED : OUTCOME_COMPLETE;
}

static bool is_full(const struct error *err)
{
    return err->code == ENOSPC || err->code == EDQUOT;
}

/* The record on disk decides: another process may have been here. */
static enum outcome work_alone(struct attempt *attempt)
{
    struct archive *archive = attempt->archive;
    struct member *member = attempt->member;
    struct error *err = &attempt->err;
    char path[TOC_PATH_MAX + 1];
    enum outcome outcome;
    int rc = tree_read_record(archive->tree, member->index, &attempt->record, err);

    toc_path(archive->toc, member->index, path);
    if (rc == 0 && attempt->record.state == TREE_UNCHECKED)
        rc = recheck(attempt, path, err);
    if (rc < 0)
        return OUTCOME_FAILED;
    if (attempt->record.state == TREE_COMPLETE)
        return OUTCOME_COMPLETE;
    rc = evict_reserve(archive->cache, member->size, err);
    if (rc < 0)
        return OUTCOME_FAILED;
    outcome = fetch(attempt, path);
    if (outcome != OUTCOME_FAILED || !is_full(err))
        return outcome;
    if (evict_make_room(archive->cache, member->size, err) < 0)
        return OUTCOME_FAILED;
    return fetch(attempt, path);
}

/* Its writer's file grows: that is progress. */
static void watch_other(struct attempt *attempt)
{
    struct member *member = attempt->member;
    struct error err = {0};
    CLEANUP_CLOSE int fd =
        tree_incoming_open(attempt->archive->tree, member->index, &err);
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

/* What came of it is of no use: remove it. Who was given a part of it must not be given
 * another attempt's, so that ends their generation. */
static void discard(struct attempt *attempt, enum outcome outcome)
{
    struct tree *tree = attempt->archive->tree;
    struct member *member = attempt->member;

    tree_incoming_remove(tree, member->index);
    if (outcome == OUTCOME_DAMAGED)
        attempt->record.failures++;
    if (outcome == OUTCOME_DAMAGED || member_is_started(member))
        attempt->record.failed++;
    attempt->record.state = TREE_ABSENT;
    /* Not noted on disk: then the next process tries once more than it should. */
    (void)tree_write_record(tree, member->index, &attempt->record, &(struct error){0});
}

static enum outcome run_alone(struct attempt *attempt)
{
    struct member *member = attempt->member;
    enum outcome outcome = work_alone(attempt);

    if (outcome == OUTCOME_FAILED && attempt->err.code == ENOENT &&
        !tree_is_there(attempt->archive->tree)) /* who asks again gets a new one */
        fail(&attempt->err, ESTALE, "its folder in the cache was removed");
    /* To make room; or because the next attempt, of another archive, waits for our lock.
     */
    if (outcome == OUTCOME_FAILED && member->fd >= 0 &&
        (is_full(&attempt->err) || attempt->err.code == ESTALE))
        outcome = OUTCOME_DROPPED;
    if (outcome == OUTCOME_DAMAGED || outcome == OUTCOME_DROPPED)
        discard(attempt, outcome);
    else if (outcome == OUTCOME_FAILED && !member_is_started(member))
        tree_incoming_remove(attempt->archive->tree, member->index);
    return outcome;
}

static enum outcome run_attempt(struct attempt *attempt)
{
    struct tree *tree = attempt->archive->tree;
    struct member *member = attempt->member;
    enum outcome outcome;
    int rc;

    if (attempt->archive->cache->is_closing) {
        fail(&attempt->err, ECANCELED, "the cache is being closed");
        return OUTCOME_FAILED;
    }
    if (!is_wanted(attempt))
        return OUTCOME_IDLE;
    rc = tree_lock(tree, lock_byte(member), TREE_TRY, &attempt->err);
    if (rc == -EAGAIN) {
        watch_other(attempt);
        return OUTCOME_BUSY;
    }
    if (rc < 0)
        return OUTCOME_FAILED;
    outcome = run_alone(attempt);
    /* What came of a member that is to be tried again stays ours meanwhile. */
    if (outcome != OUTCOME_FAILED || !member_is_started(member))
        tree_unlock(tree, lock_byte(member));
    return outcome;
}

static int64_t retry_ms(struct member *member)
{
    member->retry_ms = member->retry_ms ? 2 * member->retry_ms : RETRY_MS_MIN;
    if (member->retry_ms > RETRY_MS_MAX)
        member->retry_ms = RETRY_MS_MAX;
    return member->retry_ms;
}

/* Note how it ended; whom to tell goes to waiters. true: the member is no more. */
static bool end_locked(struct archive *archive, struct attempt *attempt,
                       enum outcome outcome, struct waiter_list *waiters)
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
    else if (outcome != OUTCOME_IDLE)
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

static void count_end(struct cache *cache, enum outcome outcome)
{
    if (outcome == OUTCOME_COMPLETE) {
        cache->members_done++;
        cache->transfers_done++;
    } else if (outcome != OUTCOME_IDLE) {
        cache->transfers_failed++;
    }
}

static void end_attempt(struct attempt *attempt, enum outcome outcome)
{
    struct archive *archive = attempt->archive;
    struct waiter_list waiters = TAILQ_HEAD_INITIALIZER(waiters);
    char path[TOC_PATH_MAX + 1];
    struct error err;
    bool is_over, is_complete;
    int rc = 0;

    toc_path(archive->toc, attempt->member->index, path);
    count_end(archive->cache, outcome);
    lock_acquire(&archive->lock);
    is_over = end_locked(archive, attempt, outcome, &waiters);
    is_complete = archive_state_is_complete_locked(archive);
    lock_release(&archive->lock);
    if (is_over)
        member_free(attempt->member);
    err = attempt->err;
    if (outcome != OUTCOME_COMPLETE && outcome != OUTCOME_IDLE)
        rc = fail_context(&err, -err.code, "'%s' of model %s-%s", path,
                          archive->release.id, archive->release.version);
    waiters_answer(&waiters, rc, rc < 0 ? &err : NULL);
    if (is_complete && outcome == OUTCOME_COMPLETE)
        complete_later(archive);
}

static void run_job(void *arg)
{
    struct job *job = arg;
    struct archive *archive = job->archive;
    struct attempt attempt = {.archive = archive, .member = job->member};
    enum outcome outcome;

    archive->cache->transfers_running++;
    outcome = run_attempt(&attempt);
    archive->cache->transfers_running--;
    if (outcome == OUTCOME_BUSY && !archive->cache->is_closing) {
        delay_submit(archive->cache->delay, retry_ms(job->member), archive->workers,
                     run_job, job);
        return;
    }
    free(job);
    end_attempt(&attempt, outcome);
    registry_release(archive);
}

int transfer_start_locked(struct archive *archive, struct member *member,
                          struct error *err)
{
    struct job *job = XNEW(struct job);
    int rc;

    assert(!member->has_job);
    job->archive = registry_ref(archive);
    job->member = member;
    member->has_job = true;
    member->progress_ms = clock_now_ms();
    rc = workers_submit(archive->workers, run_job, job, err);
    if (rc < 0) {
        member->has_job = false;
        archive->refs--; /* not the last: the caller has one */
        free(job);
    }
    return rc;
}

int transfer_new_member_locked(struct archive *archive, uint32_t index,
                               struct member **ret_member, struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    uint64_t hold = archive->cache->hold;
    enum member_order order = entry->method == TOC_STORED && entry->size > hold
                                  ? MEMBER_BY_BLOCK
                                  : MEMBER_IN_ORDER;
    struct member *member;
    int rc = member_new(index, archive->records[index].failed + 1, entry->size, hold,
                        order, &member, err);

    if (rc < 0)
        return rc;
    LIST_INSERT_HEAD(&archive->members[index % ARCHIVE_BUCKETS], member, link);
    archive->member_count++;
    *ret_member = member;
    return 0;
}

void transfer_fail_stalled(struct archive *archive, int64_t deadline_ms)
{
    struct waiter_list stalled = TAILQ_HEAD_INITIALIZER(stalled);
    struct member *member;
    struct error err = {0};
    int rc;

    lock_acquire(&archive->lock);
    for (size_t i = 0; archive->member_count > 0 && i < ARCHIVE_BUCKETS; i++) {
        LIST_FOREACH(member, &archive->members[i], link)
        {
            member_take_stalled(member, deadline_ms, &stalled);
        }
    }
    lock_release(&archive->lock);
    rc = fail(&err, ETIMEDOUT, "model %s-%s: nothing came for %jd s", archive->release.id,
              archive->release.version, (intmax_t)(archive->cache->stall_ms / 1000));
    waiters_answer(&stalled, rc, &err);
}
