/* adopt.h: members taken from a folder on this machine instead of from the archive.
 *
 * Who has just published a folder has all bytes of the model: they are checked against
 * the table of contents like any others, and fetched where they differ. */
#ifndef CACHE_ADOPT_H
#define CACHE_ADOPT_H

#include "cache/archive.h"
#include "cache/cache.h"

/* As cache_adopt, of an archive that is open. */
int adopt_all(struct archive *archive, int folder_fd, enum cache_adopt how,
              struct error *err);

#endif
