/* receive.c: the bytes of one member from the archive into its file, checked. */
#include "cache/receive.h"

#include "cache/checksum.h"
#include "cache/inflate.h"
#include "cache/internal.h"
#include "cache/toc_local.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>

enum {
    OUTPUT_SIZE = 256 << 10, /* unpacked at once */
    HASH_SIZE = 1 << 20,
    LOCAL_MAX = 1 << 20, /* of a local header with name and extra field: 128 KiB */
    RUN_BLOCKS = 8,      /* blocks of one request */
};

/* One call of receive_member. */
struct receiver {
    struct sink sink; /* first */
    struct archive *archive;
    struct member *member;
    const struct toc_entry *entry;
    struct object *object;
    struct received *received;
    struct checksum *sum; /* XXH3 of the first `hashed` bytes of the file */
    uint64_t hashed;
    uint32_t crc; /* in order: of what has come; by block: of the block that comes */

    struct bytes local;  /* the local header, until it is checked */
    size_t local_needed; /* bytes of it to come, as far as is known */
    uint64_t data_at;    /* of the packed bytes in the archive; 0: not known yet */

    /* In order. */
    struct inflate *inflate; /* NULL for stored members */
    unsigned char *output;
    uint64_t packed; /* bytes taken from the archive */
    uint64_t written;
    bool is_end;

    /* By block. */
    uint64_t at; /* offset in the member of the next byte */
    bool is_cut; /* the request was ended for a block that somebody waits for */
};

static int damaged(struct receiver *receiver, struct error *err)
{
    receiver->received->is_damaged = true;
    return -err->code;
}

/* All that was needed is there: it is the header, or says how much it takes. */
static int check_local(struct receiver *receiver, struct error *err)
{
    const struct toc *toc = receiver->archive->toc;
    size_t needed = 0;
    int rc = toc_local_check(toc, receiver->member->index, receiver->local.data,
                             receiver->local.size, &needed, err);

    if (rc == 0)
        receiver->data_at = receiver->entry->archive_first + needed;
    else if (rc > 0 && needed <= receiver->local.size)
        rc = fail(err, EIO, "its local header does not end");
    receiver->local_needed = needed;
    return rc < 0 ? damaged(receiver, err) : 0;
}

/* Note that bytes came; answer those who waited for them. */
static void tell(struct receiver *receiver, uint64_t arrived)
{
    struct archive *archive = receiver->archive;
    struct member *member = receiver->member;
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);

    lock_acquire(&archive->lock);
    member->progress_ms = clock_now_ms();
    if (member->order == MEMBER_IN_ORDER)
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
        fail(err, EIO, "the second attempt brought other bytes than the first");
        return damaged(receiver, err);
    }
    return rc;
}

/* Unpacked bytes in order. */
static int output(struct receiver *receiver, const unsigned char *data, size_t size,
                  struct error *err)
{
    struct member *member = receiver->member;
    uint64_t arrived = member->arrived; /* only this thread changes it */
    size_t again = 0;
    int rc = 0;

    if (size > member->size - receiver->written) {
        fail(err, EIO, "it unpacks to more than its %ju bytes", (uintmax_t)member->size);
        return damaged(receiver, err);
    }
    if (receiver->written < arrived)
        again = size < arrived - receiver->written
                    ? size
                    : (size_t)(arrived - receiver->written);
    if (again)
        rc = compare_again(receiver, data, again, err);
    if (rc == 0 && size > again)
        rc = files_pwrite(member->fd, data + again, size - again,
                          receiver->written + again, err);
    if (rc < 0)
        return rc;
    receiver->crc = checksum_crc32(receiver->crc, data, size);
    checksum_add(receiver->sum, data, size);
    receiver->written += size;
    receiver->hashed = receiver->written;
    tell(receiver, receiver->written);
    return 0;
}

static int unpack(struct receiver *receiver, const unsigned char *data, size_t size,
                  struct error *err)
{
    bool is_full = true;

    while (!receiver->is_end && (size > 0 || is_full)) {
        size_t consumed = 0, produced = 0;
        int rc = inflate_run(receiver->inflate, data, size, receiver->output, OUTPUT_SIZE,
                             &consumed, &produced, &receiver->is_end, err);

        if (rc < 0)
            return damaged(receiver, err);
        if (size > 0 && !consumed && !produced && !receiver->is_end) {
            fail(err, EIO, "its packed data makes no sense");
            return damaged(receiver, err);
        }
        data += consumed;
        size -= consumed;
        is_full = produced == OUTPUT_SIZE;
        rc = produced ? output(receiver, receiver->output, produced, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Packed bytes in order; what lies behind them (a descriptor, a gap) is let go. */
static int take_packed(struct receiver *receiver, const unsigned char *data, size_t size,
                       struct error *err)
{
    uint64_t left = receiver->entry->packed_size - receiver->packed;

    if (size > left)
        size = (size_t)left;
    if (size == 0)
        return 0;
    receiver->packed += size;
    return receiver->inflate ? unpack(receiver, data, size, err)
                             : output(receiver, data, size, err);
}

/* No more than it needs of what comes goes to the local header. */
static int take_local(struct receiver *receiver, const unsigned char **data, size_t *size,
                      struct error *err)
{
    while (!receiver->data_at && *size > 0) {
        size_t missing = receiver->local_needed - receiver->local.size;
        size_t piece = *size < missing ? *size : missing;
        int rc = bytes_append(&receiver->local, *data, piece, err);

        if (rc < 0)
            return rc;
        *data += piece;
        *size -= piece;
        if (piece == missing)
            rc = check_local(receiver, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* First the local header, then the member's bytes. */
static int write_in_order(struct sink *sink, const void *data, size_t size,
                          struct error *err)
{
    struct receiver *receiver = (struct receiver *)sink;
    const unsigned char *bytes = data;
    int rc;

    receiver->archive->cache->bytes_fetched += size;
    rc = take_local(receiver, &bytes, &size, err);
    return rc < 0 || size == 0 ? rc : take_packed(receiver, bytes, size, err);
}

static int receive_in_order(struct receiver *receiver, struct error *err)
{
    const struct toc_entry *entry = receiver->entry;
    int rc = 0;

    if (entry->method == TOC_DEFLATED) {
        receiver->output = xcalloc(1, OUTPUT_SIZE);
        rc = inflate_open(INFLATE_FASTEST, &receiver->inflate, err);
    }
    receiver->sink.write = write_in_order;
    if (rc == 0)
        rc = object_read(receiver->object,
                         (struct range){entry->archive_first, entry->archive_last},
                         &receiver->sink, err);
    if (rc < 0)
        return rc;
    if (receiver->packed != entry->packed_size ||
        (receiver->inflate &&
         (!receiver->is_end ||
          inflate_packed_size(receiver->inflate) != entry->packed_size))) {
        fail(err, EIO, "its packed data does not end where it should");
        return damaged(receiver, err);
    }
    if (receiver->written != entry->size) {
        fail(err, EIO, "it has %ju bytes, not %ju", (uintmax_t)receiver->written,
             (uintmax_t)entry->size);
        return damaged(receiver, err);
    }
    return 0;
}

static int write_local(struct sink *sink, const void *data, size_t size,
                       struct error *err)
{
    struct receiver *receiver = (struct receiver *)sink;

    receiver->archive->cache->bytes_fetched += size;
    return bytes_append(&receiver->local, data, size, err);
}

/* Where do the bytes of a stored member begin? */
static int find_data(struct receiver *receiver, struct error *err)
{
    const struct toc_entry *entry = receiver->entry;
    int rc = 0;

    receiver->sink.write = write_local;
    while (rc == 0 && !receiver->data_at) {
        struct range range = {entry->archive_first + receiver->local.size,
                              entry->archive_first + receiver->local_needed - 1};

        if (range.last > entry->archive_last) {
            fail(err, EIO, "its local header does not end");
            return damaged(receiver, err);
        }
        rc = object_read(receiver->object, range, &receiver->sink, err);
        if (rc == 0)
            rc = check_local(receiver, err);
    }
    return rc;
}

/* The block that `at` just reached the end of is there. 1: somebody waits for another. */
static int end_block(struct receiver *receiver)
{
    struct archive *archive = receiver->archive;
    struct member *member = receiver->member;
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);
    uint64_t block = (receiver->at - 1) / MEMBER_BLOCK;
    bool is_wanted;

    lock_acquire(&archive->lock);
    member_block_done(member, block, receiver->crc);
    member->progress_ms = clock_now_ms();
    member_take_ready(member, &ready);
    is_wanted = member_is_wanted_elsewhere(member, block + 1);
    lock_release(&archive->lock);
    waiters_answer(&ready, 0, NULL);
    receiver->crc = 0;
    return is_wanted;
}

static int write_blocks(struct sink *sink, const void *data, size_t size,
                        struct error *err)
{
    struct receiver *receiver = (struct receiver *)sink;
    struct member *member = receiver->member;
    const unsigned char *bytes = data;

    receiver->archive->cache->bytes_fetched += size;
    while (size > 0) {
        uint64_t end = (receiver->at / MEMBER_BLOCK + 1) * MEMBER_BLOCK;
        uint64_t left = (end < member->size ? end : member->size) - receiver->at;
        size_t piece = size < left ? size : (size_t)left;
        int rc = files_pwrite(member->fd, bytes, piece, receiver->at, err);

        if (rc < 0)
            return rc;
        receiver->crc = checksum_crc32(receiver->crc, bytes, piece);
        if (receiver->at == receiver->hashed) {
            checksum_add(receiver->sum, bytes, piece);
            receiver->hashed += piece;
        }
        receiver->at += piece;
        bytes += piece;
        size -= piece;
        receiver->is_cut = piece == left && end_block(receiver) && size > 0;
        if (receiver->is_cut)
            return fail(err, ECANCELED, "somebody waits for another block");
    }
    return 0;
}

static int receive_run(struct receiver *receiver, uint64_t first, uint64_t count,
                       struct error *err)
{
    uint64_t begin = first * MEMBER_BLOCK, end = (first + count) * MEMBER_BLOCK;
    int rc;

    if (end > receiver->member->size)
        end = receiver->member->size;
    receiver->at = begin;
    receiver->crc = 0;
    receiver->is_cut = false;
    rc = object_read(
        receiver->object,
        (struct range){receiver->data_at + begin, receiver->data_at + end - 1},
        &receiver->sink, err);
    return rc < 0 && receiver->is_cut ? 0 : rc;
}

static int receive_by_block(struct receiver *receiver, struct error *err)
{
    struct archive *archive = receiver->archive;
    struct member *member = receiver->member;
    uint64_t first, count;
    int rc = find_data(receiver, err);

    receiver->sink.write = write_blocks;
    while (rc == 0) {
        lock_acquire(&archive->lock);
        count = member_next_blocks(member, RUN_BLOCKS, &first);
        lock_release(&archive->lock);
        if (count == 0)
            break;
        rc = receive_run(receiver, first, count, err);
    }
    if (rc < 0)
        return rc;
    receiver->crc = member_crc32(member); /* all blocks are there: nobody changes it */
    return receive_hash(member->fd, receiver->hashed, member->size, receiver->sum, err);
}

int receive_hash(int fd, uint64_t first, uint64_t end, struct checksum *sum,
                 struct error *err)
{
    CLEANUP_FREE unsigned char *buffer = xcalloc(1, HASH_SIZE);

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

static int receive(struct receiver *receiver, struct error *err)
{
    int rc = receiver->member->order == MEMBER_BY_BLOCK ? receive_by_block(receiver, err)
                                                        : receive_in_order(receiver, err);

    FAULT("cache.member.before-check");
    if (rc < 0)
        return rc;
    if (receiver->crc != receiver->entry->crc32) {
        fail(err, EIO, "its CRC-32 is %08x, not %08x", receiver->crc,
             receiver->entry->crc32);
        return damaged(receiver, err);
    }
    receiver->received->xxh3 = checksum_value(receiver->sum);
    return 0;
}

int receive_member(struct archive *archive, struct member *member, struct object *object,
                   struct received *ret_received, struct error *err)
{
    struct receiver receiver = {
        .archive = archive,
        .member = member,
        .entry = toc_entry(archive->toc, member->index),
        .object = object,
        .received = ret_received,
        .sum = checksum_new(),
        .local_needed = TOC_LOCAL_MIN,
    };
    int rc;

    bytes_init(&receiver.local, LOCAL_MAX);
    rc = receive(&receiver, err);
    bytes_done(&receiver.local);
    inflate_close(receiver.inflate);
    free(receiver.output);
    checksum_free(receiver.sum);
    return rc;
}
