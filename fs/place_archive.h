/* place_archive.h: the archive that a version or a member belongs to. */
#ifndef FS_PLACE_ARCHIVE_H
#define FS_PLACE_ARCHIVE_H

#include "fs/fs.h"
#include "fs/place.h"

#include <stdbool.h>

/* Open it: archive_unref the result. Blocks only with RESOLVE_FETCH, else -EINPROGRESS if
 * it would have to be asked for; -ESTALE when a member's archive was replaced. */
int place_archive(struct fs *fs, const struct place *place, enum resolve_how how,
                  struct archive **ret_archive, struct error *err);

/* Is a member of this size streamed while it arrives (larger than hold, not yet there)?
 */
bool place_archive_is_arriving(struct fs *fs, struct archive *archive, uint32_t index);

#endif
