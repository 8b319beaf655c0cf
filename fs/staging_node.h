/* staging_node.h: the table behind the node IDs of @staging: which file a number means.
 *
 *     rc = staging_node_intern(nodes, inode, parent, "model.onnx", &number, &err);
 *     rc = staging_node_path(nodes, number, path, &err);       "job/model.onnx"
 *
 * A record is an inode on disk, the folder it was last seen in (another number) and its
 * name there; so moving a folder changes one record. Number 0 is the landing place
 * itself. A file of which the last name is gone is dead: its number means it as long as
 * it is open, and never another file, though the disk gives its inode away again.
 *
 * Records lie in a block of shared memory (a memfd), their names in the slot table, so
 * that a later process understands the numbers; the index of inodes is private.
 * Thread-safe. */
#ifndef FS_STAGING_NODE_H
#define FS_STAGING_NODE_H

#include "common/error.h"
#include "fs/slots.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct staging_nodes;

/* fd is a block from before (it becomes ours), or -1 for a new one; slots are lent. */
int staging_nodes_open(int fd, struct slots *slots, struct staging_nodes **ret_nodes,
                       struct error *err);
void staging_nodes_close(struct staging_nodes *nodes); /* accepts NULL */

int staging_nodes_fd(const struct staging_nodes *nodes); /* lent */

/* The number of an inode, which was just seen as name in parent. */
int staging_node_intern(struct staging_nodes *nodes, uint64_t inode, uint32_t parent,
                        const char *name, uint32_t *ret_number, struct error *err);

/* Of an inode that has one: false if it has none. */
bool staging_node_find(struct staging_nodes *nodes, uint64_t inode, uint32_t *ret_number);

/* The path below the landing place, "" for itself. -ESTALE for a number that means
 * nothing or a dead file, -ENAMETOOLONG. */
int staging_node_path(struct staging_nodes *nodes, uint32_t number, char path[PATH_MAX],
                      struct error *err);

/* The name at the top of the landing place that a number lies below (or is); NULL for 0
 * and for the dead. Lent by the slot table. */
const char *staging_node_top(struct staging_nodes *nodes, uint32_t number);

bool staging_node_is_dead(struct staging_nodes *nodes, uint32_t number);
uint64_t staging_node_inode(struct staging_nodes *nodes, uint32_t number);

/* The last name of it is gone. */
void staging_node_kill(struct staging_nodes *nodes, uint32_t number);

/* All that lies below the name at the top, and that itself. */
void staging_node_kill_top(struct staging_nodes *nodes, const char *top);

#endif
