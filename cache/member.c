/* member.c: one member while it arrives: which bytes are there, who waits for some. */
#include "cache/member.h"

#include "cache/checksum.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

enum {
    SOON_BLOCKS = 4,   /* so many of a running request come before a new one would */
    SHORT_BLOCKS = 2,  /* so many are left: that request is waited for */
    RUN_BLOCKS = 32,   /* of each run where there are several: then a round trip is
                          nothing, and all of them end at about one time */
    SPLIT_BLOCKS = 4,  /* at least so many each when a run is halved */
    LONG_BLOCKS = 128, /* runs longer than that have no limit any more */
};

static bool has_block(const struct member *member, uint64_t block)
{
    return member->has_block[block / 8] >> block % 8 & 1;
}

static uint64_t block_size(const struct member *member, uint64_t block)
{
    uint64_t left = member->size - block * MEMBER_BLOCK;

    return left < MEMBER_BLOCK ? left : MEMBER_BLOCK;
}

static int make_map(struct member *member, struct error *err)
{
    member->block_count = (member->size + MEMBER_BLOCK - 1) / MEMBER_BLOCK;
    member->blocks_left = member->block_count;
    member->has_block = calloc(member->block_count / 8 + 1, 1);
    member->block_crc = calloc(member->block_count + 1, sizeof(*member->block_crc));
    if (!member->has_block || !member->block_crc)
        return fail(err, ENOMEM, "no memory for the map of %ju blocks",
                    (uintmax_t)member->block_count);
    return 0;
}

int member_new(uint32_t index, uint32_t generation, uint64_t size, uint64_t hold,
               enum member_order order, struct member **ret_member, struct error *err)
{
    struct member *member = XNEW(struct member);
    int rc = 0;

    member->index = index;
    member->generation = generation;
    member->size = size;
    member->is_held = size <= hold;
    member->order = order;
    member->fd = -1;
    TAILQ_INIT(&member->waiters);
    LIST_INIT(&member->runs);
    if (order == MEMBER_BY_BLOCK)
        rc = make_map(member, err);
    if (rc < 0) {
        member_free(member);
        return rc;
    }
    *ret_member = member;
    return 0;
}

void member_free(struct member *member)
{
    assert(TAILQ_EMPTY(&member->waiters));
    if (member->fd >= 0)
        close(member->fd);
    free(member->has_block);
    free(member->block_crc);
    free(member);
}

/* Of members in order the last block is held back, whatever has arrived. */
static uint64_t readable_in_order(const struct member *member)
{
    uint64_t held = member->size < MEMBER_BLOCK ? member->size : MEMBER_BLOCK;
    uint64_t end = member->size - held;

    return member->arrived < end ? member->arrived : end;
}

bool member_has_block(const struct member *member, uint64_t block)
{
    return block < member->block_count && has_block(member, block);
}

bool member_has(const struct member *member, uint64_t first, uint64_t end)
{
    if (member->is_held)
        return false;
    if (member->order == MEMBER_IN_ORDER)
        return end <= readable_in_order(member);
    for (uint64_t block = first / MEMBER_BLOCK; block * MEMBER_BLOCK < end; block++) {
        if (!has_block(member, block))
            return false;
    }
    return true;
}

bool member_is_started(const struct member *member)
{
    return !member->is_held &&
           (member->arrived > 0 || member->blocks_left < member->block_count);
}

uint64_t member_arrived(const struct member *member)
{
    uint64_t bytes = (member->block_count - member->blocks_left) * MEMBER_BLOCK;

    if (member->order == MEMBER_IN_ORDER)
        return member->arrived;
    return bytes < member->size ? bytes : member->size;
}

void member_wait(struct member *member, const struct waiter *wish)
{
    struct waiter *waiter = XNEW(struct waiter);

    *waiter = *wish;
    TAILQ_INSERT_TAIL(&member->waiters, waiter, link);
}

void member_advance(struct member *member, uint64_t arrived)
{
    assert(arrived <= member->size);
    if (arrived > member->arrived)
        member->arrived = arrived;
}

void member_block_done(struct member *member, uint64_t block, uint32_t crc)
{
    assert(!has_block(member, block) && member->blocks_left > 0);
    member->block_crc[block] = crc;
    if (--member->blocks_left == 0)
        return; /* the last one, wherever it lies: held back until all is verified */
    member->has_block[block / 8] |= (uint8_t)(1U << block % 8);
    while (member->first_missing < member->block_count &&
           has_block(member, member->first_missing))
        member->first_missing++;
}

/* The run that will bring a block, NULL if none will. */
static struct member_run *run_of(const struct member *member, uint64_t block)
{
    struct member_run *run;

    LIST_FOREACH(run, &member->runs, link) {
        if (run->next <= block && block < run->end)
            return run;
    }
    return NULL;
}

/* Does a block come so soon that another request for it would not be faster? */
static bool is_soon(const struct member *member, uint64_t block)
{
    const struct member_run *run = run_of(member, block);

    return run && block - run->next < SOON_BLOCKS;
}

/* The first missing block that a waiter wants; false if it misses none. */
static bool wanted_block(const struct member *member, const struct waiter *waiter,
                         uint64_t *ret_block)
{
    uint64_t block = waiter->first / MEMBER_BLOCK;

    if (waiter->wants_all || block < member->first_missing)
        block = member->first_missing;
    for (; block * MEMBER_BLOCK < waiter->end; block++) {
        if (!has_block(member, block)) {
            *ret_block = block;
            return true;
        }
    }
    return false;
}

/* A block that somebody waits for and that does not come soon. */
static bool find_wanted(const struct member *member, uint64_t *ret_block)
{
    const struct waiter *waiter;

    TAILQ_FOREACH(waiter, &member->waiters, link) {
        if (!waiter->wants_all && wanted_block(member, waiter, ret_block) &&
            !is_soon(member, *ret_block))
            return true;
    }
    return false;
}

/* The first missing block that no run has. */
static bool find_gap(const struct member *member, uint64_t *ret_block)
{
    for (uint64_t block = member->first_missing; block < member->block_count; block++) {
        const struct member_run *run = run_of(member, block);

        if (run)
            block = run->end - 1;
        else if (!has_block(member, block)) {
            *ret_block = block;
            return true;
        }
    }
    return false;
}

/* Where the longest run is to end, so that another one goes on from there: it keeps as
 * much as a run has, or half of what is left. */
static bool find_rest(const struct member *member, uint64_t *ret_block)
{
    const struct member_run *run;
    uint64_t longest = 2 * SPLIT_BLOCKS - 1;

    LIST_FOREACH(run, &member->runs, link) {
        uint64_t left = run->end - run->next;

        if (left <= longest)
            continue;
        longest = left;
        *ret_block = run->end - (left / 2 > RUN_BLOCKS ? left - RUN_BLOCKS : left / 2);
    }
    return longest >= 2 * SPLIT_BLOCKS;
}

bool member_has_run(const struct member *member)
{
    uint64_t block;

    return member->blocks_left > 0 &&
           (find_wanted(member, &block) || find_gap(member, &block) ||
            find_rest(member, &block));
}

bool member_run_begin(struct member *member, struct member_run *run)
{
    struct member_run *other;
    uint64_t first, end, limit = UINT64_MAX;
    bool is_wanted = find_wanted(member, &first);

    if (member->blocks_left == 0 ||
        (!is_wanted && !find_gap(member, &first) && !find_rest(member, &first)))
        return false;
    if (is_wanted && first != member->first_missing && !member->run_blocks)
        member->run_blocks = 1; /* whoever jumps once will jump again */
    if (member->run_count > 0)  /* of several each goes on where the first gap is */
        limit = first + RUN_BLOCKS;
    if (member->run_blocks)
        limit = first + member->run_blocks;
    other = run_of(member, first);
    end = first + 1;
    while (end < limit && end < member->block_count && !has_block(member, end) &&
           run_of(member, end) == other)
        end++;
    if (other)
        other->end = first;
    *run = (struct member_run){.next = first, .end = end};
    LIST_INSERT_HEAD(&member->runs, run, link);
    member->run_count++;
    return true;
}

bool member_run_advance(struct member *member, struct member_run *run)
{
    uint64_t wanted;

    run->next++;
    if (run->next >= run->end)
        return false;
    run->is_cut = member->is_ending ||
                  (run->end - run->next > SHORT_BLOCKS && find_wanted(member, &wanted));
    return !run->is_cut;
}

void member_run_end(struct member *member, struct member_run *run)
{
    LIST_REMOVE(run, link);
    member->run_count--;
    if (run->is_cut || !member->run_blocks)
        return;
    member->run_blocks *= 2; /* it was read in order as far as it came */
    if (member->run_blocks > LONG_BLOCKS)
        member->run_blocks = 0;
}

uint32_t member_crc32(const struct member *member)
{
    uint32_t crc = 0;

    for (uint64_t block = 0; block < member->block_count; block++)
        crc = checksum_crc32_combine(crc, member->block_crc[block],
                                     block_size(member, block));
    return crc;
}

void member_take_ready(struct member *member, struct waiter_list *list)
{
    struct waiter *waiter, *next;

    for (waiter = TAILQ_FIRST(&member->waiters); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, link);
        if (waiter->wants_all || !member_has(member, waiter->first, waiter->end))
            continue;
        TAILQ_REMOVE(&member->waiters, waiter, link);
        TAILQ_INSERT_TAIL(list, waiter, link);
    }
}

void member_take_stalled(struct member *member, int64_t deadline_ms,
                         struct waiter_list *list)
{
    struct waiter *waiter, *next;

    if (member->progress_ms > deadline_ms)
        return;
    for (waiter = TAILQ_FIRST(&member->waiters); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, link);
        if (waiter->since_ms > deadline_ms)
            continue;
        TAILQ_REMOVE(&member->waiters, waiter, link);
        TAILQ_INSERT_TAIL(list, waiter, link);
    }
}

void member_take_all(struct member *member, struct waiter_list *list)
{
    TAILQ_CONCAT(list, &member->waiters, link);
}

void waiters_answer(struct waiter_list *list, int rc, const struct error *err)
{
    struct waiter *waiter;

    while ((waiter = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, waiter, link);
        waiter->done(waiter->arg, rc, err);
        free(waiter);
    }
}
