/* staging_cells.c: cells of shared memory, taken and given back. */
#include "fs/staging_cells.h"

#include "common/memory.h"
#include "fs/node_id.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LAYOUT_VERSION = 2,
    CELLS_MAX = 1 << 25,
};

static const char MAGIC[8] = "mfstage";

struct block {
    char magic[8];
    uint32_t layout_version;
    uint32_t count; /* no cell at or above it was ever used */
    uint32_t generation;
    uint32_t reserved[3];
    struct staging_cell cells[];
};

static const uint64_t BLOCK_SIZE = /* reserved addresses; pages come as used */
    sizeof(struct block) + CELLS_MAX * sizeof(struct staging_cell);

struct staging_cells {
    int fd;
    struct block *block;
    uint32_t free; /* the first of those given back, linked by next; 0: none */
};

static int check(const struct block *block, struct error *err)
{
    if (memcmp(block->magic, MAGIC, sizeof block->magic) != 0 ||
        block->layout_version != LAYOUT_VERSION || block->count > CELLS_MAX)
        return fail(err, EPROTO,
                    "the table of staged files has a layout this version does not know");
    return 0;
}

static int map(struct staging_cells *cells, struct error *err)
{
    bool is_new = cells->fd < 0;

    if (is_new) {
        cells->fd = memfd_create("modelfs-staging", MFD_CLOEXEC);
        if (cells->fd < 0 || ftruncate(cells->fd, (off_t)BLOCK_SIZE) < 0)
            return fail_errno(err, "create the table of staged files");
    }
    cells->block =
        mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, cells->fd, 0);
    if (cells->block == MAP_FAILED) {
        cells->block = NULL;
        return fail_errno(err, "map the table of staged files");
    }
    if (is_new) {
        memcpy(cells->block->magic, MAGIC, sizeof cells->block->magic);
        cells->block->layout_version = LAYOUT_VERSION;
        cells->block->count = 1;
    }
    return check(cells->block, err);
}

int staging_cells_open(int fd, struct staging_cells **ret_cells, struct error *err)
{
    struct staging_cells *cells = XNEW(struct staging_cells);
    int rc;

    cells->fd = fd;
    rc = map(cells, err);
    if (rc < 0) {
        staging_cells_close(cells);
        return rc;
    }
    *ret_cells = cells;
    return 0;
}

void staging_cells_close(struct staging_cells *cells)
{
    if (!cells)
        return;
    if (cells->block)
        munmap(cells->block, BLOCK_SIZE);
    if (cells->fd >= 0)
        close(cells->fd);
    free(cells);
}

int staging_cells_fd(const struct staging_cells *cells)
{
    return cells->fd;
}

uint32_t staging_cells_count(const struct staging_cells *cells)
{
    return cells->block->count;
}

struct staging_cell *staging_cells_at(const struct staging_cells *cells, uint32_t index)
{
    return &cells->block->cells[index];
}

int staging_cells_take(struct staging_cells *cells, uint32_t *ret_index,
                       struct error *err)
{
    uint32_t index = cells->free;

    if (index != 0)
        cells->free = staging_cells_at(cells, index)->next;
    else if (cells->block->count < CELLS_MAX)
        index = cells->block->count++;
    else
        return fail(err, ENOSPC, "more staged files than @staging can tell apart");
    *staging_cells_at(cells, index) = (struct staging_cell){.kind = CELL_FREE};
    *ret_index = index;
    return 0;
}

void staging_cells_set(struct staging_cells *cells, uint32_t index,
                       enum staging_cell_kind kind)
{
    __atomic_store_n(&staging_cells_at(cells, index)->kind, kind, __ATOMIC_RELEASE);
}

void staging_cells_give(struct staging_cells *cells, uint32_t index)
{
    staging_cells_set(cells, index, CELL_FREE);
    staging_cells_at(cells, index)->next = cells->free;
    cells->free = index;
}

int staging_cells_put_name(struct staging_cells *cells, const char *name,
                           uint32_t *ret_index, struct error *err)
{
    size_t left = strlen(name);
    const size_t part = sizeof(((struct staging_cell *)NULL)->text);
    uint32_t first = 0;

    while (left > 0) { /* from its end, so that each part knows the next one */
        size_t size = (left - 1) % part + 1;
        uint32_t index = 0;
        int rc = staging_cells_take(cells, &index, err);

        if (rc < 0) {
            staging_cells_give_name(cells, first);
            return rc;
        }
        left -= size;
        memcpy(staging_cells_at(cells, index)->text, name + left, size);
        staging_cells_at(cells, index)->next = first;
        staging_cells_set(cells, index, CELL_NAME);
        first = index;
    }
    *ret_index = first;
    return 0;
}

/* Is there a part of a name? Not if a process was killed at the wrong moment. */
static bool is_name(const struct staging_cells *cells, uint32_t index)
{
    return index > 0 && index < cells->block->count &&
           staging_cells_at(cells, index)->kind == CELL_NAME;
}

void staging_cells_name(const struct staging_cells *cells, uint32_t index,
                        char name[NAME_MAX + 1])
{
    size_t used = 0;

    while (is_name(cells, index)) {
        const struct staging_cell *cell = staging_cells_at(cells, index);
        size_t size = strnlen(cell->text, sizeof cell->text);

        if (used + size > NAME_MAX)
            break;
        memcpy(name + used, cell->text, size);
        used += size;
        index = cell->next;
    }
    name[used] = '\0';
}

void staging_cells_give_name(struct staging_cells *cells, uint32_t index)
{
    while (is_name(cells, index)) {
        uint32_t next = staging_cells_at(cells, index)->next;

        staging_cells_give(cells, index);
        index = next;
    }
}

static void mark_name(const struct staging_cells *cells, uint32_t index, bool *is_used)
{
    while (is_name(cells, index) && !is_used[index]) {
        is_used[index] = true;
        index = staging_cells_at(cells, index)->next;
    }
}

void staging_cells_sweep(struct staging_cells *cells,
                         uint32_t (*name_of)(const struct staging_cell *record))
{
    uint32_t count = cells->block->count;
    bool *is_used = xcalloc(count, sizeof *is_used);

    for (uint32_t i = 1; i < count; i++) {
        const struct staging_cell *cell = staging_cells_at(cells, i);

        if (cell->kind != CELL_ALIVE && cell->kind != CELL_DEAD)
            continue;
        is_used[i] = true;
        mark_name(cells, name_of(cell), is_used);
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        if (!is_used[i])
            staging_cells_give(cells, i);
    }
    free(is_used);
}

uint32_t staging_cells_next_generation(struct staging_cells *cells)
{
    return cells->block->generation++ & NODE_SLOT_MAX;
}
