/* guarded.h: writes that overwrite nothing unseen, also in stores without conditional
 * writes: there we look right before we write, which leaves a moment in which another can
 * write too. Who must be sure holds a claim (claim.h). Thread-safe. */
#ifndef PUBLISH_GUARDED_H
#define PUBLISH_GUARDED_H

#include "backends/backend.h"

/* -EEXIST, and nothing changed, if the path exists. */
int guarded_create(struct backend *backend, const char *path,
                   const struct backend_content *content, struct error *err);

/* As backend_replace: -ESTALE, and nothing changed, if it is not expected_tag's version.
 */
int guarded_replace(struct backend *backend, const char *path,
                    const struct backend_content *content, const char *expected_tag,
                    struct error *err);

#endif
