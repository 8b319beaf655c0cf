/* staging_node.h: the table behind the node IDs of @staging: which file a number means.
 *
 *     rc = staging_node_intern(nodes, inode, parent, "model.onnx", &number, &err);
 *     rc = staging_node_path(nodes, number, &path, &err);       "job/model.onnx"
 *
 * A record is an inode on disk, the folder it was last seen in (another number) and its
 * name there; so moving a folder changes one record. Number 0 is the landing place
 * itself. A file of which the last name is gone is dead: its number means it as long as
 * it is open, and never another file, though the disk gives its inode away again. What is
 * dead and closed is forgotten, and its room used again: numbers count generations.
 *
 * Records and names lie in a block of shared memory (a memfd), so that a later process
 * understands the numbers; the index of inodes is private. Thread-safe. */
#ifndef FS_STAGING_NODE_H
#define FS_STAGING_NODE_H

#include "common/bytes.h"
#include "common/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Bytes of a path: paths relative to a folder have no limit on a disk either. */
#define STAGING_PATH_MAX (1 << 20)

struct staging_nodes;

/* fd is a block from before (it becomes ours), or -1 for a new one. */
int staging_nodes_open(int fd, struct staging_nodes **ret_nodes, struct error *err);
void staging_nodes_close(struct staging_nodes *nodes); /* accepts NULL */

int staging_nodes_fd(const struct staging_nodes *nodes); /* lent */

/* The number of an inode, which was just seen as name in parent. */
int staging_node_intern(struct staging_nodes *nodes, uint64_t inode, uint64_t parent,
                        const char *name, uint64_t *ret_number, struct error *err);

/* Of an inode that has one: false if it has none. */
bool staging_node_find(struct staging_nodes *nodes, uint64_t inode, uint64_t *ret_number);

/* Of the file last seen as name in parent. Looks at all files. */
bool staging_node_find_name(struct staging_nodes *nodes, uint64_t parent,
                            const char *name, uint64_t *ret_number);

/* Append the path below the landing place, "" for itself. -ESTALE for a number that means
 * nothing or a dead file, -ENAMETOOLONG. */
int staging_node_path(struct staging_nodes *nodes, uint64_t number, struct bytes *path,
                      struct error *err);

/* The name at the top of the landing place that a number lies below (or is). How many
 * names its path has; 0 for the landing place, the dead and the unknown. */
size_t staging_node_top(struct staging_nodes *nodes, uint64_t number,
                        char ret_top[NAME_MAX + 1]);

bool staging_node_is_dead(struct staging_nodes *nodes, uint64_t number);

/* 0 for a number that means nothing. */
uint64_t staging_node_inode(struct staging_nodes *nodes, uint64_t number);

/* The last name of it is gone. */
void staging_node_kill(struct staging_nodes *nodes, uint64_t number);

/* All that lies below the name at the top, and that itself. The numbers are for the
 * caller to forget, and the array to free. */
size_t staging_node_kill_top(struct staging_nodes *nodes, const char *top,
                             uint64_t **ret_numbers);

/* It is dead and nobody has it open: it means nothing from now on. */
void staging_node_forget(struct staging_nodes *nodes, uint64_t number);

/* One more handle of it is open, or one less; the number of handles. Those of processes
 * before count, but a request that the kernel repeats may have been counted before: there
 * may be fewer than that. */
uint32_t staging_node_hold(struct staging_nodes *nodes, uint64_t number);
uint32_t staging_node_release(struct staging_nodes *nodes, uint64_t number);
bool staging_node_is_open(struct staging_nodes *nodes, uint64_t number);

#endif
