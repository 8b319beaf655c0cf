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

#include "cache/pace.h"
#include "common/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define MEMBER_BLOCK ((uint64_t)1 << 20)

enum member_order {
    MEMBER_IN_ORDER, /* deflated or small: from the first byte on */
    MEMBER_BY_BLOCK, /* stored: any block of MEMBER_BLOCK bytes at any time */
};

/* When a member that has a job gets its turn. */
enum member_turn {
    MEMBER_NOW,   /* its job works on it, or will first of all */
    MEMBER_SOON,  /* it comes along in a range that was asked for another one */
    MEMBER_LATER, /* the same, in the background: who wants it need not wait for that */
};

/* Blocks that one thread fetches, by one request. */
struct member_run {
    LIST_ENTRY(member_run) link;
    uint64_t next; /* the block that comes */
    uint64_t end;  /* the first behind it; falls when another thread takes the rest */
    bool is_cut;   /* ended before its end */
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
    bool is_held;  /* nothing is handed out before the end */
    bool is_small; /* held, and its bytes fit into memory easily, packed and unpacked */
    enum member_order order;
    enum member_turn turn;
    uint64_t arrived;       /* in order: bytes that are there, from 0 */
    uint64_t block_count;   /* by block */
    uint64_t blocks_left;   /* that are missing */
    uint64_t first_missing; /* no block before it is missing */
    uint8_t *has_block;     /* a bit each */
    uint32_t *block_crc;
    LIST_HEAD(, member_run) runs; /* of blocks that come */
    unsigned run_count;           /* of these */
    uint64_t run_blocks;          /* of the next one at most; 0: any number */
    uint64_t data_at;             /* of its bytes in the archive; 0: not known yet */
    uint64_t serial;          /* of the attempt that further threads may join; 0: none */
    unsigned helpers;         /* further threads that have it */
    unsigned helpers_started; /* the same, those to come, but not those that leave */
    bool is_ending;           /* they are to leave */
    struct pace pace;         /* how many connections it gets */
    atomic_uint_fast64_t unpaced; /* bytes that came and pace was not told */
    bool has_job;                 /* a thread has it, or will */
    bool is_background;           /* to be fetched though nobody waits */
    int64_t progress_ms;          /* when the last bytes came */
    int64_t retry_ms;     /* while another process writes it: pause between looks */
    int64_t foreign_size; /* blocks of its file at the last look */
    int fd;               /* its file, -1 before the first byte; the job's */
    bool is_placed;       /* that lies at the member's place already; the job's */
    struct waiter_list waiters;
};
LIST_HEAD(member_list, member);

/* -ENOMEM when the map of blocks does not fit. */
int member_new(uint32_t index, uint32_t generation, uint64_t size, uint64_t hold,
               enum member_order order, struct member **ret_member, struct error *err);
void member_free(struct member *member); /* nobody may wait */

/* May bytes [first, end) be handed out? */
bool member_has(const struct member *member, uint64_t first, uint64_t end);

/* Did a block arrive, and may it be handed out? */
bool member_has_block(const struct member *member, uint64_t block);

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

/* Begin a run of missing blocks: those that somebody waits for first, then the first that
 * no run has; else it takes the rest of the longest run. The only run is as long as can
 * be. false: there are none worth it. */
bool member_run_begin(struct member *member, struct member_run *run);

/* Is there such a run? */
bool member_has_run(const struct member *member);

/* The block run->next is there (member_block_done). true: the run goes on with the next
 * one. false: it is over, or somebody waits for another block, or it has been told to
 * end. */
bool member_run_advance(struct member *member, struct member_run *run);

/* What is left of it is anybody's. */
void member_run_end(struct member *member, struct member_run *run);

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
