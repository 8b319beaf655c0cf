/* receive.h: the bytes of one member from the archive into its file, checked.
 *
 *     struct received received = {0};
 *     rc = receive_member(archive, member, object, &received, &err);
 *
 * Checks the local header, unpacks, writes, tells the member's waiters what has come, and
 * compares size and CRC-32 at the end. Blocks: on a pool thread, with the member's lock
 * (tree.h) held and no mutex. */
#ifndef CACHE_RECEIVE_H
#define CACHE_RECEIVE_H

#include "cache/archive_state.h"

struct received {
    bool is_damaged; /* the failure is the member's content, not the way it came */
    uint64_t xxh3;   /* of the content, on success */
};

/* member->fd must be its open file. Resumes what an earlier call left: by block what is
 * there stays; in order the bytes come again and must be the same. -EIO with is_damaged;
 * else what the backend or the disk said. */
int receive_member(struct archive *archive, struct member *member, struct object *object,
                   struct received *ret_received, struct error *err);

/* XXH3 of bytes [first, end) of a file, added to sum. Blocks. */
struct checksum;
int receive_hash(int fd, uint64_t first, uint64_t end, struct checksum *sum,
                 struct error *err);

#endif
