/* tree_open.h: a tree from disk, with what a dead process or machine left put right. */
#ifndef CACHE_TREE_OPEN_H
#define CACHE_TREE_OPEN_H

#include "cache/toc.h"
#include "cache/tree.h"

/* Open or make the folder and record of a tree, and hold it in use. Dropped is what
 * arrived when its process died; and, with all files, a record that is damaged or belongs
 * to a table of another size, or whose folder at the final path is gone. After an unclean
 * stop of the machine complete members become TREE_UNCHECKED. Local I/O only. -EAGAIN:
 * another process is evicting it. tree_close the result. */
int tree_open(const struct store *store, const char *id, const char *version,
              const struct toc *toc, struct tree **ret_tree, struct error *err);

/* The tree on disk as it is, to look at or evict it: -ENOENT without one, -EBADMSG
 * without a valid record. Nothing is changed. */
int tree_open_existing(const struct store *store, const char *id, const char *version,
                       const char *digest, struct tree **ret_tree, struct error *err);

#endif
