/* child.h: names to places: what a name in a folder of the tree stands for.
 *
 * Thread-safe; blocks only with RESOLVE_FETCH. */
#ifndef FS_CHILD_H
#define FS_CHILD_H

#include "fs/call.h"

/* What lies at the top beside models and aliases. */
struct child_fixed {
    const char *name;
    enum node_kind kind;
};
enum { CHILD_FIXED = 5 };
extern const struct child_fixed child_fixed[CHILD_FIXED];

/* How many of them are there: @staging comes last, where it is written. */
size_t child_fixed_count(const struct fs *fs);

/* Find name in the folder parent. *ret_keep_ms is how long the kernel may keep the answer
 * (INT64_MAX: for ever). -ENOENT; -ENOTDIR when parent is no folder. A name lent by the
 * slot table or by name itself lies in *ret_child: use it before name goes. */
int child_find(struct fs *fs, const struct place *parent, const char *name,
               enum resolve_how how, struct place *ret_child, int64_t *ret_keep_ms,
               struct error *err);

/* Is it a version that cannot have a folder of its name ("latest", "..")? Its full ID at
 * the top is its folder then. */
bool child_is_reserved(const char *version);

/* Do the names of this kind's folder never change? */
bool child_is_immutable(enum node_kind kind);

#endif
