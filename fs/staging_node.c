/* staging_node.c: numbers of staged files, in shared memory. */
#include "fs/staging_node.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/node_id.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    LAYOUT_VERSION = 1,
    RECORDS_MAX = 1 << 25,
    DEPTH_MAX = PATH_MAX / 2,
};

static const char MAGIC[8] = "mfstage";

struct record {
    uint64_t inode;
    uint32_t parent;
    uint32_t name; /* a slot */
    uint32_t is_dead;
    uint32_t reserved;
};

struct block {
    char magic[8];
    uint32_t layout_version;
    uint32_t count; /* of records; written after the record it covers */
    struct record records[];
};

static const uint64_t BLOCK_SIZE =
    sizeof(struct block) + RECORDS_MAX * sizeof(struct record);

/* Only the living are found by their inode. */
struct index_entry {
    uint64_t inode;
    uint32_t number;
    UT_hash_handle hh;
};

struct staging_nodes {
    struct lock lock;
    struct slots *slots;       /* constant */
    int fd;                    /* constant */
    struct block *block;       /* constant; what it holds is guarded by lock */
    struct index_entry *index; /* guarded by lock */
};

static int index_add_locked(struct staging_nodes *nodes, uint64_t inode, uint32_t number,
                            struct error *err) REQUIRES(nodes->lock)
{
    struct index_entry *entry = XNEW(struct index_entry);

    entry->inode = inode;
    entry->number = number;
    HASH_ADD(hh, nodes->index, inode, sizeof entry->inode, entry);
    if (entry->hh.tbl)
        return 0;
    free(entry);
    return fail(err, ENOMEM, "no memory for a staged file");
}

static struct index_entry *index_find_locked(struct staging_nodes *nodes, uint64_t inode)
    REQUIRES(nodes->lock)
{
    struct index_entry *entry;

    HASH_FIND(hh, nodes->index, &inode, sizeof inode, entry);
    return entry;
}

static int index_build_locked(struct staging_nodes *nodes, struct error *err)
    REQUIRES(nodes->lock)
{
    int rc = 0;

    for (uint32_t i = 1; rc == 0 && i < nodes->block->count; i++) {
        const struct record *record = &nodes->block->records[i];

        if (!record->is_dead)
            rc = index_add_locked(nodes, record->inode, i, err);
    }
    return rc;
}

static int block_map(struct staging_nodes *nodes, struct error *err)
{
    bool is_new = nodes->fd < 0;

    if (is_new) {
        nodes->fd = memfd_create("modelfs-staging", MFD_CLOEXEC);
        if (nodes->fd < 0 || ftruncate(nodes->fd, (off_t)BLOCK_SIZE) < 0)
            return fail_errno(err, "create the table of staged files");
    }
    nodes->block =
        mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, nodes->fd, 0);
    if (nodes->block == MAP_FAILED) {
        nodes->block = NULL;
        return fail_errno(err, "map the table of staged files");
    }
    if (is_new) {
        memcpy(nodes->block->magic, MAGIC, sizeof nodes->block->magic);
        nodes->block->layout_version = LAYOUT_VERSION;
        nodes->block->count = 1;
    }
    if (memcmp(nodes->block->magic, MAGIC, sizeof nodes->block->magic) != 0 ||
        nodes->block->layout_version != LAYOUT_VERSION ||
        nodes->block->count > RECORDS_MAX)
        return fail(err, EPROTO,
                    "the table of staged files has a layout this version does not know");
    return 0;
}

int staging_nodes_open(int fd, struct slots *slots, struct staging_nodes **ret_nodes,
                       struct error *err)
{
    struct staging_nodes *nodes = XNEW(struct staging_nodes);
    int rc;

    lock_init(&nodes->lock);
    nodes->slots = slots;
    nodes->fd = fd;
    rc = block_map(nodes, err);
    if (rc == 0) {
        lock_acquire(&nodes->lock);
        rc = index_build_locked(nodes, err);
        lock_release(&nodes->lock);
    }
    if (rc < 0) {
        staging_nodes_close(nodes);
        return rc;
    }
    *ret_nodes = nodes;
    return 0;
}

void staging_nodes_close(struct staging_nodes *nodes)
{
    struct index_entry *entry, *next;

    if (!nodes)
        return;
    HASH_ITER(hh, nodes->index, entry, next)
    {
        HASH_DEL(nodes->index, entry);
        free(entry);
    }
    if (nodes->block)
        munmap(nodes->block, BLOCK_SIZE);
    if (nodes->fd >= 0)
        close(nodes->fd);
    lock_done(&nodes->lock);
    free(nodes);
}

int staging_nodes_fd(const struct staging_nodes *nodes)
{
    return nodes->fd;
}

static struct record *record_locked(struct staging_nodes *nodes, uint32_t number)
    REQUIRES(nodes->lock)
{
    return number > 0 && number < nodes->block->count ? &nodes->block->records[number]
                                                      : NULL;
}

static int add_locked(struct staging_nodes *nodes, const struct record *record,
                      uint32_t *ret_number, struct error *err) REQUIRES(nodes->lock)
{
    uint32_t number = nodes->block->count;
    int rc;

    if (number >= RECORDS_MAX)
        return fail(err, ENOSPC, "the table of staged files is full: mount anew");
    rc = index_add_locked(nodes, record->inode, number, err);
    if (rc < 0)
        return rc;
    nodes->block->records[number] = *record;
    __atomic_store_n(&nodes->block->count, number + 1, __ATOMIC_RELEASE);
    *ret_number = number;
    return 0;
}

int staging_node_intern(struct staging_nodes *nodes, uint64_t inode, uint32_t parent,
                        const char *name, uint32_t *ret_number, struct error *err)
{
    struct record record = {.inode = inode, .parent = parent};
    const struct index_entry *entry;
    int rc = slots_intern(nodes->slots, name, &record.name, err);

    if (rc < 0)
        return rc;
    lock_acquire(&nodes->lock);
    entry = index_find_locked(nodes, inode);
    if (entry) {
        nodes->block->records[entry->number] = record;
        *ret_number = entry->number;
    } else {
        rc = add_locked(nodes, &record, ret_number, err);
    }
    lock_release(&nodes->lock);
    return rc;
}

bool staging_node_find(struct staging_nodes *nodes, uint64_t inode, uint32_t *ret_number)
{
    const struct index_entry *entry;

    lock_acquire(&nodes->lock);
    entry = index_find_locked(nodes, inode);
    if (entry)
        *ret_number = entry->number;
    lock_release(&nodes->lock);
    return entry != NULL;
}

/* The names from number up to the top, at most DEPTH_MAX; the count, 0 if one is dead. */
static size_t chain_locked(struct staging_nodes *nodes, uint32_t number,
                           const char *names[DEPTH_MAX]) REQUIRES(nodes->lock)
{
    size_t count = 0;

    while (number != 0) {
        const struct record *record = record_locked(nodes, number);

        if (!record || record->is_dead || count == DEPTH_MAX)
            return 0;
        names[count++] = slots_text(nodes->slots, record->name);
        number = record->parent;
    }
    return count;
}

int staging_node_path(struct staging_nodes *nodes, uint32_t number, char path[PATH_MAX],
                      struct error *err)
{
    const char *names[DEPTH_MAX];
    size_t count, used = 0;

    path[0] = '\0';
    if (number == 0)
        return 0;
    lock_acquire(&nodes->lock);
    count = chain_locked(nodes, number, names);
    lock_release(&nodes->lock);
    if (count == 0)
        return fail(err, ESTALE, "the staged file is gone");
    while (count-- > 0) {
        size_t size = strlen(names[count]);

        if (used + size + 2 > PATH_MAX)
            return fail(err, ENAMETOOLONG, "the path of a staged file is too long");
        memcpy(path + used, names[count], size);
        used += size;
        path[used++] = count > 0 ? '/' : '\0';
    }
    return 0;
}

const char *staging_node_top(struct staging_nodes *nodes, uint32_t number)
{
    const char *names[DEPTH_MAX];
    size_t count;

    lock_acquire(&nodes->lock);
    count = chain_locked(nodes, number, names);
    lock_release(&nodes->lock);
    return count > 0 ? names[count - 1] : NULL;
}

bool staging_node_is_dead(struct staging_nodes *nodes, uint32_t number)
{
    const struct record *record;
    bool is_dead;

    lock_acquire(&nodes->lock);
    record = record_locked(nodes, number);
    is_dead = record && record->is_dead;
    lock_release(&nodes->lock);
    return is_dead;
}

uint64_t staging_node_inode(struct staging_nodes *nodes, uint32_t number)
{
    const struct record *record;
    uint64_t inode;

    lock_acquire(&nodes->lock);
    record = record_locked(nodes, number);
    inode = record ? record->inode : 0;
    lock_release(&nodes->lock);
    return inode;
}

static void kill_locked(struct staging_nodes *nodes, uint32_t number)
    REQUIRES(nodes->lock)
{
    struct record *record = record_locked(nodes, number);
    struct index_entry *entry;

    if (!record || record->is_dead)
        return;
    record->is_dead = 1;
    entry = index_find_locked(nodes, record->inode);
    if (entry && entry->number == number) {
        HASH_DEL(nodes->index, entry);
        free(entry);
    }
}

void staging_node_kill(struct staging_nodes *nodes, uint32_t number)
{
    lock_acquire(&nodes->lock);
    kill_locked(nodes, number);
    lock_release(&nodes->lock);
}

void staging_node_kill_top(struct staging_nodes *nodes, const char *top)
{
    const char *names[DEPTH_MAX];
    bool *is_below;
    uint32_t count;

    lock_acquire(&nodes->lock);
    count = nodes->block->count;
    is_below = xcalloc(count, sizeof *is_below);
    for (uint32_t i = 1; i < count; i++) {
        size_t depth = chain_locked(nodes, i, names);

        is_below[i] = depth > 0 && strcmp(names[depth - 1], top) == 0;
    }
    for (uint32_t i = 1; i < count; i++) {
        if (is_below[i])
            kill_locked(nodes, i);
    }
    lock_release(&nodes->lock);
    free(is_below);
}
