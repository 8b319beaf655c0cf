/* adopt.h: members taken from a folder on this machine instead of from the archive.
 *
 * Who has just published a folder has all bytes of the model: they are checked against
 * the table of contents like any others, and fetched where they differ. */
#ifndef CACHE_ADOPT_H
#define CACHE_ADOPT_H

#include "cache/archive.h"
#include "cache/cache.h"
#include "cache/member.h"

/* As cache_adopt, of an archive that is open. */
int adopt_all(struct archive *archive, int folder_fd, enum cache_adopt how,
              struct error *err);

/* Is there a folder to take this member from, and does it have it? 1: its file is
 * complete and verified (member->fd), *ret_xxh3 is its checksum. 0: fetch it. With the
 * member's lock (tree.h) held and no mutex. */
int adopt_member(struct archive *archive, struct member *member, const char *path,
                 uint64_t *ret_xxh3);

#endif
