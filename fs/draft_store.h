/* draft_store.h: texts of drafts.c on disk, so that the next worker, or the next mount,
 * has what was written.
 *
 *     <cache>/.modelfs/drafts/<handle>     a head of fixed size and the text; locked by
 *                                          flock(2) as long as somebody works on it
 *
 * Who else writes there is not trusted. Local I/O; nothing is synced: a text that was not
 * sent yet may be lost with the machine, as in any file. */
#ifndef FS_DRAFT_STORE_H
#define FS_DRAFT_STORE_H

#include "common/bytes.h"
#include "common/error.h"
#include "publish/process.h"
#include "resolver/release.h"

#include <stdbool.h>
#include <stdint.h>

/* What is to be known of a draft beside its text. */
struct draft_head {
    char magic[8];
    uint32_t is_merged; /* else the text replaces what is there */
    uint32_t is_dirty;  /* as in drafts.c */
    uint32_t is_flushed;
    uint32_t is_refused;
    uint32_t is_released; /* the last handle is closed */
    uint32_t repository;
    uint64_t node_id; /* of the mount that wrote it */
    char owner[PROCESS_NAME_SIZE];
    char uid[RELEASE_UID_SIZE];
};

/* The folder, made if need be: a descriptor. */
int draft_store_open(const char *cache_root, struct error *err);

/* A new file, open and locked: a descriptor. -1 with store_fd -1, or when it cannot be
 * made (which is logged): then nothing is kept of the draft. */
int draft_store_create(int store_fd, uint64_t handle, const struct draft_head *head);

/* All for a draft's descriptor, -1 being fine. false: it is not kept any more, the disk
 * is full, say. */
bool draft_store_set(int fd, const struct draft_head *head);
bool draft_store_put(int fd, const void *data, size_t size, uint64_t offset);
bool draft_store_cut(int fd, uint64_t size);

void draft_store_remove(int store_fd, uint64_t handle);

/* Each file that nobody works on is locked, read and given to found, which owns fd; what
 * makes no sense is removed. text has the limit YAML_BYTES_MAX. */
typedef void draft_store_found(void *arg, uint64_t handle, int fd,
                               const struct draft_head *head, struct bytes *text);
void draft_store_each(int store_fd, draft_store_found *found, void *arg);

#endif
