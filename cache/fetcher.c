/* fetcher.c: one thread's work on a stored member that comes by block. */
#include "cache/fetcher.h"

#include "cache/internal.h"
#include "cache/receive.h"
#include "cache/registry.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>

enum {
    CATCH_UP_BLOCKS = 8, /* summed up after each block that came */
    SPARE_THREADS = 2,   /* of the pool: for what is asked for */
};

unsigned fetcher_spare_threads(struct archive *archive)
{
    struct cache *cache = archive->cache;
    uint64_t busy = cache->transfers_running + cache->helpers_running + SPARE_THREADS;

    if (workers_waiting(archive->workers) > 0 || busy >= cache->threads)
        return 0;
    return cache->threads - (unsigned)busy;
}

static bool start_helper_locked(struct fetcher *fetcher) REQUIRES(fetcher->archive->lock)
{
    struct archive *archive = fetcher->archive;
    struct error unused = {0};
    struct helper *helper = XNEW(struct helper);

    helper->archive = registry_ref(archive);
    helper->object = fetcher->object;
    helper->index = fetcher->member->index;
    helper->serial = fetcher->member->serial;
    if (workers_submit(archive->workers, fetcher->help, helper, &unused) < 0) {
        archive->refs--; /* not the last: the caller's job has one */
        free(helper);
        return false;
    }
    archive->cache->helpers_running++;
    fetcher->member->helpers_started++;
    return true;
}

/* Further threads up to wanted connections, as far as there are some and work for them.
 */
static void start_helpers_locked(struct fetcher *fetcher, unsigned wanted, int64_t now_ms)
    REQUIRES(fetcher->archive->lock)
{
    struct member *member = fetcher->member;
    unsigned spare;

    if (member->helpers_started + 1 >= wanted)
        return;
    spare = member_has_run(member) &&
                    pace_is_worth(&member->pace, member->blocks_left * MEMBER_BLOCK)
                ? fetcher_spare_threads(fetcher->archive)
                : 0;
    while (member->helpers_started + 1 < wanted && spare-- > 0 &&
           start_helper_locked(fetcher))
        ;
    pace_settle_for(&member->pace, member->helpers_started + 1, now_ms);
}

/* As many threads as raise the rate, but none that others wait for. */
static void keep_pace_locked(struct fetcher *fetcher, int64_t now_ms)
    REQUIRES(fetcher->archive->lock)
{
    struct member *member = fetcher->member;
    unsigned wanted =
        pace_add(&member->pace, atomic_exchange(&member->unpaced, 0), now_ms);

    if (fetcher->is_helper && (member->helpers_started + 1 > wanted ||
                               workers_waiting(fetcher->archive->workers) > 0)) {
        fetcher->is_leaving = true;
        fetcher->run.is_cut = true;
        member->helpers_started--;
        pace_settle_for(&member->pace, member->helpers_started + 1, now_ms);
        return;
    }
    start_helpers_locked(fetcher, wanted, now_ms);
}

/* The block that `at` just reached the end of is there. false: the run ends with it. */
static bool end_block(struct fetcher *fetcher)
{
    struct member *member = fetcher->member;
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);
    bool goes_on;

    lock_acquire(&fetcher->archive->lock);
    member_block_done(member, fetcher->run.next, fetcher->crc);
    member->progress_ms = clock_now_ms();
    member_take_ready(member, &ready);
    goes_on = member_run_advance(member, &fetcher->run);
    if (fetcher->help)
        keep_pace_locked(fetcher, member->progress_ms);
    lock_release(&fetcher->archive->lock);
    waiters_answer(&ready, 0, NULL);
    fetcher->crc = 0;
    return goes_on && !fetcher->is_leaving;
}

/* Where other threads were faster: sum up what they brought, while this one waits for
 * its own. A block that cannot be read adds nothing: in the end it is said why. */
static void catch_up(struct fetcher *fetcher)
{
    struct archive *archive = fetcher->archive;
    struct member *member = fetcher->member;
    bool has_block = fetcher->sum && fetcher->hashed % MEMBER_BLOCK == 0;

    for (int i = 0; has_block && i < CATCH_UP_BLOCKS; i++) {
        lock_acquire(&archive->lock);
        has_block = member_has_block(member, fetcher->hashed / MEMBER_BLOCK);
        lock_release(&archive->lock);
        if (!has_block || fetcher->hashed + MEMBER_BLOCK > member->size ||
            receive_hash(member->fd, fetcher->hashed, fetcher->hashed + MEMBER_BLOCK,
                         fetcher->sum, &(struct error){0}) < 0)
            return;
        fetcher->hashed += MEMBER_BLOCK;
    }
}

bool fetcher_note(struct fetcher *fetcher, const void *data, size_t size)
{
    struct member *member = fetcher->member;
    uint64_t end = (fetcher->at / MEMBER_BLOCK + 1) * MEMBER_BLOCK;
    bool goes_on;

    fetcher->crc = checksum_crc32(fetcher->crc, data, size);
    if (fetcher->sum && fetcher->at == fetcher->hashed) {
        checksum_add(fetcher->sum, data, size);
        fetcher->hashed += size;
    }
    fetcher->at += size;
    if (fetcher->at < end && fetcher->at < member->size)
        return true;
    goes_on = end_block(fetcher);
    catch_up(fetcher);
    return goes_on;
}

/* Bytes up to the end of the block that comes. */
static uint64_t left_of_block(const struct fetcher *fetcher)
{
    uint64_t end = (fetcher->at / MEMBER_BLOCK + 1) * MEMBER_BLOCK;

    return (end < fetcher->member->size ? end : fetcher->member->size) - fetcher->at;
}

int fetcher_put(void *arg, const void *data, size_t size, struct error *err)
{
    struct fetcher *fetcher = arg;
    const unsigned char *bytes = data;
    int rc = 0;

    while (rc == 0 && size > 0 && !fetcher->is_over) {
        uint64_t left = left_of_block(fetcher);
        size_t piece = size < left ? size : (size_t)left;

        rc = files_pwrite(fetcher->member->fd, bytes, piece, fetcher->at, err);
        if (rc == 0)
            fetcher->is_over = !fetcher_note(fetcher, bytes, piece);
        bytes += piece;
        size -= piece;
    }
    if (rc == 0 && fetcher->at < fetcher->end && fetcher->is_over)
        rc = fail(err, ECANCELED, "the rest of it is not wanted");
    return rc;
}
