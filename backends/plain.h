/* plain.h: the calls that save requests, for kinds whose store has no such request: made
 * of the kind's own list, object_open and object_read. To be put into its vtable. */
#ifndef BACKENDS_PLAIN_H
#define BACKENDS_PLAIN_H

#include "backends/backend_ops.h"

/* As backend_diagnose: there is nothing that could be wrong. */
void plain_diagnose(struct backend *backend, backend_finding *each, void *arg);

/* As backend_prune, where no empty folder stays. */
int plain_prune(struct backend *backend, const char *path, struct error *err);

/* As backend_get_version: open, then read. */
int plain_get(struct backend *backend, const char *path, struct bytes *to,
              struct backend_stat *ret_stat, struct error *err);

/* As backend_list_deep: a listing for each folder. */
int plain_list_deep(struct backend *backend, const char *folder, unsigned depth,
                    backend_each *each, void *arg, struct error *err);

/* As backend_object_open_tail: open, then read the end. */
int plain_object_open_tail(struct backend *backend, const char *path, size_t tail_size,
                           struct bytes *tail, struct object **ret_object,
                           struct error *err);

#endif
