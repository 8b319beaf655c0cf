/* passthrough.c: the table of files that are open with passthrough. */
#include "fs/passthrough.h"

#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    INDEX_SHIFT = 32, /* a handle: its mark, index and serial */
};

/* A node that is open: private, built from the shared handles. */
struct backing {
    uint64_t node_id;
    uint32_t id;
    uint32_t handles;
    struct archive *archive; /* a reference; NULL: none, or not known */
    UT_hash_handle hh;
};

struct passthrough {
    struct lock lock;
    struct channel *channel;      /* constant */
    struct handover_block *block; /* constant; ->handles guarded by lock */
    struct backing *backings;     /* guarded by lock */
    uint32_t lowest_free;         /* no handle below is free; guarded by lock */
    bool is_off;                  /* it failed; guarded by lock */
};

static uint64_t handle_of(uint32_t index, uint32_t serial)
{
    return PASSTHROUGH_HANDLE | (uint64_t)index << INDEX_SHIFT | serial;
}

static struct backing *find_backing_locked(struct passthrough *passthrough,
                                           uint64_t node_id) REQUIRES(passthrough->lock)
{
    struct backing *backing;

    HASH_FIND(hh, passthrough->backings, &node_id, sizeof node_id, backing);
    return backing;
}

static struct backing *add_backing_locked(struct passthrough *passthrough,
                                          uint64_t node_id, uint32_t id)
    REQUIRES(passthrough->lock)
{
    struct backing *backing = XNEW(struct backing);

    backing->node_id = node_id;
    backing->id = id;
    HASH_ADD(hh, passthrough->backings, node_id, sizeof backing->node_id, backing);
    if (!backing->hh.tbl)
        abort(); /* no memory: the next worker builds it anew */
    return backing;
}

static void adopt_locked(struct passthrough *passthrough) REQUIRES(passthrough->lock)
{
    for (uint32_t i = 0; i < passthrough->block->handles_end; i++) {
        const struct handover_handle *handle = &passthrough->block->handles[i];
        struct backing *backing;

        if (handle->serial == 0)
            continue;
        backing = find_backing_locked(passthrough, handle->node_id);
        if (!backing)
            backing =
                add_backing_locked(passthrough, handle->node_id, handle->backing_id);
        backing->handles++;
    }
}

struct passthrough *passthrough_new(struct channel *channel, struct handover *handover)
{
    struct passthrough *passthrough = XNEW(struct passthrough);

    lock_init(&passthrough->lock);
    passthrough->channel = channel;
    passthrough->block = handover->block;
    lock_acquire(&passthrough->lock);
    adopt_locked(passthrough);
    lock_release(&passthrough->lock);
    return passthrough;
}

void passthrough_free(struct passthrough *passthrough)
{
    struct backing *backing, *next;

    if (!passthrough)
        return;
    HASH_ITER(hh, passthrough->backings, backing, next) {
        HASH_DEL(passthrough->backings, backing);
        archive_unref(backing->archive);
        free(backing);
    }
    lock_done(&passthrough->lock);
    free(passthrough);
}

/* A repeated request whose handle a worker before recorded. NULL if there is none. */
static const struct handover_handle *
find_repeated_locked(struct passthrough *passthrough, uint64_t node_id, uint64_t unique,
                     uint32_t *ret_index) REQUIRES(passthrough->lock)
{
    for (uint32_t i = 0; i < passthrough->block->handles_end; i++) {
        const struct handover_handle *handle = &passthrough->block->handles[i];

        if (handle->serial != 0 && handle->unique == unique &&
            handle->node_id == node_id) {
            *ret_index = i;
            return handle;
        }
    }
    return NULL;
}

/* A free place, or NULL. */
static struct handover_handle *find_free_locked(struct passthrough *passthrough,
                                                uint32_t *ret_index)
    REQUIRES(passthrough->lock)
{
    struct handover_block *block = passthrough->block;

    for (uint32_t i = passthrough->lowest_free; i < HANDOVER_HANDLES; i++) {
        if (block->handles[i].serial != 0)
            continue;
        passthrough->lowest_free = i + 1;
        if (i >= block->handles_end)
            __atomic_store_n(&block->handles_end, i + 1, __ATOMIC_RELEASE);
        *ret_index = i;
        return &block->handles[i];
    }
    return NULL;
}

static uint32_t next_serial_locked(struct passthrough *passthrough)
    REQUIRES(passthrough->lock)
{
    if (++passthrough->block->next_serial == 0)
        passthrough->block->next_serial = 1;
    return passthrough->block->next_serial;
}

/* The node's backing, registered now if it is not open yet. */
static int get_backing_locked(struct passthrough *passthrough,
                              const struct passthrough_wish *wish,
                              struct backing **ret_backing, struct error *err)
    REQUIRES(passthrough->lock)
{
    uint32_t id;
    int rc;

    *ret_backing = find_backing_locked(passthrough, wish->node_id);
    if (*ret_backing)
        return 0;
    if (passthrough->is_off)
        return fail(err, ENOTSUP, "passthrough failed before");
    rc = channel_backing_open(passthrough->channel, wish->fd, &id, err);
    passthrough->is_off = rc < 0;
    if (rc == 0)
        *ret_backing = add_backing_locked(passthrough, wish->node_id, id);
    return rc < 0 ? fail_context(err, -ENOTSUP, "no passthrough") : 0;
}

static int open_locked(struct passthrough *passthrough,
                       const struct passthrough_wish *wish, uint64_t *ret_handle,
                       uint32_t *ret_backing_id, struct error *err)
    REQUIRES(passthrough->lock)
{
    struct handover_handle *handle;
    struct backing *backing;
    uint32_t index;
    int rc = get_backing_locked(passthrough, wish, &backing, err);

    if (rc < 0)
        return rc;
    handle = find_free_locked(passthrough, &index);
    if (!handle) /* others may have the node open: it must not be mixed */
        return fail(err, ENFILE, "more than %d files are open", HANDOVER_HANDLES);
    backing->handles++;
    if (wish->archive && !backing->archive)
        backing->archive = archive_ref(wish->archive);
    handle->node_id = wish->node_id;
    handle->unique = wish->unique & ~KERNEL_UNIQUE_RESEND;
    handle->backing_id = backing->id;
    __atomic_store_n(&handle->serial, next_serial_locked(passthrough), __ATOMIC_RELEASE);
    *ret_handle = handle_of(index, handle->serial);
    *ret_backing_id = backing->id;
    return 0;
}

int passthrough_open(struct passthrough *passthrough, const struct passthrough_wish *wish,
                     uint64_t *ret_handle, uint32_t *ret_backing_id, struct error *err)
{
    const struct handover_handle *repeated = NULL;
    uint32_t index;
    int rc = 0;

    lock_acquire(&passthrough->lock);
    if (wish->unique & KERNEL_UNIQUE_RESEND)
        repeated = find_repeated_locked(passthrough, wish->node_id,
                                        wish->unique & ~KERNEL_UNIQUE_RESEND, &index);
    if (repeated) {
        *ret_handle = handle_of(index, repeated->serial);
        *ret_backing_id = repeated->backing_id;
    } else {
        rc = open_locked(passthrough, wish, ret_handle, ret_backing_id, err);
    }
    lock_release(&passthrough->lock);
    return rc;
}

void passthrough_release(struct passthrough *passthrough, uint64_t handle)
{
    uint64_t index = (handle & ~PASSTHROUGH_HANDLE) >> INDEX_SHIFT;
    struct archive *archive = NULL;
    struct handover_handle *entry;
    struct backing *backing;

    if (index >= HANDOVER_HANDLES)
        return;
    entry = &passthrough->block->handles[index];
    lock_acquire(&passthrough->lock);
    if (entry->serial != 0 && handle_of((uint32_t)index, entry->serial) == handle) {
        backing = find_backing_locked(passthrough, entry->node_id);
        /* First forgotten, then closed: killed in between, one ID leaks; the other way
         * round the next worker would hand out a dead one. */
        __atomic_store_n(&entry->serial, 0, __ATOMIC_RELEASE);
        if (index < passthrough->lowest_free)
            passthrough->lowest_free = (uint32_t)index;
        if (--backing->handles == 0) {
            channel_backing_close(passthrough->channel, backing->id);
            HASH_DEL(passthrough->backings, backing);
            archive = backing->archive;
            free(backing);
        }
    }
    lock_release(&passthrough->lock);
    archive_unref(archive);
}
