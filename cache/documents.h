/* documents.h: header and metadata of releases, beside the models as audmodel has them.
 *
 *     rc = documents_header(documents, resolver, &release, RESOLVE_FETCH, &header, &err);
 *     header_unref(header);
 *
 * A document that is saved has the bytes of the backend, and came by write-then-rename
 * under audmodel's lock. Saving is a courtesy to the next reader, done behind the answer
 * by a thread of its own: nobody who asks waits for the disk or for audmodel's lock, and
 * where the folder cannot be written the answer is given all the same. Thread-safe. */
#ifndef CACHE_DOCUMENTS_H
#define CACHE_DOCUMENTS_H

#include "cache/store.h"
#include "common/bytes.h"
#include "common/error.h"
#include "resolver/header.h"
#include "resolver/resolver.h"

struct documents;

/* store is lent. */
int documents_open(const struct store *store, struct documents **ret_documents,
                   struct error *err);

/* Saves what is still to be saved. Accepts NULL. */
void documents_close(struct documents *documents);

/* As cache_header. */
int documents_header(struct documents *documents, struct resolver *resolver,
                     const struct release *release, enum resolve_how how,
                     struct header **ret_header, struct error *err);

/* As cache_date. */
int documents_date(struct documents *documents, struct resolver *resolver,
                   const struct release *release, enum resolve_how how,
                   int64_t *ret_date_s, struct error *err);

/* As cache_meta. */
int documents_meta(struct documents *documents, struct resolver *resolver,
                   const struct release *release, struct bytes *to, struct error *err);

/* See that both lie beside the model. A model without metadata has none. */
int documents_save(struct documents *documents, struct resolver *resolver,
                   const struct release *release, struct error *err);

#endif
