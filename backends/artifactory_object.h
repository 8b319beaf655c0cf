/* artifactory_object.h: objects of Artifactory, tied to one version by their digests.
 *
 * The contracts are those of backend.h. Where a download comes from another host (a
 * redirect to a CDN), its reply carries no digest; then the storage API is asked once
 * more after it. */
#ifndef BACKENDS_ARTIFACTORY_OBJECT_H
#define BACKENDS_ARTIFACTORY_OBJECT_H

#include "backends/artifactory_client.h"
#include "backends/backend_ops.h"

/* One request where the reply carries digests, else two. */
int artifactory_object_get(struct artifactory_client *client, const char *path,
                           struct bytes *to, struct backend_stat *ret_stat,
                           struct error *err);

/* One request, of the storage API. */
int artifactory_object_open(struct backend *backend, struct artifactory_client *client,
                            const char *path, struct object **ret_object,
                            struct error *err);

/* One request; -EAGAIN where that cannot be had: open, then read. */
int artifactory_object_open_tail(struct backend *backend,
                                 struct artifactory_client *client, const char *path,
                                 size_t tail_size, struct bytes *tail,
                                 struct object **ret_object, struct error *err);
int artifactory_object_read(struct object *object, struct range range, struct sink *to,
                            struct error *err);
int artifactory_object_check(struct object *object, struct error *err);
void artifactory_object_close(struct object *object);

#endif
