/* member.h: one member while it arrives: which bytes are there, and who waits for some.
 *
 *     member = member_new(index, generation, size, hold, MEMBER_BY_BLOCK, &err);
 *     member_wait(member, &wish, now_ms);
 *     ... bytes come: member_advance(...) or member_block_done(...)
 *     member_take_ready(member, &list);       and after the lock is released:
 *     waiters_answer(&list, 0, NULL);
 *
 * Handed out before the member is complete and verified: nothing of a member up to hold
 * bytes; of a larger one what is there, but for the last block that is missing (members
 * that come by block) or the last MEMBER_BLOCK bytes (those that come in order).
 *
 * No I/O, no lock: whoever owns the member guards it. */
#ifndef CACHE_MEMBER_H
#define CACHE_MEMBER_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define MEMBER_BLOCK ((uint64_t)1 << 20)

enum member_order {
    MEMBER_IN_ORDER, /* deflated: from the first byte on */
    MEMBER_BY_BLOCK, /* stored: any block of MEMBER_BLOCK bytes at any time */
};

/* As archive_done. */
typedef void member_done(void *arg, int rc, const struct error *err);

struct waiter {
    TAILQ_ENTRY(waiter) link;
    uint64_t first, end; /* wanted bytes, end not included */
    bool wants_all;      /* and verified */
    int64_t since_ms;
    member_done *done;
    void *arg;
};
TAILQ_HEAD(waiter_list, waiter);

struct member {
    LIST_ENTRY(member) link; /* in its archive's table */
    uint32_t index;
    uint32_t generation;
    uint64_t size;
    bool is_held; /* nothing is handed out before the end */
    enum member_order order;
    uint64_t arrived;       /* in order: bytes that are there, from 0 */
    uint64_t block_count;   /* by block */
    uint64_t blocks_left;   /* that are missing */
    uint64_t first_missing; /* no block before it is missing */
    uint8_t *has_block;     /* a bit each */
    uint32_t *block_crc;
    bool has_job;         /* a thread has it, or will */
    bool is_background;   /* to be fetched though nobody waits */
    int64_t progress_ms;  /* when the last bytes came */
    int64_t retry_ms;     /* while another process writes it: pause between looks */
    int64_t foreign_size; /* blocks of its file at the last look */
    int fd;               /* its file, -1 before the first byte; the job's */
    struct waiter_list waiters;
};
LIST_HEAD(member_list, member);

/* -ENOMEM when the map of blocks does not fit. */
int member_new(uint32_t index, uint32_t generation, uint64_t size, uint64_t hold,
               enum member_order order, struct member **ret_member, struct error *err);
void member_free(struct member *member); /* nobody may wait */

/* May bytes [first, end) be handed out? */
bool member_has(const struct member *member, uint64_t first, uint64_t end);

/* Was any of it handed out, or could have been? */
bool member_is_started(const struct member *member);

/* Bytes that are there, handed out or not. */
uint64_t member_arrived(const struct member *member);

/* Put a copy of the wish behind the others. */
void member_wait(struct member *member, const struct waiter *wish);

/* Bytes up to arrived are there. */
void member_advance(struct member *member, uint64_t arrived);

/* A block is there; the last one to come is not handed out. */
void member_block_done(struct member *member, uint64_t block, uint32_t crc);

/* Which missing blocks to fetch next: those that somebody waits for first, then on from
 * the first that is missing. At most count_max. 0: none is missing. */
uint64_t member_next_blocks(const struct member *member, uint64_t count_max,
                            uint64_t *ret_first);

/* Does somebody wait for a block that is missing, other than block? */
bool member_is_wanted_elsewhere(const struct member *member, uint64_t block);

/* CRC-32 of the whole from those of the blocks. */
uint32_t member_crc32(const struct member *member);

/* Move waiters to the end of list: those whose bytes are there; those that have waited
 * since before deadline_ms without any progress; all. */
void member_take_ready(struct member *member, struct waiter_list *list);
void member_take_stalled(struct member *member, int64_t deadline_ms,
                         struct waiter_list *list);
void member_take_all(struct member *member, struct waiter_list *list);

/* Answer and free them. With no lock held. */
void waiters_answer(struct waiter_list *list, int rc, const struct error *err);

#endif
