/* documents_clean.h: removes headers and metadata that lie beside no model. */
#ifndef CACHE_DOCUMENTS_CLEAN_H
#define CACHE_DOCUMENTS_CLEAN_H

#include "cache/store.h"
#include "common/error.h"

#include <stdint.h>

/* Remove the documents of all versions of which no file is cached. What audmodel is just
 * at stays, and so do its lock files: it does not look whether a file that it locked is
 * still there. *ret_removed counts them. */
int documents_clean(const struct store *store, uint32_t *ret_removed, struct error *err);

#endif
