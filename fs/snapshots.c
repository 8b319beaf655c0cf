/* snapshots.c: the table of texts that are being read. */
#include "fs/snapshots.h"

#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct text {
    uint64_t handle;
    char *data;
    size_t size;
    UT_hash_handle hh;
};

struct snapshots {
    struct lock lock;
    struct text *table;   /* guarded by lock */
    uint64_t next_handle; /* guarded by lock */
};

struct snapshots *snapshots_new(void)
{
    struct snapshots *snapshots = XNEW(struct snapshots);

    lock_init(&snapshots->lock);
    snapshots->next_handle = SNAPSHOT_HANDLE | (uint64_t)clock_now_ms() << 20;
    return snapshots;
}

static void text_free(struct text *text)
{
    if (!text)
        return;
    free(text->data);
    free(text);
}

void snapshots_free(struct snapshots *snapshots)
{
    struct text *text, *next;

    if (!snapshots)
        return;
    HASH_ITER(hh, snapshots->table, text, next) {
        HASH_DEL(snapshots->table, text);
        text_free(text);
    }
    lock_done(&snapshots->lock);
    free(snapshots);
}

uint64_t snapshots_handle(struct snapshots *snapshots)
{
    uint64_t handle;

    lock_acquire(&snapshots->lock);
    handle = ++snapshots->next_handle;
    lock_release(&snapshots->lock);
    return handle;
}

static struct text *take_locked(struct snapshots *snapshots, uint64_t handle)
    REQUIRES(snapshots->lock)
{
    struct text *text;

    HASH_FIND(hh, snapshots->table, &handle, sizeof handle, text);
    if (text)
        HASH_DEL(snapshots->table, text);
    return text;
}

int snapshots_keep(struct snapshots *snapshots, uint64_t handle, const struct bytes *text,
                   struct error *err)
{
    struct text *made = XNEW(struct text), *before;
    bool is_there;

    made->handle = handle;
    made->size = text->size;
    made->data = malloc(text->size + 1);
    if (!made->data) {
        free(made);
        return fail(err, ENOMEM, "no memory for a text of %zu bytes", text->size);
    }
    memcpy(made->data, text->data, text->size);
    lock_acquire(&snapshots->lock);
    before = take_locked(snapshots, handle);
    HASH_ADD(hh, snapshots->table, handle, sizeof made->handle, made);
    is_there = made->hh.tbl != NULL; /* uthash leaves it NULL without memory */
    lock_release(&snapshots->lock);
    text_free(before);
    if (!is_there)
        text_free(made);
    return is_there ? 0 : fail(err, ENOMEM, "no memory for a text");
}

int snapshots_find(struct snapshots *snapshots, uint64_t handle, struct bytes *to,
                   struct error *err)
{
    struct text *text;
    int rc;

    lock_acquire(&snapshots->lock);
    HASH_FIND(hh, snapshots->table, &handle, sizeof handle, text);
    rc = text ? bytes_append(to, text->data, text->size, err)
              : fail(err, ENOENT, "the text was made by a process before this one");
    lock_release(&snapshots->lock);
    return rc;
}

void snapshots_drop(struct snapshots *snapshots, uint64_t handle)
{
    struct text *text;

    lock_acquire(&snapshots->lock);
    text = take_locked(snapshots, handle);
    lock_release(&snapshots->lock);
    text_free(text);
}
