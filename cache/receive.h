/* receive.h: the bytes of one member that come in order, into its file, checked.
 *
 *     rc = receive_open(archive, member, RECEIVE_PIECES, &received, &receiver, &err);
 *     while (!receive_has_all(receiver)) ... receive_bytes(receiver, data, size, &err);
 *     rc = receive_end(receiver, &err);
 *     receive_close(receiver);
 *
 * Checks the local header, unpacks, writes, tells the member's waiters what has come, and
 * compares size and CRC-32 at the end. Of the thread that runs the transfer, with the
 * member's lock (tree.h) held and no mutex. What comes in pieces is written and told by a
 * second thread (relay.h), while the next piece is unpacked: until receive_end it may be
 * behind. */
#ifndef CACHE_RECEIVE_H
#define CACHE_RECEIVE_H

#include "cache/archive_state.h"

struct received {
    bool is_damaged; /* the failure is the member's content, not the way it came */
    uint64_t xxh3;   /* of the content, on success */
};

enum receive_how {
    RECEIVE_PIECES,
    RECEIVE_AT_ONCE, /* one call of receive_bytes brings all; of held members only */
};

struct receiver;

/* Make the file of a member that arrives piece by piece, where it has none yet. */
int receive_file(struct archive *archive, struct member *member, struct error *err);

/* The member comes in order. What an earlier attempt handed out must come again and be
 * the same. One that is unpacked as a whole gets its file when it is found good, at its
 * place (member->is_placed). *ret_received is filled as it goes on. -ENOMEM, or what the
 * disk said. */
int receive_open(struct archive *archive, struct member *member, enum receive_how how,
                 struct received *ret_received, struct receiver **ret_receiver,
                 struct error *err);

/* The next bytes of the archive, the first of all from entry->archive_first. What lies
 * behind the packed bytes (a descriptor, a gap) is let go. -EIO with is_damaged; else
 * what the disk said. */
int receive_bytes(struct receiver *receiver, const void *data, size_t size,
                  struct error *err);

/* Were all packed bytes given? */
bool receive_has_all(const struct receiver *receiver);

/* All bytes came: is it the member? Errors as receive_bytes. */
int receive_end(struct receiver *receiver, struct error *err);

void receive_close(struct receiver *receiver); /* accepts NULL */
#define CLEANUP_RECEIVER CLEANUP_WITH(receive_cleanup)
static inline void receive_cleanup(struct receiver **receiver)
{
    receive_close(*receiver);
}

/* XXH3 of bytes [first, end) of a file, added to sum. Blocks. */
struct checksum;
int receive_hash(int fd, uint64_t first, uint64_t end, struct checksum *sum,
                 struct error *err);

#endif
