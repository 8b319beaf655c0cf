/* saver.h: documents of releases as they lie beside the models, under audmodel's locks.
 *
 *     rc = saver_read(saver, &release, LAYOUT_HEADER, &text, &err);
 *     saver_write_later(saver, &release, LAYOUT_HEADER, &text);
 *
 * Thread-safe. */
#ifndef CACHE_SAVER_H
#define CACHE_SAVER_H

#include "cache/layout.h"
#include "cache/store.h"
#include "common/bytes.h"
#include "common/error.h"
#include "resolver/release.h"

struct saver;

/* store is lent. */
int saver_open(const struct store *store, struct saver **ret_saver, struct error *err);

/* Saves what is still to be saved. Accepts NULL. */
void saver_close(struct saver *saver);

/* Append what is saved; -ENOENT, -EFBIG past the limit of to. */
int saver_read(const struct saver *saver, const struct release *release,
               enum layout_document which, struct bytes *to, struct error *err);

/* Is there one that is not empty? */
bool saver_has(const struct saver *saver, const struct release *release,
               enum layout_document which);

/* Write a document. Blocks for the disk and for audmodel's lock. */
int saver_write(const struct saver *saver, const struct release *release,
                enum layout_document which, const void *data, size_t size,
                struct error *err);

/* The same behind the caller, by a thread of its own, of a copy. What cannot be, because
 * 4 MiB wait already or the folder cannot be written, is fetched again by the next
 * process. */
void saver_write_later(struct saver *saver, const struct release *release,
                       enum layout_document which, const struct bytes *text);

#endif
