/* transfer.c: what threads run to bring members into the cache.
 *
 * A job takes the member's lock between processes, looks whether another process was
 * faster, receives, verifies, moves the file to its place, notes it, answers waiters.
 * When another process has the lock the job gives its thread back and looks again later.
 */
#include "cache/transfer.h"

#include "cache/adopt_member.h"
#include "cache/attempt.h"
#include "cache/batch.h"
#include "cache/blocks.h"
#include "cache/evict.h"
#include "cache/internal.h"
#include "cache/receive_local.h"
#include "cache/registry.h"
#include "cache/source.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>

enum {
    RETRY_MS_MIN = 5, /* between looks at a member that another process writes */
    RETRY_MS_MAX = 200,
    RANGE_BYTES = 32 << 20, /* of several members in one request that nobody waits for */
};

/* What a thread is given; its own until the job ends. */
struct transfer_job {
    struct archive *archive; /* a reference */
    struct member *member;
    struct batch *batch; /* what comes along; NULL: nothing, or not planned yet */
    bool is_background;  /* counted in archive->background_jobs */
};

/* Nothing comes along with the first file of a local archive: why sort it? */
static bool needs_order(struct archive *archive, const struct member *member,
                        struct object *object)
{
    bool result;

    lock_acquire(&archive->lock);
    result = archive->cache->prefetch_model ||
             (batch_is_lead(member, object) &&
              (object_fd(object) < 0 || archive->complete_count > 0));
    lock_release(&archive->lock);
    return result;
}

/* With the neighbours of what somebody waits for. */
static enum outcome fetch_batch(struct attempt *attempt, struct transfer_job *job,
                                struct object *object)
{
    struct archive *archive = attempt->archive;
    enum outcome outcome;

    lock_acquire(&archive->lock);
    if (!job->batch && !TAILQ_EMPTY(&attempt->member->waiters))
        job->batch = batch_plan_near_locked(archive, attempt->member);
    lock_release(&archive->lock);
    outcome = batch_fetch(attempt, job->batch, object);
    return outcome == OUTCOME_READY ? batch_fetch(attempt, NULL, object) : outcome;
}

static enum outcome fetch(struct attempt *attempt, struct transfer_job *job)
{
    struct archive *archive = attempt->archive;
    struct member *member = attempt->member;
    struct received received = {0};
    char path[TOC_PATH_MAX + 1];
    const struct order *order;
    struct object *object;
    int rc;

    toc_path(archive->toc, member->index, path);
    if (adopt_member(archive, member, path, &received.xxh3))
        return attempt_land(attempt, 0, &received);
    rc = source_get(archive, &object, &attempt->err);
    if (rc == 0 && needs_order(archive, member, object))
        rc = batch_order(archive, &order, &attempt->err);
    if (rc == 0 && member->order == MEMBER_BY_BLOCK)
        rc = receive_file(archive, member, &attempt->err);
    if (rc < 0)
        return OUTCOME_FAILED;
    if (batch_is_lead(member, object))
        return fetch_batch(attempt, job, object);
    rc = member->order == MEMBER_BY_BLOCK
             ? blocks_receive(archive, member, object, &received, &attempt->err)
             : receive_local(archive, member, object, &received, &attempt->err);
    return attempt_land(attempt, rc, &received);
}

/* A full disk is tried once more when something was evicted. */
static enum outcome run_attempt(struct attempt *attempt, struct transfer_job *job)
{
    enum outcome outcome = attempt_begin(attempt);

    if (outcome != OUTCOME_READY)
        return outcome;
    outcome = fetch(attempt, job);
    if (outcome == OUTCOME_FAILED && attempt_is_full(attempt) &&
        evict_make_room(attempt->archive->cache, attempt->member->size,
                        attempt_asks(attempt), &attempt->err) == 0)
        outcome = fetch(attempt, job);
    return outcome;
}

static int64_t retry_ms(struct member *member)
{
    member->retry_ms = member->retry_ms ? 2 * member->retry_ms : RETRY_MS_MIN;
    if (member->retry_ms > RETRY_MS_MAX)
        member->retry_ms = RETRY_MS_MAX;
    return member->retry_ms;
}

static int submit_locked(struct archive *archive, const struct transfer_job *wish,
                         workers_job *run, struct error *err) REQUIRES(archive->lock)
{
    struct member *member = wish->member;
    struct transfer_job *job = XNEW(struct transfer_job);
    int rc;

    *job = *wish;
    registry_ref(archive);
    rc = workers_submit(archive->workers, run, job, err);
    if (rc < 0) {
        archive->refs--; /* not the last: the caller has one */
        free(job);
        return rc;
    }
    archive->background_jobs += job->is_background;
    member->has_job = true;
    member->turn = MEMBER_NOW;
    member->progress_ms = clock_now_ms();
    return 0;
}

/* It was to come along, and did not: who waits for it gets a request of its own. */
static void release_member(struct archive *archive, uint32_t index, workers_job *run)
{
    struct waiter_list waiters = TAILQ_HEAD_INITIALIZER(waiters);
    struct error err = {0};
    struct member *member;
    int rc = 0;

    lock_acquire(&archive->lock);
    member = archive_state_member_locked(archive, index);
    if (member && member->turn != MEMBER_NOW) {
        bool is_wanted = !TAILQ_EMPTY(&member->waiters);

        member->is_background = false;
        if (is_wanted)
            rc = submit_locked(
                archive, &(struct transfer_job){.archive = archive, .member = member},
                run, &err);
        if (!is_wanted || rc < 0) {
            member_take_all(member, &waiters);
            tree_unlock(archive->tree, TREE_LOCK_MEMBER + index);
            archive_state_drop_member_locked(archive, member);
            member_free(member);
        }
    }
    lock_release(&archive->lock);
    waiters_answer(&waiters, rc, &err);
}

static void release_batch(struct archive *archive, struct batch *batch, workers_job *run)
{
    for (uint32_t i = 0; batch && i < batch->count; i++)
        release_member(archive, batch->indexes[i], run);
    batch_free(batch);
}

static void run_job(void *arg)
{
    struct transfer_job *job = arg;
    struct archive *archive = job->archive;
    struct cache *cache = archive->cache;
    enum outcome outcome;
    unsigned begun;

    do {
        struct attempt attempt = {.archive = archive, .member = job->member};

        cache->transfers_running++;
        outcome = run_attempt(&attempt, job);
        cache->transfers_running--;
        release_batch(archive, steal_ptr(&job->batch), run_job);
        if (outcome == OUTCOME_BUSY && !cache->is_closing) {
            delay_submit(cache->delay, retry_ms(job->member), archive->workers, run_job,
                         job);
            return;
        }
        if (!attempt.is_ending)
            attempt.begun = registry_work_begin(cache);
        begun = attempt.begun;
        if (outcome != OUTCOME_ENDED)
            outcome = attempt_end(&attempt, attempt_settle(&attempt, outcome));
        if (outcome != OUTCOME_ENDED)
            registry_work_end(cache, begun);
    } while (outcome != OUTCOME_ENDED);
    lock_acquire(&archive->lock);
    archive->background_jobs -= job->is_background;
    lock_release(&archive->lock);
    free(job);
    registry_release(archive);
    registry_work_end(cache, begun);
}

int transfer_start_locked(struct archive *archive, struct member *member,
                          struct error *err)
{
    assert(!member->has_job || member->turn == MEMBER_LATER);
    return submit_locked(archive,
                         &(struct transfer_job){.archive = archive, .member = member},
                         run_job, err);
}

int transfer_start_from_locked(struct archive *archive, const struct order *order,
                               uint32_t *place, enum member_turn turn, struct error *err)
{
    struct transfer_job job = {.archive = archive, .is_background = true};
    struct member *member;
    int rc;

    while (*place < order_count(order) &&
           !archive_state_may_fetch_locked(archive, order_at(order, *place)))
        ++*place;
    if (*place == order_count(order))
        return 0;
    rc = archive_state_new_member_locked(archive, order_at(order, *place), &member, err);
    if (rc < 0)
        return rc;
    member->is_background = true;
    if (archive->object && batch_is_lead(member, archive->object))
        job.batch = batch_plan_locked(archive, member, RANGE_BYTES, UINT64_MAX, turn);
    job.member = member;
    rc = submit_locked(archive, &job, run_job, err);
    if (rc < 0) {
        batch_drop_locked(archive, job.batch);
        archive_state_drop_member_locked(archive, member);
        member_free(member);
        return rc;
    }
    ++*place;
    return 1;
}

void transfer_fail_stalled(struct archive *archive, int64_t deadline_ms)
{
    struct waiter_list stalled = TAILQ_HEAD_INITIALIZER(stalled);
    struct member *member;
    struct error err = {0};
    int rc;

    lock_acquire(&archive->lock);
    for (size_t i = 0; archive->member_count > 0 && i < ARCHIVE_BUCKETS; i++) {
        LIST_FOREACH(member, &archive->members[i], link) {
            member_take_stalled(member, deadline_ms, &stalled);
        }
    }
    lock_release(&archive->lock);
    rc = fail(&err, ETIMEDOUT, "model %s-%s: nothing came for %jd s", archive->release.id,
              archive->release.version, (intmax_t)(archive->cache->stall_ms / 1000));
    waiters_answer(&stalled, rc, &err);
}
