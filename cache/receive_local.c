/* receive_local.c: a large member that comes in order, from an archive that is a local
 * file. */
#include "cache/receive_local.h"

#include "cache/internal.h"
#include "cache/spare.h"
#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>

struct feed {
    struct sink sink; /* first */
    struct archive *archive;
    struct receiver *receiver;
};

static int feed(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct feed *feed = (struct feed *)sink;

    feed->archive->cache->bytes_fetched += size;
    return receive_bytes(feed->receiver, data, size, err);
}

static int receive_pieces(struct archive *archive, struct member *member,
                          struct object *object, struct received *ret_received,
                          struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive->toc, member->index);
    CLEANUP_RECEIVER struct receiver *receiver = NULL;
    struct feed to = {.sink.write = feed, .archive = archive};
    int rc = receive_open(archive, member, RECEIVE_PIECES, ret_received, &receiver, err);

    to.receiver = receiver;
    if (rc == 0)
        rc =
            object_read(object, (struct range){entry->archive_first, entry->archive_last},
                        &to.sink, err);
    return rc < 0 ? rc : receive_end(receiver, err);
}

static int receive_at_once(struct archive *archive, struct member *member,
                           struct object *object, struct received *ret_received,
                           struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive->toc, member->index);
    size_t size = (size_t)(entry->archive_last - entry->archive_first + 1);
    CLEANUP_RECEIVER struct receiver *receiver = NULL;
    CLEANUP_FREE unsigned char *bytes = malloc(size);
    int rc, check_rc;

    if (!bytes)
        return fail(err, ENOMEM, "no memory for %zu bytes", size);
    rc = files_pread(object_fd(object), bytes, size, entry->archive_first, err);
    archive->cache->bytes_fetched += size;
    check_rc = object_check(object, err);
    if (check_rc < 0)
        rc = check_rc;
    if (rc == 0)
        rc = receive_open(archive, member, RECEIVE_AT_ONCE, ret_received, &receiver, err);
    if (rc == 0)
        rc = receive_bytes(receiver, bytes, size, err);
    return rc < 0 ? rc : receive_end(receiver, err);
}

int receive_local(struct archive *archive, struct member *member, struct object *object,
                  struct received *ret_received, struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive->toc, member->index);
    uint64_t bytes = entry->archive_last - entry->archive_first + 1 + entry->size;
    int rc;

    /* Packed bytes and content as a whole: faster than piece by piece, but takes both. */
    if (!member->is_held || !spare_take(archive->cache, bytes))
        return receive_pieces(archive, member, object, ret_received, err);
    rc = receive_at_once(archive, member, object, ret_received, err);
    spare_give(archive->cache, bytes);
    return rc;
}
