/* inventory.h: what lies in the cache folder, read from disk. Blocks; takes no lock. */
#ifndef CACHE_INVENTORY_H
#define CACHE_INVENTORY_H

#include "cache/store.h"
#include "cache/tree_state.h"

#include <stdbool.h>
#include <stdint.h>

/* One tree with a valid record; lent for the call. */
struct inventory_tree {
    const char *id;
    const char *version;
    const char *digest;
    struct tree_header header;
    bool is_moved;   /* its files are at the final path, or were */
    int64_t used_ns; /* last use, Unix time */
};
typedef int inventory_each_tree(void *arg, const struct inventory_tree *tree,
                                struct error *err);

/* Every tree that modelfs knows, of one version or, with id NULL, of all. */
int inventory_trees(const struct store *store, const char *id, const char *version,
                    inventory_each_tree *each, void *arg, struct error *err);

/* Every model at its final path. */
typedef int inventory_each_model(void *arg, const char *id, const char *version,
                                 struct error *err);
int inventory_models(const struct store *store, inventory_each_model *each, void *arg,
                     struct error *err);

/* Bytes of the files of a model at its final path. */
int inventory_size(const struct store *store, const char *id, const char *version,
                   uint64_t *ret_bytes, struct error *err);

#endif
