/* pending_table.h: the folders and links of fs/pending.c, and their copies for the next
 * worker. For it alone; its lock guards all. */
#ifndef FS_PENDING_TABLE_H
#define FS_PENDING_TABLE_H

#include "fs/pending_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct pending_name {
    char *name;
    struct pending_link made;
    TAILQ_ENTRY(pending_name) next;
};

struct pending_folder {
    char *alias;
    struct pending_view view;
    bool is_busy;         /* between pending_begin and pending_end, or being removed */
    size_t waiting;       /* in pending_begin */
    int64_t remove_at_ms; /* of clock_now_ms(); INT64_MAX: not */
    size_t count;
    TAILQ_HEAD(pending_names_list, pending_name) all;
    TAILQ_ENTRY(pending_folder) next;
};

struct pending_table {
    TAILQ_HEAD(pending_folders, pending_folder) folders; /* few */
    size_t count;                                        /* of folders */
    uint32_t serial;                                     /* the last one given */
    struct pending_store *store;                         /* NULL: none */
};

/* With what a worker before this one knew; take_store may be NULL. */
void pending_table_init(struct pending_table *table, struct pending_store *take_store);

/* The store keeps what it has. */
void pending_table_done(struct pending_table *table);

/* NULL if there is none; make makes one. */
struct pending_folder *pending_table_find(struct pending_table *table, const char *alias);
struct pending_folder *pending_table_make(struct pending_table *table, const char *alias);

struct pending_name *pending_table_link(struct pending_folder *folder, const char *name);

/* A new link, or another target for an old one. made->serial 0: a new one is given. */
void pending_table_put(struct pending_table *table, struct pending_folder *folder,
                       const char *name, const struct pending_link *made);
void pending_table_drop(struct pending_table *table, struct pending_folder *folder,
                        struct pending_name *link);

/* After a change of view and remove_at_ms: the next worker gets them. */
void pending_table_keep(struct pending_table *table, const struct pending_folder *folder);

/* The same, and forget a folder of which nothing is to be remembered. */
void pending_table_tidy(struct pending_table *table, struct pending_folder *folder);

/* As pending_names. */
int pending_table_names(struct pending_table *table, enum pending_names_of of,
                        const char *alias, struct bytes *to, struct error *err);

#endif
