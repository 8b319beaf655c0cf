/* mount_table.h: what is mounted where, by /proc/self/mountinfo. */
#ifndef CLI_MOUNT_TABLE_H
#define CLI_MOUNT_TABLE_H

#include "common/error.h"

#include <stdbool.h>

enum { MOUNT_TABLE_TYPE_SIZE = 64 };

struct mount_entry {
    long long id;                     /* names this mount as long as it is there */
    long long owner;                  /* user ID of who mounted it; -1: not told */
    char type[MOUNT_TABLE_TYPE_SIZE]; /* "fuse.modelfs" */
};

/* The mount on top at exactly that path, which is absolute and without links. */
int mount_table_find(const char *path, bool *ret_is_mounted,
                     struct mount_entry *ret_entry, struct error *err);

/* The same in a text in the format of mountinfo. Pure. */
bool mount_table_search(const char *text, const char *path,
                        struct mount_entry *ret_entry);

/* Wait until the mount of that id is gone; -ETIMEDOUT with a sentence. */
int mount_table_wait_gone(const char *path, long long id, int timeout_ms,
                          struct error *err);

#endif
