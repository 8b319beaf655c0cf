/* staging_cells.h: shared memory in cells of one size, which are used again: records of
 * staged files, and their names. For fs/staging_node.c alone, under its lock.
 *
 *     rc = staging_cells_open(-1, &cells, &err);
 *     rc = staging_cells_take(cells, &index, &err);
 *     ... fill staging_cells_at(cells, index) ...
 *     staging_cells_set(cells, index, CELL_ALIVE);
 *     staging_cells_give(cells, index);
 *
 * The cells lie in a memfd that a later process maps again. One that was killed may have
 * left cells that nobody refers to: only the owner of the records can tell, and names
 * them when it opens the block (staging_cells_sweep). */
#ifndef FS_STAGING_CELLS_H
#define FS_STAGING_CELLS_H

#include "common/bytes.h"
#include "common/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum staging_cell_kind {
    CELL_FREE,
    CELL_NAME,
    CELL_ALIVE, /* a record: the file has a name */
    CELL_DEAD,  /* a record: it has none any more */
};

struct staging_cell {
    uint32_t kind; /* written after the rest */
    uint32_t next; /* name: where it goes on, 0 at its end; else private to a process */
    union {
        struct {
            uint64_t inode;
            uint64_t place; /* folder and name in one, so that both change at once */
            uint32_t generation;
            uint32_t handles; /* that are open */
        };
        char text[24]; /* not ended by NUL when it is full */
    };
};

struct staging_cells;

/* fd is a block from before (it becomes ours), or -1 for a new one. -EPROTO when its
 * layout is another version's. */
int staging_cells_open(int fd, struct staging_cells **ret_cells, struct error *err);
void staging_cells_close(struct staging_cells *cells);   /* accepts NULL */
int staging_cells_fd(const struct staging_cells *cells); /* lent */

/* Cells 1 to count - 1 were used some day; 0 never is. */
uint32_t staging_cells_count(const struct staging_cells *cells);
struct staging_cell *staging_cells_at(const struct staging_cells *cells, uint32_t index);

/* A cell, all zero. It counts as free for later processes until its kind is written:
 * staging_cells_set does that last. -ENOSPC. */
int staging_cells_take(struct staging_cells *cells, uint32_t *ret_index,
                       struct error *err);
void staging_cells_set(struct staging_cells *cells, uint32_t index,
                       enum staging_cell_kind kind);
void staging_cells_give(struct staging_cells *cells, uint32_t index);

/* A name of at most NAME_MAX bytes into cells, out of them, and away. */
int staging_cells_put_name(struct staging_cells *cells, const char *name,
                           uint32_t *ret_index, struct error *err);
void staging_cells_name(const struct staging_cells *cells, uint32_t index,
                        char name[NAME_MAX + 1]);
void staging_cells_give_name(struct staging_cells *cells, uint32_t index);

/* After staging_cells_open of a block from before: all cells but the records, and the
 * names that they refer to, become free. name_of: the name's cell of a record, or 0. */
void staging_cells_sweep(struct staging_cells *cells,
                         uint32_t (*name_of)(const struct staging_cell *record));

/* The number of the next record: it differs from those of the last billion. */
uint32_t staging_cells_next_generation(struct staging_cells *cells);

#endif
