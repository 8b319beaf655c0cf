/* slots.c: texts in a block of shared memory, found again by an index of our own. */
#include "fs/slots.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"
#include "fs/node_id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

enum {
    LAYOUT_VERSION = 2,
    RECORD_ALIGN = 8, /* slot = offset / RECORD_ALIGN */
    INDEX_SIZE_MIN = 256,
};

static const uint64_t BLOCK_SIZE = 1 << 30; /* reserved addresses; pages come as used */
static const char MAGIC[8] = "mfslots";

struct block_head {
    char magic[8];
    uint32_t layout_version;
    uint32_t reserved;
    uint64_t used; /* bytes with this head; written after the record it covers */
};

struct record {
    uint32_t size; /* of text, with its NUL */
    char text[];
};

struct slots {
    struct lock lock;
    int fd;                   /* constant after open */
    struct block_head *block; /* constant after open; ->used guarded by lock */
    uint32_t *index;        /* slots by hash of their text, 0 is free; guarded by lock */
    size_t index_size;      /* a power of two; guarded by lock */
    size_t count;           /* guarded by lock */
    uint32_t *repositories; /* slots by number; constant once all were added */
    unsigned repository_count;
};

static struct record *record_at(const struct slots *slots, uint64_t offset)
{
    return (struct record *)((char *)slots->block + offset);
}

static uint64_t record_size(size_t text_size)
{
    uint64_t size = sizeof(struct record) + text_size;

    return (size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* The place of text in the index: its slot, or the free place where it belongs. */
static uint32_t *index_place_locked(struct slots *slots, const char *text)
    REQUIRES(slots->lock)
{
    size_t mask = slots->index_size - 1;
    size_t at = (size_t)XXH3_64bits(text, strlen(text)) & mask;

    while (slots->index[at] != 0) {
        uint64_t offset = (uint64_t)slots->index[at] * RECORD_ALIGN;

        if (strcmp(record_at(slots, offset)->text, text) == 0)
            break;
        at = (at + 1) & mask;
    }
    return &slots->index[at];
}

static void index_grow_locked(struct slots *slots) REQUIRES(slots->lock)
{
    uint32_t *before = slots->index;
    size_t size_before = slots->index_size;

    slots->index_size = size_before * 2;
    slots->index = xcalloc(slots->index_size, sizeof *slots->index);
    for (size_t i = 0; i < size_before; i++) {
        if (before[i] != 0) {
            uint64_t offset = (uint64_t)before[i] * RECORD_ALIGN;

            *index_place_locked(slots, record_at(slots, offset)->text) = before[i];
        }
    }
    free(before);
}

/* The latest of several records of a text is found. */
static void index_add_locked(struct slots *slots, uint64_t offset) REQUIRES(slots->lock)
{
    uint32_t *place;

    if (slots->count * 2 >= slots->index_size)
        index_grow_locked(slots);
    place = index_place_locked(slots, record_at(slots, offset)->text);
    slots->count += *place == 0;
    *place = (uint32_t)(offset / RECORD_ALIGN);
}

static int index_build_locked(struct slots *slots, struct error *err)
    REQUIRES(slots->lock)
{
    uint64_t used = slots->block->used;
    uint64_t offset = sizeof *slots->block;

    while (offset < used) {
        const struct record *record = record_at(slots, offset);

        if (record->size == 0 || record_size(record->size) > used - offset)
            return fail(err, EPROTO, "the slot table is damaged at byte %ju",
                        (uintmax_t)offset);
        index_add_locked(slots, offset);
        offset += record_size(record->size);
    }
    return 0;
}

static int block_check(const struct block_head *block, struct error *err)
{
    if (memcmp(block->magic, MAGIC, sizeof block->magic) != 0 ||
        block->layout_version != LAYOUT_VERSION || block->used < sizeof *block ||
        block->used > BLOCK_SIZE)
        return fail(err, EPROTO,
                    "the slot table has a layout this version does not know");
    return 0;
}

static int block_map(struct slots *slots, struct error *err)
{
    bool is_new = slots->fd < 0;

    if (is_new) {
        slots->fd = memfd_create("modelfs-slots", MFD_CLOEXEC);
        if (slots->fd < 0)
            return fail_errno(err, "create the slot table");
        if (ftruncate(slots->fd, (off_t)BLOCK_SIZE) < 0)
            return fail_errno(err, "size the slot table");
    }
    slots->block =
        mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, slots->fd, 0);
    if (slots->block == MAP_FAILED) {
        slots->block = NULL;
        return fail_errno(err, "map the slot table");
    }
    if (is_new) {
        memcpy(slots->block->magic, MAGIC, sizeof slots->block->magic);
        slots->block->layout_version = LAYOUT_VERSION;
        slots->block->used = sizeof *slots->block;
    }
    return block_check(slots->block, err);
}

int slots_open(int fd, struct slots **ret_slots, struct error *err)
{
    struct slots *slots = XNEW(struct slots);
    int rc;

    lock_init(&slots->lock);
    slots->fd = fd;
    slots->index_size = INDEX_SIZE_MIN;
    slots->index = xcalloc(slots->index_size, sizeof *slots->index);
    rc = block_map(slots, err);
    if (rc == 0) {
        lock_acquire(&slots->lock);
        rc = index_build_locked(slots, err);
        lock_release(&slots->lock);
    }
    if (rc < 0) {
        slots_close(slots);
        return rc;
    }
    *ret_slots = slots;
    return 0;
}

void slots_close(struct slots *slots)
{
    if (!slots)
        return;
    if (slots->block)
        munmap(slots->block, BLOCK_SIZE);
    if (slots->fd >= 0)
        close(slots->fd);
    free(slots->index);
    free(slots->repositories);
    lock_done(&slots->lock);
    free(slots);
}

int slots_fd(const struct slots *slots)
{
    return slots->fd;
}

static int add_locked(struct slots *slots, const char *text, uint32_t *ret_slot,
                      struct error *err) REQUIRES(slots->lock)
{
    size_t size = strlen(text) + 1;
    uint64_t offset = slots->block->used;
    struct record *record = record_at(slots, offset);

    if (record_size(size) > BLOCK_SIZE - offset)
        return fail(err, ENOMEM, "the slot table is full: mount anew");
    record->size = (uint32_t)size;
    memcpy(record->text, text, size);
    __atomic_store_n(&slots->block->used, offset + record_size(size), __ATOMIC_RELEASE);
    index_add_locked(slots, offset);
    *ret_slot = (uint32_t)(offset / RECORD_ALIGN);
    return 0;
}

int slots_intern(struct slots *slots, const char *text, uint32_t *ret_slot,
                 struct error *err)
{
    uint32_t slot;
    int rc = 0;

    lock_acquire(&slots->lock);
    slot = *index_place_locked(slots, text);
    if (slot != 0)
        *ret_slot = slot;
    else
        rc = add_locked(slots, text, ret_slot, err);
    lock_release(&slots->lock);
    return rc;
}

int slots_renew(struct slots *slots, const char *text, struct error *err)
{
    uint32_t slot;
    int rc = 0;

    lock_acquire(&slots->lock);
    if (*index_place_locked(slots, text) != 0)
        rc = add_locked(slots, text, &slot, err);
    lock_release(&slots->lock);
    return rc;
}

const char *slots_text(struct slots *slots, uint32_t slot)
{
    uint64_t offset = (uint64_t)slot * RECORD_ALIGN;
    const struct record *record;

    if (offset < sizeof *slots->block ||
        offset >= __atomic_load_n(&slots->block->used, __ATOMIC_ACQUIRE))
        return NULL;
    record = record_at(slots, offset);
    return record->size > 0 ? record->text : NULL;
}

int slots_add_repository(struct slots *slots, const char *location, struct error *err)
{
    unsigned count = slots->repository_count;
    uint32_t *all = reallocarray(slots->repositories, count + 1, sizeof *all);

    if (!all)
        return fail(err, ENOMEM, "no memory for %u repositories", count + 1);
    slots->repositories = all;
    if (slots_intern(slots, location, &all[count], err) < 0)
        return -err->code;
    slots->repository_count++;
    return 0;
}

bool slots_repository(const struct slots *slots, unsigned number, uint32_t *ret_slot)
{
    if (number >= slots->repository_count)
        return false;
    *ret_slot = slots->repositories[number];
    return true;
}

bool slots_find_repository(const struct slots *slots, uint32_t slot, unsigned *ret_number)
{
    for (unsigned i = 0; i < slots->repository_count; i++) {
        if (slots->repositories[i] == slot) {
            *ret_number = i;
            return true;
        }
    }
    return false;
}

size_t slots_count(struct slots *slots)
{
    size_t count;

    lock_acquire(&slots->lock);
    count = slots->count;
    lock_release(&slots->lock);
    return count;
}
