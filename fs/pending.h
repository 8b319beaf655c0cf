/* pending.h: what this mount alone knows of alias folders: changes that no repository has
 * yet.
 *
 * - Folders made with mkdir, until an alias of their name exists.
 * - Links in alias folders beside those that the repository's versions give: the
 *   temporary names of `ln -sfn` and Python, until they are renamed to `current`.
 * - A `current` that was unlinked: for PENDING_GRACE_MS a new one may take its place,
 *   then the alias is removed; at once when the folder is removed. An alias that names
 *   something else by then was set by somebody meanwhile, and stays.
 * - Who changes an alias: one at a time.
 *
 * A worker that takes over knows all of it (pending_store.h), and begins each grace anew.
 * Thread-safe; blocks only in pending_begin. */
#ifndef FS_PENDING_H
#define FS_PENDING_H

#include "common/bytes.h"
#include "common/error.h"
#include "resolver/resolver.h"

#include <stdbool.h>
#include <stdint.h>

enum { PENDING_GRACE_MS = 2000 };

struct pending;

/* What stands between an alias of the repository and its reader. */
struct pending_view {
    bool has_folder;         /* made here: it exists whatever the repository says */
    bool is_hidden;          /* the repository's alias is as good as removed */
    bool no_current;         /* its `current` was unlinked */
    struct release unlinked; /* what that named; id "": not known */
};

/* Is what an alias names by now what was unlinked? */
bool pending_view_has_unlinked(const struct pending_view *view,
                               const struct alias_target *target);

/* Remove an alias that names before.unlinked; runs on a thread of its own, which calls it
 * for one alias at a time.
 * before.is_hidden: its folder was removed, and another may have been made since. */
typedef void pending_remove(void *arg, const char *alias, struct pending_view before);

/* store: what a worker before this one knew; becomes ours. NULL: nothing is kept. */
struct pending_store;
int pending_open(pending_remove *remove, void *arg, struct pending_store *take_store,
                 struct pending **ret_pending, struct error *err);

/* Removes at once what was to be removed later. Accepts NULL. */
void pending_close(struct pending *pending);

struct pending_view pending_view(struct pending *pending, const char *alias);

/* The same, and the names of the links made in its folder, as pending_names appends them:
 * of one moment. */
int pending_look(struct pending *pending, const char *alias,
                 struct pending_view *ret_view, struct bytes *to, struct error *err);

/* A link made here. No two have the same serial: the kernel takes a rename between two
 * names of one inode for done. -ENOENT. */
struct pending_link {
    struct release release;
    uint32_t serial; /* from 1 to NODE_INDEX_MAX */
};
int pending_find(struct pending *pending, const char *alias, const char *name,
                 struct pending_link *ret_link);

/* Append names, each with its NUL. */
enum pending_names_of {
    PENDING_FOLDERS, /* made here */
    PENDING_HIDDEN,  /* aliases of the repository that are hidden */
    PENDING_LINKS,   /* made here in the folder of an alias */
};
int pending_names(struct pending *pending, enum pending_names_of of, const char *alias,
                  struct bytes *to, struct error *err);

/* mkdir: -EEXIST if it was made before. */
int pending_add_folder(struct pending *pending, const char *alias, struct error *err);

/* rmdir of a folder without `current`; with it, the repository's alias is removed next.
 * -ENOTEMPTY: links are left, or `current` was not unlinked. */
enum pending_folder_of {
    PENDING_OF_NO_ALIAS, /* it was made here */
    PENDING_OF_ALIAS,    /* a repository has an alias of the name */
};
int pending_remove_folder(struct pending *pending, const char *alias,
                          enum pending_folder_of of, struct error *err);

/* symlink, rename: an existing link of the name is replaced. serial 0: a new one. -ENOSPC
 * past a limit. */
int pending_add(struct pending *pending, const char *alias, const char *name,
                const struct pending_link *made, struct error *err);

/* unlink of a link made here. -ENOENT. */
int pending_drop(struct pending *pending, const char *alias, const char *name);

/* unlink of `current`, which named a release: the grace begins. */
void pending_drop_current(struct pending *pending, const char *alias,
                          const struct release *unlinked);

/* A new `current` is on its way: the grace begins anew. */
void pending_postpone(struct pending *pending, const char *alias);

/* Wait until nobody else changes the alias and keep others, and its removal, away until
 * pending_end. rc: what the change came to; 0: the repository has the alias now. */
void pending_begin(struct pending *pending, const char *alias);
void pending_end(struct pending *pending, const char *alias, int rc);

#endif
