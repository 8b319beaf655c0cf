/* node_id.c: kind, slot and index of a node in one number. */
#include "fs/node_id.h"

#include <assert.h>

enum {
    ROOT_ID = 1, /* FUSE_ROOT_ID */
    INDEX_BITS = 27,
    ARRIVING_SHIFT = INDEX_BITS,
    SLOT_SHIFT = ARRIVING_SHIFT + 1,
    SLOT_BITS = 30,
    KIND_SHIFT = SLOT_SHIFT + SLOT_BITS,
};

uint64_t node_id_pack(struct node node)
{
    assert(node.kind > NODE_NONE && node.kind < NODE_KINDS);
    assert(node.slot <= NODE_SLOT_MAX && node.index <= NODE_INDEX_MAX);
    if (node.kind == NODE_ROOT)
        return ROOT_ID;
    return (uint64_t)node.kind << KIND_SHIFT | (uint64_t)node.slot << SLOT_SHIFT |
           (uint64_t)node.is_arriving << ARRIVING_SHIFT | node.index;
}

struct node node_id_unpack(uint64_t id)
{
    struct node node = {
        .kind = (enum node_kind)(id >> KIND_SHIFT),
        .slot = (uint32_t)(id >> SLOT_SHIFT) & NODE_SLOT_MAX,
        .index = (uint32_t)id & NODE_INDEX_MAX,
        .is_arriving = id >> ARRIVING_SHIFT & 1,
    };

    if (id == ROOT_ID)
        return (struct node){.kind = NODE_ROOT};
    if (node.kind <= NODE_ROOT || node.kind >= NODE_KINDS)
        return (struct node){.kind = NODE_NONE};
    return node;
}
