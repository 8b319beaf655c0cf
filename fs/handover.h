/* handover.h: what passes from one worker to the next: a block of shared memory.
 *
 *     rc = handover_new(&handover, &err);          supervisor, once
 *     ... fork; the worker uses the block, dies, the next one goes on with it ...
 *     handover_free(handover);
 *
 * The supervisor only makes it; workers read and write it, one at a time. Nothing in it
 * points anywhere: a worker that is another binary maps it as well, if the layout version
 * is the same. Whatever is written is whole at any instant: the field that makes a record
 * valid is written last. */
#ifndef FS_HANDOVER_H
#define FS_HANDOVER_H

#include "common/error.h"
#include "fs/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HANDOVER_LAYOUT = 1,
    HANDOVER_INIT_MAX = 512,     /* bytes of an INIT request */
    HANDOVER_HANDLES = 16 << 10, /* files open with passthrough at once */
    HANDOVER_LINKS = 4096,       /* in alias folders, that no repository has */
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
    uint64_t node_id;     /* of a link */
    int64_t remove_at_ms; /* when the alias is to be removed */
    uint32_t name;        /* slot of a link's name; 0: the folder itself */
    uint32_t flags;
    uint32_t alias; /* slot of the folder's name; 0: free; written last */
    uint32_t reserved;
};

struct handover_block {
    uint32_t layout;
    uint32_t is_ended;                     /* the last worker serves no more */
    uint32_t is_ready;                     /* the first worker answered */
    uint64_t answered;                     /* replies written; a counter, never exact */
    int64_t start_s;                       /* Unix time of the mount */
    uint32_t next_serial;                  /* of handles */
    uint32_t handles_end;                  /* none at or above this was ever used */
    uint32_t init_size;                    /* 0 before INIT came; written last */
    unsigned char init[HANDOVER_INIT_MAX]; /* the request, with its header */
    struct kernel_init_out init_out;       /* the reply that binds every later worker */
    struct error failure;                  /* why the first worker could not start */
    struct handover_handle handles[HANDOVER_HANDLES];
    uint32_t links_end; /* none at or above this was ever used */
    struct handover_link links[HANDOVER_LINKS];
};

struct handover {
    int device_fd; /* /dev/fuse; the supervisor's mount owns it */
    int slots_fd;  /* of slots.h */
    int staged_fd; /* of staging_node.h */
    struct handover_block *block;
};

/* The slots' block is made too; device_fd is still to be set. */
int handover_new(struct handover **ret_handover, struct error *err);
void handover_free(struct handover *handover); /* accepts NULL */

#endif
