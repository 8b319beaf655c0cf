/* staging_node.c: numbers of staged files, in shared memory. */
#include "fs/staging_node.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/node_id.h"
#include "fs/staging_cells.h"

#include <errno.h>
#include <string.h>

enum {
    DEPTH_MAX = STAGING_PATH_MAX / 2,
    INDEX_SIZE_MIN = 256,
    CELL_BITS = 27, /* of a number; the generation stands above */
    CELL_MASK = NODE_INDEX_MAX,
};

struct staging_nodes {
    struct lock lock;
    struct staging_cells *cells; /* constant; what it holds is guarded by lock */
    uint32_t *index;   /* first living record by inode, then by next; guarded by lock */
    size_t index_size; /* a power of two; guarded by lock */
    size_t count;      /* of records; guarded by lock */
};

static uint64_t place_pack(uint64_t parent, uint32_t name)
{
    return (parent & CELL_MASK) << 32 | name;
}

static uint32_t place_parent(uint64_t place)
{
    return (uint32_t)(place >> 32);
}

static uint32_t name_of(const struct staging_cell *record)
{
    return record->kind == CELL_ALIVE ? (uint32_t)record->place : 0;
}

static uint32_t *bucket_locked(struct staging_nodes *nodes, uint64_t inode)
    REQUIRES(nodes->lock)
{
    const uint64_t golden = 0x9e3779b97f4a7c15; /* spreads inodes, which come in rows */

    return &nodes->index[(inode * golden >> 32) & (nodes->index_size - 1)];
}

static void index_add_locked(struct staging_nodes *nodes, uint32_t cell)
    REQUIRES(nodes->lock)
{
    struct staging_cell *record = staging_cells_at(nodes->cells, cell);
    uint32_t *bucket = bucket_locked(nodes, record->inode);

    record->next = *bucket;
    *bucket = cell;
}

static void index_remove_locked(struct staging_nodes *nodes, uint32_t cell)
    REQUIRES(nodes->lock)
{
    const struct staging_cell *record = staging_cells_at(nodes->cells, cell);
    uint32_t *at = bucket_locked(nodes, record->inode);

    while (*at != 0 && *at != cell)
        at = &staging_cells_at(nodes->cells, *at)->next;
    if (*at != 0)
        *at = record->next;
}

/* The cell of the living record of an inode, or 0. */
static uint32_t index_find_locked(struct staging_nodes *nodes, uint64_t inode)
    REQUIRES(nodes->lock)
{
    uint32_t cell = *bucket_locked(nodes, inode);

    while (cell != 0 && staging_cells_at(nodes->cells, cell)->inode != inode)
        cell = staging_cells_at(nodes->cells, cell)->next;
    return cell;
}

static void index_build_locked(struct staging_nodes *nodes, size_t size)
    REQUIRES(nodes->lock)
{
    uint32_t count = staging_cells_count(nodes->cells);

    free(nodes->index);
    nodes->index = xcalloc(size, sizeof *nodes->index);
    nodes->index_size = size;
    nodes->count = 0;
    for (uint32_t i = 1; i < count; i++) {
        enum staging_cell_kind kind = staging_cells_at(nodes->cells, i)->kind;

        nodes->count += kind == CELL_ALIVE || kind == CELL_DEAD;
        if (kind == CELL_ALIVE)
            index_add_locked(nodes, i);
    }
}

int staging_nodes_open(int fd, struct staging_nodes **ret_nodes, struct error *err)
{
    struct staging_nodes *nodes = XNEW(struct staging_nodes);
    int rc = staging_cells_open(fd, &nodes->cells, err);

    lock_init(&nodes->lock);
    if (rc < 0) {
        staging_nodes_close(nodes);
        return rc;
    }
    lock_acquire(&nodes->lock);
    staging_cells_sweep(nodes->cells, name_of);
    index_build_locked(nodes, INDEX_SIZE_MIN);
    lock_release(&nodes->lock);
    *ret_nodes = nodes;
    return 0;
}

void staging_nodes_close(struct staging_nodes *nodes)
{
    if (!nodes)
        return;
    staging_cells_close(nodes->cells);
    free(nodes->index);
    lock_done(&nodes->lock);
    free(nodes);
}

int staging_nodes_fd(const struct staging_nodes *nodes)
{
    return staging_cells_fd(nodes->cells);
}

static uint64_t number_locked(struct staging_nodes *nodes, uint32_t cell)
    REQUIRES(nodes->lock)
{
    return (uint64_t)staging_cells_at(nodes->cells, cell)->generation << CELL_BITS | cell;
}

/* The record in a cell, NULL if there is none. */
static struct staging_cell *record_in_locked(struct staging_nodes *nodes, uint32_t cell)
    REQUIRES(nodes->lock)
{
    struct staging_cell *record;

    if (cell == 0 || cell >= staging_cells_count(nodes->cells))
        return NULL;
    record = staging_cells_at(nodes->cells, cell);
    return record->kind == CELL_ALIVE || record->kind == CELL_DEAD ? record : NULL;
}

/* The record of a number, NULL if it means nothing (any more). */
static struct staging_cell *record_locked(struct staging_nodes *nodes, uint64_t number)
    REQUIRES(nodes->lock)
{
    struct staging_cell *record = record_in_locked(nodes, number & CELL_MASK);

    return record && record->generation == number >> CELL_BITS ? record : NULL;
}

static int add_locked(struct staging_nodes *nodes, uint64_t inode, uint64_t place,
                      uint64_t *ret_number, struct error *err) REQUIRES(nodes->lock)
{
    struct staging_cell *record;
    uint32_t cell;
    int rc = staging_cells_take(nodes->cells, &cell, err);

    if (rc < 0)
        return rc;
    record = staging_cells_at(nodes->cells, cell);
    record->inode = inode;
    record->place = place;
    record->generation = staging_cells_next_generation(nodes->cells);
    staging_cells_set(nodes->cells, cell, CELL_ALIVE);
    index_add_locked(nodes, cell);
    if (++nodes->count > nodes->index_size)
        index_build_locked(nodes, nodes->index_size * 2);
    *ret_number = number_locked(nodes, cell);
    return 0;
}

/* Killed in between, the new name is free again in the next process, or the old one. */
static int move_locked(struct staging_nodes *nodes, struct staging_cell *record,
                       uint64_t parent, const char *name, struct error *err)
    REQUIRES(nodes->lock)
{
    uint32_t before = (uint32_t)record->place, after = before;
    char text[NAME_MAX + 1];
    int rc = 0;

    staging_cells_name(nodes->cells, before, text);
    if (strcmp(text, name) != 0)
        rc = staging_cells_put_name(nodes->cells, name, &after, err);
    if (rc < 0)
        return rc;
    __atomic_store_n(&record->place, place_pack(parent, after), __ATOMIC_RELEASE);
    if (after != before)
        staging_cells_give_name(nodes->cells, before);
    return 0;
}

static int intern_locked(struct staging_nodes *nodes, uint64_t inode, uint64_t parent,
                         const char *name, uint64_t *ret_number, struct error *err)
    REQUIRES(nodes->lock)
{
    uint32_t cell = index_find_locked(nodes, inode);
    uint32_t name_cell;
    int rc;

    if (cell != 0) {
        *ret_number = number_locked(nodes, cell);
        return move_locked(nodes, staging_cells_at(nodes->cells, cell), parent, name,
                           err);
    }
    rc = staging_cells_put_name(nodes->cells, name, &name_cell, err);
    if (rc < 0)
        return rc;
    rc = add_locked(nodes, inode, place_pack(parent, name_cell), ret_number, err);
    if (rc < 0)
        staging_cells_give_name(nodes->cells, name_cell);
    return rc;
}

int staging_node_intern(struct staging_nodes *nodes, uint64_t inode, uint64_t parent,
                        const char *name, uint64_t *ret_number, struct error *err)
{
    int rc;

    lock_acquire(&nodes->lock);
    rc = intern_locked(nodes, inode, parent, name, ret_number, err);
    lock_release(&nodes->lock);
    return rc;
}

bool staging_node_find(struct staging_nodes *nodes, uint64_t inode, uint64_t *ret_number)
{
    uint32_t cell;

    lock_acquire(&nodes->lock);
    cell = index_find_locked(nodes, inode);
    if (cell != 0)
        *ret_number = number_locked(nodes, cell);
    lock_release(&nodes->lock);
    return cell != 0;
}

bool staging_node_find_name(struct staging_nodes *nodes, uint64_t parent,
                            const char *name, uint64_t *ret_number)
{
    char text[NAME_MAX + 1];
    bool is_found = false;

    lock_acquire(&nodes->lock);
    for (uint32_t i = 1; i < staging_cells_count(nodes->cells) && !is_found; i++) {
        const struct staging_cell *record = record_in_locked(nodes, i);

        if (!record || record->kind != CELL_ALIVE ||
            place_parent(record->place) != (parent & CELL_MASK))
            continue;
        staging_cells_name(nodes->cells, name_of(record), text);
        is_found = strcmp(text, name) == 0;
        if (is_found)
            *ret_number = number_locked(nodes, i);
    }
    lock_release(&nodes->lock);
    return is_found;
}

/* How many names lead from a cell to the top; 0 for those that none do. */
static size_t depth_locked(struct staging_nodes *nodes, uint32_t cell, uint32_t *ret_top)
    REQUIRES(nodes->lock)
{
    size_t depth = 0;

    while (cell != 0) {
        const struct staging_cell *record = record_in_locked(nodes, cell);

        if (!record || record->kind == CELL_DEAD || ++depth > DEPTH_MAX)
            return 0;
        *ret_top = cell;
        cell = place_parent(record->place);
    }
    return depth;
}

/* Written from its end. The bytes it takes, with a "/" or NUL behind each name; to NULL
 * only counts. */
static size_t print_path_locked(struct staging_nodes *nodes, uint32_t cell, char *end)
    REQUIRES(nodes->lock)
{
    char name[NAME_MAX + 1];
    size_t used = 0;

    while (cell != 0) {
        const struct staging_cell *record = record_in_locked(nodes, cell);
        size_t size;

        staging_cells_name(nodes->cells, name_of(record), name);
        size = strlen(name);
        if (end) {
            end[-1 - (ssize_t)used] = used == 0 ? '\0' : '/';
            memcpy(end - used - 1 - size, name, size);
        }
        used += size + 1;
        cell = place_parent(record->place);
    }
    return used;
}

static int path_locked(struct staging_nodes *nodes, uint64_t number, struct bytes *path,
                       struct error *err) REQUIRES(nodes->lock)
{
    uint32_t cell = number & CELL_MASK, top;
    size_t size;
    int rc;

    if (!record_locked(nodes, number) || depth_locked(nodes, cell, &top) == 0)
        return fail(err, ESTALE, "the staged file is gone");
    size = print_path_locked(nodes, cell, NULL);
    if (size > STAGING_PATH_MAX)
        return fail(err, ENAMETOOLONG, "the path of a staged file is too long");
    rc = bytes_reserve(path, size, err);
    if (rc < 0)
        return rc;
    print_path_locked(nodes, cell, path->data + path->size + size);
    path->size += size - 1;
    return 0;
}

int staging_node_path(struct staging_nodes *nodes, uint64_t number, struct bytes *path,
                      struct error *err)
{
    int rc;

    if (number == 0)
        return 0;
    lock_acquire(&nodes->lock);
    rc = path_locked(nodes, number, path, err);
    lock_release(&nodes->lock);
    return rc;
}

size_t staging_node_top(struct staging_nodes *nodes, uint64_t number,
                        char ret_top[NAME_MAX + 1])
{
    size_t depth = 0;
    uint32_t top;

    ret_top[0] = '\0';
    lock_acquire(&nodes->lock);
    if (record_locked(nodes, number))
        depth = depth_locked(nodes, number & CELL_MASK, &top);
    if (depth > 0)
        staging_cells_name(nodes->cells, name_of(staging_cells_at(nodes->cells, top)),
                           ret_top);
    lock_release(&nodes->lock);
    return depth;
}

bool staging_node_is_dead(struct staging_nodes *nodes, uint64_t number)
{
    const struct staging_cell *record;
    bool is_dead;

    lock_acquire(&nodes->lock);
    record = record_locked(nodes, number);
    is_dead = record && record->kind == CELL_DEAD;
    lock_release(&nodes->lock);
    return is_dead;
}

uint64_t staging_node_inode(struct staging_nodes *nodes, uint64_t number)
{
    const struct staging_cell *record;
    uint64_t inode;

    lock_acquire(&nodes->lock);
    record = record_locked(nodes, number);
    inode = record ? record->inode : 0;
    lock_release(&nodes->lock);
    return inode;
}

static void kill_locked(struct staging_nodes *nodes, uint32_t cell) REQUIRES(nodes->lock)
{
    struct staging_cell *record = record_in_locked(nodes, cell);
    uint32_t name;

    if (!record || record->kind == CELL_DEAD)
        return;
    name = name_of(record);
    index_remove_locked(nodes, cell);
    staging_cells_set(nodes->cells, cell, CELL_DEAD);
    staging_cells_give_name(nodes->cells, name);
}

void staging_node_kill(struct staging_nodes *nodes, uint64_t number)
{
    lock_acquire(&nodes->lock);
    if (record_locked(nodes, number))
        kill_locked(nodes, number & CELL_MASK);
    lock_release(&nodes->lock);
}

/* First all are found, then all killed: the dead lead nowhere. */
static size_t kill_top_locked(struct staging_nodes *nodes, const char *top,
                              uint64_t *numbers) REQUIRES(nodes->lock)
{
    char name[NAME_MAX + 1];
    size_t found = 0;
    uint32_t at;

    for (uint32_t i = 1; i < staging_cells_count(nodes->cells); i++) {
        if (!record_in_locked(nodes, i) || depth_locked(nodes, i, &at) == 0)
            continue;
        staging_cells_name(nodes->cells, name_of(staging_cells_at(nodes->cells, at)),
                           name);
        if (strcmp(name, top) == 0)
            numbers[found++] = number_locked(nodes, i);
    }
    for (size_t i = 0; i < found; i++)
        kill_locked(nodes, numbers[i] & CELL_MASK);
    return found;
}

size_t staging_node_kill_top(struct staging_nodes *nodes, const char *top,
                             uint64_t **ret_numbers)
{
    size_t found;

    lock_acquire(&nodes->lock);
    *ret_numbers = xcalloc(nodes->count + 1, sizeof **ret_numbers);
    found = kill_top_locked(nodes, top, *ret_numbers);
    lock_release(&nodes->lock);
    return found;
}

void staging_node_forget(struct staging_nodes *nodes, uint64_t number)
{
    const struct staging_cell *record;

    lock_acquire(&nodes->lock);
    record = record_locked(nodes, number);
    if (record && record->kind == CELL_DEAD) {
        staging_cells_give(nodes->cells, number & CELL_MASK);
        nodes->count--;
    }
    lock_release(&nodes->lock);
}

static uint32_t count_handles(struct staging_nodes *nodes, uint64_t number, int more)
{
    struct staging_cell *record;
    uint32_t handles = 0;

    lock_acquire(&nodes->lock);
    record = record_locked(nodes, number);
    if (record && (more > 0 || record->handles > 0))
        record->handles += (uint32_t)more;
    if (record)
        handles = record->handles;
    lock_release(&nodes->lock);
    return handles;
}

uint32_t staging_node_hold(struct staging_nodes *nodes, uint64_t number)
{
    return count_handles(nodes, number, 1);
}

uint32_t staging_node_release(struct staging_nodes *nodes, uint64_t number)
{
    return count_handles(nodes, number, -1);
}

bool staging_node_is_open(struct staging_nodes *nodes, uint64_t number)
{
    return count_handles(nodes, number, 0) > 0;
}
