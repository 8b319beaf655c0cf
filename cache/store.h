/* store.h: the cache folder itself, checked once when it is opened; constant after.
 *
 *     rc = store_open("~/audmodel as absolute path", &store, &err);
 *     store_close(&store);
 *
 * Plain values: everything in cache/ reads them without a lock. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "cache/tree_state.h"
#include "common/error.h"

#include <sys/types.h>

struct store {
    char *root;         /* as given */
    int root_fd;        /* all paths of layout.h are relative to it */
    mode_t file_mode;   /* 0666 less the umask of the process at the start */
    mode_t folder_mode; /* for mkdir(2), which takes the umask off by itself */
    char boot_id[TREE_BOOT_ID_SIZE];
};

/* Make the folder and those above it if missing, and see that it can be written. A
 * sentence that says which folder, why not, and what to do. */
int store_open(const char *root, struct store *ret_store, struct error *err);

/* Make the root anew if somebody removed it; its descriptor stays the same number. */
int store_revive(const struct store *store, struct error *err);
void store_close(struct store *store); /* accepts one that is all zero */

/* The entries of a folder below the root, lent one by one; hidden ones are left out. A
 * folder that is not there has none. What each returns other than 0 ends the loop. */
typedef int store_each(void *arg, const char *name, struct error *err);
int store_list(const struct store *store, const char *folder, store_each *each, void *arg,
               struct error *err);

/* 1: a folder with something in it, 0: missing or empty; -ENOTDIR and others. */
int store_has_files(const struct store *store, const char *path, struct error *err);

#endif
