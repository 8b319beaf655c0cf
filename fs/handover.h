/* handover.h: what passes from one worker to the next: a block of shared memory.
 *
 *     rc = handover_new(&handover, &err);          supervisor, once
 *     ... fork; the worker calls handover_take and uses the block until it dies ...
 *     handover_free(handover);
 *
 * The supervisor only makes it; workers read and write it, one at a time. Nothing in it
 * points anywhere: a worker that is another program maps it as well (handover_adopt), if
 * the layout version is the same. Whatever is written is whole at any instant: the field
 * that makes a record valid is written last. */
#ifndef FS_HANDOVER_H
#define FS_HANDOVER_H

#include "common/error.h"
#include "fs/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    HANDOVER_LAYOUT = 5,          /* another one whenever the block changes */
    HANDOVER_INIT_MAX = 512,      /* bytes of an INIT request */
    HANDOVER_HANDLES = 256 << 10, /* files open with passthrough at once */
    HANDOVER_LINKS = 4096,        /* in alias folders, that no repository has */
    HANDOVER_THREADS = 256,       /* of a worker, that execute requests */
    HANDOVER_REQUESTS = 32 << 10, /* unanswered at once, where the kernel cannot resend */
    HANDOVER_SUSPECTS = 64,       /* requests that workers died of */
};

/* The descriptors that make up a mount, in the order in which they are passed on. */
enum handover_fd {
    HANDOVER_DEVICE,
    HANDOVER_BLOCK,
    HANDOVER_SLOTS,
    HANDOVER_STAGED,
    HANDOVER_FDS,
};

/* A file that is open with passthrough. */
struct handover_handle {
    uint64_t node_id;
    uint64_t unique; /* of the OPEN request, without the bit that marks a repetition */
    uint32_t backing_id;
    uint32_t serial; /* 0: free; written last */
};

/* A link in an alias folder, or such a folder itself, that no repository has
 * (pending_store.h). */
struct handover_link {
    uint64_t node_id;     /* of a link; of a folder's `current` that was unlinked, or 0 */
    int64_t remove_at_ms; /* when the alias is to be removed */
    uint32_t name;        /* slot of a link's name; 0: the folder itself */
    uint32_t flags;
    uint32_t alias; /* slot of the folder's name; 0: free; written last */
    uint32_t reserved;
};

/* What a thread of the worker is doing (ledger.h). */
struct handover_thread {
    struct kernel_in_header header; /* of its request; unique is 0 while there is none */
    uint32_t is_used;
    uint32_t has_failed; /* the worker died of a fault in this thread */
};

struct handover_suspect {
    uint64_t unique; /* without the bit that marks a repetition */
    uint32_t deaths;
    uint32_t reserved;
};

struct handover_block {
    char magic[8];
    uint32_t layout;
    int32_t oom_score_adj;     /* of a worker */
    int32_t ended;             /* the worker that serves no more */
    uint32_t is_ready;         /* the first worker answered */
    int32_t supervisor;        /* process IDs */
    int32_t worker;            /* the one that serves */
    int32_t prepared;          /* the one that waits to be the next */
    int32_t ready;             /* the last that began to serve */
    int32_t death_signal;      /* that ended the last worker; 0: none */
    uint32_t restarts;         /* after deaths */
    uint32_t upgrades;         /* by SIGUSR2 */
    uint32_t is_fault_noted;   /* by the thread in which it happened */
    uint32_t can_resend;       /* the kernel; known when INIT was answered */
    uint32_t is_refused;       /* the last upgrade was; written after refused */
    int32_t supervisor_before; /* whose mount it was; it has ended; 0: there was none */
    uint32_t padding;
    uint64_t answered;                     /* replies written; a counter, never exact */
    int64_t start_s;                       /* Unix time of the mount */
    uint32_t next_serial;                  /* of handles */
    uint32_t handles_end;                  /* none at or above this was ever used */
    uint32_t next_suspect;                 /* to be overwritten */
    uint32_t init_size;                    /* 0 before INIT came; written last */
    unsigned char init[HANDOVER_INIT_MAX]; /* the request, with its header */
    struct kernel_init_out init_out;       /* the reply that binds every later worker */
    struct error failure;                  /* why the last worker could not start */
    char refused[ERROR_MESSAGE_MAX]; /* why the last upgrade was, by the supervisor */
    struct handover_suspect suspects[HANDOVER_SUSPECTS];
    struct handover_thread threads[HANDOVER_THREADS];
    uint64_t requests[HANDOVER_REQUESTS]; /* unanswered, by their unique; 0: free */
    struct handover_handle handles[HANDOVER_HANDLES];
    uint32_t links_end; /* none at or above this was ever used */
    struct handover_link links[HANDOVER_LINKS];
};

struct handover {
    int device_fd; /* /dev/fuse; the supervisor's mount owns it */
    int block_fd;
    int slots_fd;  /* of slots.h */
    int staged_fd; /* of staging_node.h */
    struct handover_block *block;
};

/* The slots' block is made too; device_fd is still to be set. */
int handover_new(struct handover **ret_handover, struct error *err);

/* The same block in another process; all descriptors but the device's become ours, on
 * success. -EPROTO when it is of another layout or no such block. */
int handover_adopt(const int fds[HANDOVER_FDS], struct handover **ret_handover,
                   struct error *err);

void handover_free(struct handover *handover); /* accepts NULL */

/* The descriptors in the order of enum handover_fd, lent. */
void handover_list(const struct handover *handover, int ret_fds[HANDOVER_FDS]);

/* For the worker: wait until the worker before is gone, whoever started it, and keep all
 * others from working until this process is gone. prepared(handover) runs before, when
 * the end of that worker would be noticed. -EINTR when a signal comes. */
int handover_take(struct handover *handover, void (*prepared)(struct handover *handover),
                  struct error *err);

/* Kill the process that has taken it, if there is one, and wait for its end. */
void handover_free_from_worker(const struct handover *handover);

#endif
