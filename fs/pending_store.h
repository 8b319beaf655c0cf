/* pending_store.h: what pending.c knows, in the memory that workers share, so that the
 * next one knows it too.
 *
 *     pending_store_put(store, &(struct pending_kept){.alias = "new", .view = view});
 *     pending_store_drop(store, "new", NULL);
 *     pending_store_each(store, each, arg);       in the next worker
 *
 * The caller sees to it that only one thread calls at a time. */
#ifndef FS_PENDING_STORE_H
#define FS_PENDING_STORE_H

#include "fs/handover.h"
#include "fs/pending.h"
#include "fs/slots.h"

struct pending_store;

/* block and slots are lent. */
struct pending_store *pending_store_new(struct handover_block *block,
                                        struct slots *slots);
void pending_store_free(struct pending_store *store); /* accepts NULL */

/* A link, or the folder itself. */
struct pending_kept {
    const char *alias;
    const char *name;         /* NULL: the folder */
    struct pending_link made; /* of a link */
    struct pending_view view; /* of a folder */
    int64_t remove_at_ms;     /* of a folder; INT64_MAX: not */
};

/* What is there is replaced. Past the limit it is not kept. */
void pending_store_put(struct pending_store *store, const struct pending_kept *kept);
void pending_store_drop(struct pending_store *store, const char *alias, const char *name);

/* Texts are lent by the slot table. */
typedef void pending_store_found(void *arg, const struct pending_kept *kept);
void pending_store_each(struct pending_store *store, pending_store_found *found,
                        void *arg);

#endif
