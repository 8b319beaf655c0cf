/* adopt_member.h: one member from the folder that an archive is being taken over from. */
#ifndef CACHE_ADOPT_MEMBER_H
#define CACHE_ADOPT_MEMBER_H

#include "cache/archive.h"
#include "cache/member.h"

/* Is there a folder to take this member from, and does it have it? 1: its file is
 * complete and verified (member->fd), *ret_xxh3 is its checksum. 0: fetch it. With the
 * member's lock (tree.h) held and no mutex. */
int adopt_member(struct archive *archive, struct member *member, const char *path,
                 uint64_t *ret_xxh3);

#endif
