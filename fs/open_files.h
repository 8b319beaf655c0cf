/* open_files.h: members that readers hold open, and the descriptors behind them.
 *
 * An entry stands for a node ID and a generation (archive.h), whatever the number of
 * handles. Reads find it by these alone, so a handle from before this process started
 * works too: its entry is made when it is first read. Thread-safe. */
#ifndef FS_OPEN_FILES_H
#define FS_OPEN_FILES_H

#include "cache/archive.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct open_files;
struct open_file;

/* What to open. */
struct open_wish {
    uint64_t node_id;
    struct archive *archive; /* lent */
    uint32_t index;
    uint32_t generation; /* 0 for a complete member */
};

struct open_files *open_files_new(void);
void open_files_free(struct open_files *files); /* accepts NULL */

/* One more handle on a member. Opens its cache file if no other handle did. */
int open_files_hold(struct open_files *files, const struct open_wish *wish,
                    struct error *err);

/* The entry of a handle from before this process started, made if need be: however many
 * reads find that there is none, it counts as one handle. open_file_unref it. */
int open_files_adopt(struct open_files *files, const struct open_wish *wish,
                     struct open_file **ret_file, struct error *err);

/* One handle less; the last one closes. */
void open_files_release(struct open_files *files, uint64_t node_id, uint32_t generation);

/* The entry, NULL if there is none. open_file_unref it. */
struct open_file *open_files_find(struct open_files *files, uint64_t node_id,
                                  uint32_t generation);
void open_file_unref(struct open_file *file); /* accepts NULL */

struct archive *open_file_archive(const struct open_file *file); /* lent */

int open_file_fd(const struct open_file *file); /* its cache file; lent */

size_t open_files_count(struct open_files *files);

#endif
