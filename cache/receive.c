/* receive.c: the bytes of one member that come in order, into its file, checked. */
#include "cache/receive.h"

#include "cache/checksum.h"
#include "cache/evict.h"
#include "cache/inflate.h"
#include "cache/internal.h"
#include "cache/local_header.h"
#include "cache/relay.h"
#include "cache/tree_member.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>

enum {
    HASH_SIZE = 1 << 20,
};

struct receiver {
    struct archive *archive;
    struct member *member;
    const struct toc_entry *entry;
    struct received *received;
    struct local_header header;
    bool is_whole;   /* unpacked when all of it is there; else as it comes */
    uint64_t packed; /* bytes taken */
    uint32_t crc;    /* as it comes: the other end's, as sum */
    uint64_t xxh3;   /* at the end */

    unsigned char *gathered; /* whole: packed bytes that came in pieces; may be NULL */

    /* As it comes: unpacked on this thread, the rest by the other end of the relay. */
    struct inflate *inflate;
    bool is_end;
    struct relay *relay;
    struct checksum *sum;    /* the other end's from here on, until relay_end */
    uint64_t written;        /* bytes */
    bool is_content_damaged; /* relay_end says so */
};

static int damaged(struct receiver *receiver, struct error *err)
{
    receiver->received->is_damaged = true;
    return -err->code;
}

static void set_file(struct archive *archive, struct member *member, int fd,
                     bool is_placed)
{
    lock_acquire(&archive->lock);
    member->fd = fd;
    member->is_placed = is_placed;
    lock_release(&archive->lock);
}

int receive_file(struct archive *archive, struct member *member, struct error *err)
{
    int fd;

    if (member->fd >= 0)
        return 0; /* a part of it came in an earlier attempt */
    fd = tree_member_create(archive->tree, member->index, err);
    if (fd >= 0)
        set_file(archive, member, fd, false);
    return fd < 0 ? fd : 0;
}

/* Note that bytes came; answer those who waited for them. */
static void tell(struct receiver *receiver, uint64_t arrived)
{
    struct archive *archive = receiver->archive;
    struct member *member = receiver->member;
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);

    lock_acquire(&archive->lock);
    member->progress_ms = clock_now_ms();
    member_advance(member, arrived);
    member_take_ready(member, &ready);
    lock_release(&archive->lock);
    waiters_answer(&ready, 0, NULL);
}

/* A second attempt of one generation: what was handed out must come again. */
static int compare_again(struct receiver *receiver, const unsigned char *data,
                         size_t size, struct error *err)
{
    CLEANUP_FREE unsigned char *before = malloc(size);
    int rc;

    if (!before)
        return fail(err, ENOMEM, "no memory to compare %zu bytes", size);
    rc = files_pread(receiver->member->fd, before, size, receiver->written, err);
    if (rc == 0 && memcmp(before, data, size) != 0) {
        receiver->is_content_damaged = true;
        return fail(err, EIO, "the second attempt brought other bytes than the first");
    }
    return rc;
}

/* Unpacked bytes in order. */
static int put_piece(void *arg, const void *data, size_t size, struct error *err)
{
    struct receiver *receiver = arg;
    struct member *member = receiver->member;
    uint64_t arrived = member->arrived; /* nobody else changes it */
    size_t again = 0;
    int rc = 0;

    if (size > member->size - receiver->written) {
        receiver->is_content_damaged = true;
        return fail(err, EIO, "it unpacks to more than its %ju bytes",
                    (uintmax_t)member->size);
    }
    if (receiver->written < arrived)
        again = size < arrived - receiver->written
                    ? size
                    : (size_t)(arrived - receiver->written);
    if (again)
        rc = compare_again(receiver, data, again, err);
    if (rc == 0 && size > again)
        rc = files_pwrite(member->fd, (const unsigned char *)data + again, size - again,
                          receiver->written + again, err);
    if (rc < 0)
        return rc;
    receiver->crc = checksum_crc32(receiver->crc, data, size);
    checksum_add(receiver->sum, data, size);
    receiver->written += size;
    tell(receiver, receiver->written);
    return 0;
}

/* Said by put_piece. */
static int fail_piece(struct receiver *receiver, struct error *err)
{
    return receiver->is_content_damaged ? damaged(receiver, err) : -err->code;
}

static int unpack(struct receiver *receiver, const unsigned char *data, size_t size,
                  struct error *err)
{
    bool is_full = true;

    while (!receiver->is_end && (size > 0 || is_full)) {
        size_t consumed = 0, produced = 0, room = 0;
        void *space = relay_space(receiver->relay, &room, err);
        int rc;

        if (!space)
            return fail_piece(receiver, err);
        rc = inflate_run(receiver->inflate, data, size, space, room, &consumed, &produced,
                         &receiver->is_end, err);
        if (rc < 0)
            return damaged(receiver, err);
        if (size > 0 && !consumed && !produced && !receiver->is_end) {
            fail(err, EIO, "its packed data makes no sense");
            return damaged(receiver, err);
        }
        relay_pass(receiver->relay, produced);
        data += consumed;
        size -= consumed;
        is_full = produced == room;
    }
    return 0;
}

static int put_in_place(struct receiver *receiver, const void *content, size_t size,
                        struct error *err)
{
    char path[TOC_PATH_MAX + 1];
    int fd;

    if (receiver->member->fd < 0) {
        toc_path(receiver->archive->toc, receiver->member->index, path);
        fd = tree_member_place(receiver->archive->tree, path, err);
        if (fd < 0)
            return fd;
        set_file(receiver->archive, receiver->member, fd, true);
    }
    return files_pwrite(receiver->member->fd, content, size, 0, err);
}

/* The content of a member that is all there, while it is hot. With a wrong CRC-32 it goes
 * nowhere, and receive_end says so. What came along with another member does not come
 * again: if somebody waits for it room is made now. */
static int put_content(struct receiver *receiver, const void *content, struct error *err)
{
    struct archive *archive = receiver->archive;
    size_t size = (size_t)receiver->entry->size;
    int rc;

    receiver->crc = checksum_crc32(0, content, size);
    if (receiver->crc != receiver->entry->crc32)
        return 0;
    receiver->xxh3 = checksum_xxh3(content, size);
    rc = put_in_place(receiver, content, size, err);
    if ((rc == -ENOSPC || rc == -EDQUOT) &&
        archive_state_is_waited_for(archive, receiver->member) &&
        evict_make_room(archive->cache, size, EVICT_ASKED, err) == 0)
        rc = put_in_place(receiver, content, size, err);
    return rc;
}

static int unpack_whole(struct receiver *receiver, const unsigned char *data,
                        struct error *err)
{
    const struct toc_entry *entry = receiver->entry;
    CLEANUP_FREE unsigned char *content = NULL;
    int rc;

    if (entry->method == TOC_STORED)
        return put_content(receiver, data, err);
    content = malloc((size_t)entry->size + 1);
    if (!content)
        return fail(err, ENOMEM, "no memory to unpack %ju bytes", (uintmax_t)entry->size);
    rc = inflate_whole(INFLATE_FASTEST, data, (size_t)entry->packed_size, content,
                       (size_t)entry->size, err);
    if (rc == -EIO)
        return damaged(receiver, err);
    return rc < 0 ? rc : put_content(receiver, content, err);
}

/* Bytes of a member that is unpacked as a whole: without a copy if they are all. */
static int gather(struct receiver *receiver, const unsigned char *data, size_t size,
                  struct error *err)
{
    uint64_t packed_size = receiver->entry->packed_size;

    if (size == packed_size)
        return unpack_whole(receiver, data, err);
    if (!receiver->gathered)
        receiver->gathered = malloc((size_t)packed_size);
    if (!receiver->gathered)
        return fail(err, ENOMEM, "no memory for %ju bytes", (uintmax_t)packed_size);
    memcpy(receiver->gathered + receiver->packed - size, data, size);
    return receiver->packed == packed_size
               ? unpack_whole(receiver, receiver->gathered, err)
               : 0;
}

int receive_bytes(struct receiver *receiver, const void *data, size_t size,
                  struct error *err)
{
    const unsigned char *bytes = data;
    bool had_header = receiver->header.data_at > 0;
    uint64_t left;
    int rc = local_header_take(&receiver->header, &bytes, &size, err);

    if (rc < 0)
        return rc == -EIO ? damaged(receiver, err) : rc;
    left = receiver->entry->packed_size - receiver->packed;
    if (size > left)
        size = (size_t)left;
    if (!receiver->header.data_at ||
        (size == 0 && (had_header || receiver->entry->packed_size > 0)))
        return 0;
    receiver->packed += size;
    return receiver->is_whole ? gather(receiver, bytes, size, err)
                              : unpack(receiver, bytes, size, err);
}

bool receive_has_all(const struct receiver *receiver)
{
    return receiver->header.data_at > 0 &&
           receiver->packed == receiver->entry->packed_size;
}

static bool ends_where_it_should(const struct receiver *receiver)
{
    if (!receive_has_all(receiver))
        return false;
    return receiver->is_whole ||
           (receiver->is_end &&
            inflate_packed_size(receiver->inflate) == receiver->entry->packed_size);
}

int receive_end(struct receiver *receiver, struct error *err)
{
    const struct toc_entry *entry = receiver->entry;

    if (receiver->relay && relay_end(receiver->relay, err) < 0)
        return fail_piece(receiver, err);
    FAULT("cache.member.before-check");
    if (!ends_where_it_should(receiver)) {
        fail(err, EIO, "its packed data does not end where it should");
        return damaged(receiver, err);
    }
    if (!receiver->is_whole && receiver->written != entry->size) {
        fail(err, EIO, "it has %ju bytes, not %ju", (uintmax_t)receiver->written,
             (uintmax_t)entry->size);
        return damaged(receiver, err);
    }
    if (receiver->crc != entry->crc32) {
        fail(err, EIO, "its CRC-32 is %08x, not %08x", receiver->crc, entry->crc32);
        return damaged(receiver, err);
    }
    receiver->received->xxh3 =
        receiver->is_whole ? receiver->xxh3 : checksum_value(receiver->sum);
    return 0;
}

static int open_stream(struct receiver *receiver, struct error *err)
{
    int rc = receive_file(receiver->archive, receiver->member, err);

    assert(receiver->entry->method == TOC_DEFLATED);
    if (rc < 0)
        return rc;
    receiver->sum = checksum_new();
    rc = relay_open(receiver->archive->cache, put_piece, receiver, &receiver->relay, err);
    return rc < 0 ? rc : inflate_open(INFLATE_FASTEST, &receiver->inflate, err);
}

int receive_open(struct archive *archive, struct member *member, enum receive_how how,
                 struct received *ret_received, struct receiver **ret_receiver,
                 struct error *err)
{
    CLEANUP_RECEIVER struct receiver *receiver = XNEW(struct receiver);
    int rc;

    receiver->archive = archive;
    receiver->member = member;
    receiver->entry = toc_entry(archive->toc, member->index);
    receiver->received = ret_received;
    receiver->is_whole = how == RECEIVE_AT_ONCE || member->is_small;
    local_header_init(&receiver->header, archive->toc, member->index);
    rc = receiver->is_whole ? 0 : open_stream(receiver, err);
    if (rc == 0)
        *ret_receiver = steal_ptr(&receiver);
    return rc;
}

void receive_close(struct receiver *receiver)
{
    if (!receiver)
        return;
    relay_close(receiver->relay);
    local_header_done(&receiver->header);
    inflate_close(receiver->inflate);
    checksum_free(receiver->sum);
    free(receiver->gathered);
    free(receiver);
}

int receive_hash(int fd, uint64_t first, uint64_t end, struct checksum *sum,
                 struct error *err)
{
    CLEANUP_FREE unsigned char *buffer = malloc(HASH_SIZE);

    if (!buffer)
        return fail(err, ENOMEM, "no memory to hash a file");
    while (first < end) {
        size_t piece = end - first < HASH_SIZE ? (size_t)(end - first) : HASH_SIZE;
        int rc = files_pread(fd, buffer, piece, first, err);

        if (rc < 0)
            return rc;
        checksum_add(sum, buffer, piece);
        first += piece;
    }
    return 0;
}
