/* document.h: a small document of a repository, read, changed and written back.
 *
 *     do {
 *         rc = document_read(backend, path, &text, &version, &err);
 *         ... compute what it should be ...
 *         rc = document_write(backend, path, &changed, &version, &err);
 *     } while (rc == -ESTALE && tries++ < DOCUMENT_TRIES);
 *
 * Of two that change one document at once the slower is told -ESTALE. */
#ifndef PUBLISH_DOCUMENT_H
#define PUBLISH_DOCUMENT_H

#include "backends/backend.h"
#include "common/bytes.h"
#include "common/error.h"

enum { DOCUMENT_TRIES = 10 };

struct document_version {
    char tag[BACKEND_TAG_MAX]; /* "": there is no document */
};

/* Append the document, nothing if there is none. */
int document_read(struct backend *backend, const char *path, struct bytes *to,
                  struct document_version *ret_version, struct error *err);

/* -ESTALE: it is no longer the version that was read. In a store without conditional
 * writes the last of those that write at the same moment wins, as with audmodel. */
int document_write(struct backend *backend, const char *path, const struct bytes *text,
                   const struct document_version *version, struct error *err);

#endif
