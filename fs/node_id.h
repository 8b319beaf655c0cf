/* node_id.h: what a node ID says: kind, slot and index, packed into 64 bits.
 *
 * No table stands behind node IDs: look-ups are not counted and nothing is forgotten. The
 * slot names what the node belongs to (slots.h), the index the entry of a table of
 * contents or the file of a folder in @info. A member has two IDs that differ in one bit:
 * while it arrives it is read with direct I/O, once complete through the page cache.
 * Pure. */
#ifndef FS_NODE_ID_H
#define FS_NODE_ID_H

#include <stdbool.h>
#include <stdint.h>

enum node_kind {
    NODE_NONE,
    NODE_ROOT,           /* the mount point; its ID is 1, as the kernel wants it */
    NODE_STATUS,         /* @status */
    NODE_METRICS,        /* @metrics */
    NODE_INFO,           /* @info */
    NODE_INFO_MODEL,     /* @info/<id>; slot: the model */
    NODE_INFO_ALIAS,     /* @info/<alias>; slot: the alias */
    NODE_INFO_VERSION,   /* @info/<id>/<version>; slot: the release */
    NODE_INFO_FILE,      /* a file in there; slot: the release, index: which */
    NODE_GROUP,          /* a folder of @tree; slot: its path */
    NODE_GROUP_LINK,     /* a leaf of @tree; slot: its path */
    NODE_MODEL,          /* <id>; slot: the model */
    NODE_ALIAS,          /* <alias>; slot: the alias */
    NODE_LINK_ROOT,      /* <id>-<version> -> <id>/<version>; slot: the release */
    NODE_LINK_MODEL,     /* <id>/latest -> <version>; slot: the release */
    NODE_LINK_ALIAS,     /* <alias>/... -> ../<id>/<version>; slot: the release */
    NODE_VERSION,        /* <id>/<version>; slot: the release */
    NODE_MEMBER,         /* below it; slot: the release and its table; index: the entry */
    NODE_STAGING,        /* @staging; index: 0 */
    NODE_STAGED,         /* a file below it; both: its number (staging_node.h) */
    NODE_STAGING_STATUS, /* @staging/<job>.status; slot: the job */
    NODE_STAGING_RESULT, /* @staging/<job>.result; slot: the job */
    NODE_KINDS,
};

enum {
    NODE_SLOT_MAX = (1 << 30) - 1,
    NODE_INDEX_MAX = (1 << 27) - 1,
};

struct node {
    enum node_kind kind;
    uint32_t slot;
    uint32_t index;
    bool is_arriving;
};

/* Assumes values within the limits above. */
uint64_t node_id_pack(struct node node);

/* kind NODE_NONE for a number that is no node ID. */
struct node node_id_unpack(uint64_t id);

#endif
