/* place.h: a node of the tree in plain values: what a node ID means.
 *
 * Node IDs are for the kernel, places are for us: place_of takes one apart with the help
 * of the slot table, place_id puts it together (and gives it a slot if it is new). */
#ifndef FS_PLACE_H
#define FS_PLACE_H

#include "cache/toc.h"
#include "common/error.h"
#include "fs/node_id.h"
#include "fs/slots.h"
#include "resolver/resolver.h"

#include <stdbool.h>
#include <stdint.h>

struct place {
    enum node_kind kind;
    bool is_arriving;             /* members */
    uint32_t index;               /* members: entry; files in @info: which */
    uint64_t number;              /* staged files: staging_node.h */
    const char *name;             /* models, aliases, @tree: ID, alias or path; lent */
    struct release release;       /* links, versions, their @info, members */
    char digest[TOC_DIGEST_SIZE]; /* members: of their table of contents */
};

/* What a node ID means; name is lent by the slot table. -ESTALE for a number that is no
 * node ID (of this mount). */
int place_of(struct slots *slots, uint64_t node_id, struct place *ret_place,
             struct error *err);

/* Let the slots know the repositories: what lies in any other is -ESTALE, also when a
 * process before this one had it. Before other threads use the table. */
int place_add_repositories(struct slots *slots, const struct resolver *resolver,
                           struct error *err);

/* -EOVERFLOW: it has too many members; -ENOMEM: no slots are left; -ESTALE: there
 * is no such repository. */
int place_id(struct slots *slots, const struct place *place, uint64_t *ret_node_id,
             struct error *err);

/* st_ino of a canonical path, the same on each mount and machine. Never 0 or 1. */
uint64_t place_inode(const char *canonical_path);

/* Is it @staging, or in it? */
bool place_is_staging(enum node_kind kind);

#endif
