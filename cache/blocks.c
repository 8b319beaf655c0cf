/* blocks.c: the bytes of one stored member that comes by block, into its file, checked.
 */
#include "cache/blocks.h"

#include "cache/checksum.h"
#include "cache/internal.h"
#include "cache/local_header.h"
#include "cache/registry.h"
#include "common/copy.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>

enum {
    LOCAL_GUESS = 4096,  /* of a local header: one that has more takes a second request */
    COPY_BLOCKS = 8,     /* copied at once */
    CATCH_UP_BLOCKS = 8, /* summed up after each block that came */
    SPARE_THREADS = 2,   /* of the pool: for what is asked for */
};

/* What one thread works with. */
struct fetcher {
    struct sink sink; /* first */
    struct archive *archive;
    struct member *member;
    struct object *object;
    workers_job *help; /* what further threads run; NULL: there are to be none */
    bool is_helper;
    struct member_run run;
    uint64_t at;     /* offset in the member of the next byte */
    uint64_t end;    /* where the run ended when it began */
    uint32_t crc;    /* of what has come of its block */
    bool is_over;    /* the request is not to go on */
    bool is_leaving; /* nor this thread */
    struct local_header header;
    bool is_damaged;      /* its local header is */
    struct checksum *sum; /* of the first `hashed` bytes of the file; NULL of helpers */
    uint64_t hashed;
};

/* What a further thread is given; its own until it ends. */
struct helper {
    struct archive *archive; /* a reference */
    struct object *object;   /* the archive's */
    uint32_t index;
    uint64_t serial; /* of the member that it was started for */
};

/* How many further threads the pool has to spare. */
static unsigned spare_threads(struct archive *archive)
{
    struct cache *cache = archive->cache;
    uint64_t busy = cache->transfers_running + cache->helpers_running + SPARE_THREADS;

    if (workers_waiting(archive->workers) > 0 || busy >= cache->threads)
        return 0;
    return cache->threads - (unsigned)busy;
}

static bool start_helper_locked(struct fetcher *fetcher) REQUIRES(fetcher->archive->lock)
{
    struct archive *archive = fetcher->archive;
    struct error unused = {0};
    struct helper *helper = XNEW(struct helper);

    helper->archive = registry_ref(archive);
    helper->object = fetcher->object;
    helper->index = fetcher->member->index;
    helper->serial = fetcher->member->serial;
    if (workers_submit(archive->workers, fetcher->help, helper, &unused) < 0) {
        archive->refs--; /* not the last: the caller's job has one */
        free(helper);
        return false;
    }
    archive->cache->helpers_running++;
    fetcher->member->helpers_started++;
    return true;
}

/* Further threads up to wanted connections, as far as there are some and work for them.
 */
static void start_helpers_locked(struct fetcher *fetcher, unsigned wanted, int64_t now_ms)
    REQUIRES(fetcher->archive->lock)
{
    struct member *member = fetcher->member;
    unsigned spare;

    if (member->helpers_started + 1 >= wanted)
        return;
    spare = member_has_run(member) &&
                    pace_is_worth(&member->pace, member->blocks_left * MEMBER_BLOCK)
                ? spare_threads(fetcher->archive)
                : 0;
    while (member->helpers_started + 1 < wanted && spare-- > 0 &&
           start_helper_locked(fetcher))
        ;
    pace_settle_for(&member->pace, member->helpers_started + 1, now_ms);
}

/* As many threads as raise the rate, but none that others wait for. */
static void keep_pace_locked(struct fetcher *fetcher, int64_t now_ms)
    REQUIRES(fetcher->archive->lock)
{
    struct member *member = fetcher->member;
    unsigned wanted =
        pace_add(&member->pace, atomic_exchange(&member->unpaced, 0), now_ms);

    if (fetcher->is_helper && (member->helpers_started + 1 > wanted ||
                               workers_waiting(fetcher->archive->workers) > 0)) {
        fetcher->is_leaving = true;
        fetcher->run.is_cut = true;
        member->helpers_started--;
        pace_settle_for(&member->pace, member->helpers_started + 1, now_ms);
        return;
    }
    start_helpers_locked(fetcher, wanted, now_ms);
}

/* The block that `at` just reached the end of is there. false: the run ends with it. */
static bool end_block(struct fetcher *fetcher)
{
    struct member *member = fetcher->member;
    struct waiter_list ready = TAILQ_HEAD_INITIALIZER(ready);
    bool goes_on;

    lock_acquire(&fetcher->archive->lock);
    member_block_done(member, fetcher->run.next, fetcher->crc);
    member->progress_ms = clock_now_ms();
    member_take_ready(member, &ready);
    goes_on = member_run_advance(member, &fetcher->run);
    if (fetcher->help)
        keep_pace_locked(fetcher, member->progress_ms);
    lock_release(&fetcher->archive->lock);
    waiters_answer(&ready, 0, NULL);
    fetcher->crc = 0;
    return goes_on && !fetcher->is_leaving;
}

/* Where other threads were faster: sum up what they brought, while this one waits for
 * its own. A block that cannot be read adds nothing: in the end it is said why. */
static void catch_up(struct fetcher *fetcher)
{
    struct archive *archive = fetcher->archive;
    struct member *member = fetcher->member;
    bool has_block = fetcher->sum && fetcher->hashed % MEMBER_BLOCK == 0;

    for (int i = 0; has_block && i < CATCH_UP_BLOCKS; i++) {
        lock_acquire(&archive->lock);
        has_block = member_has_block(member, fetcher->hashed / MEMBER_BLOCK);
        lock_release(&archive->lock);
        if (!has_block || fetcher->hashed + MEMBER_BLOCK > member->size ||
            receive_hash(member->fd, fetcher->hashed, fetcher->hashed + MEMBER_BLOCK,
                         fetcher->sum, &(struct error){0}) < 0)
            return;
        fetcher->hashed += MEMBER_BLOCK;
    }
}

/* Bytes of one block, which are in the file: sums, and what hangs on the block's end. */
static bool note_bytes(struct fetcher *fetcher, const unsigned char *data, size_t size)
{
    struct member *member = fetcher->member;
    uint64_t end = (fetcher->at / MEMBER_BLOCK + 1) * MEMBER_BLOCK;
    bool goes_on;

    fetcher->crc = checksum_crc32(fetcher->crc, data, size);
    if (fetcher->sum && fetcher->at == fetcher->hashed) {
        checksum_add(fetcher->sum, data, size);
        fetcher->hashed += size;
    }
    fetcher->at += size;
    if (fetcher->at < end && fetcher->at < member->size)
        return true;
    goes_on = end_block(fetcher);
    catch_up(fetcher);
    return goes_on;
}

static uint64_t left_of_block(const struct fetcher *fetcher)
{
    uint64_t end = (fetcher->at / MEMBER_BLOCK + 1) * MEMBER_BLOCK;

    return (end < fetcher->member->size ? end : fetcher->member->size) - fetcher->at;
}

static int take_header(struct fetcher *fetcher, const unsigned char **data, size_t *size,
                       struct error *err)
{
    struct archive *archive = fetcher->archive;
    int rc = local_header_take(&fetcher->header, data, size, err);

    if (rc == -EIO)
        fetcher->is_damaged = true;
    lock_acquire(&archive->lock);
    fetcher->member->data_at = fetcher->header.data_at;
    lock_release(&archive->lock);
    return rc;
}

static int write_run(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct fetcher *fetcher = (struct fetcher *)sink;
    struct member *member = fetcher->member;
    const unsigned char *bytes = data;
    int rc = 0;

    fetcher->archive->cache->bytes_fetched += size;
    member->unpaced += size;
    if (!fetcher->is_helper && !fetcher->header.data_at)
        rc = take_header(fetcher, &bytes, &size, err);
    while (rc == 0 && size > 0 && !fetcher->is_over) {
        uint64_t left = left_of_block(fetcher);
        size_t piece = size < left ? size : (size_t)left;

        rc = files_pwrite(member->fd, bytes, piece, fetcher->at, err);
        if (rc == 0)
            fetcher->is_over = !note_bytes(fetcher, bytes, piece);
        bytes += piece;
        size -= piece;
    }
    if (rc == 0 && fetcher->at < fetcher->end && fetcher->is_over)
        rc = fail(err, ECANCELED, "the rest of it is not wanted");
    return rc;
}

static int write_header(struct sink *sink, const void *data, size_t size,
                        struct error *err)
{
    struct fetcher *fetcher = (struct fetcher *)sink;
    const unsigned char *bytes = data;

    fetcher->archive->cache->bytes_fetched += size;
    return take_header(fetcher, &bytes, &size, err);
}

/* Where do the bytes begin? */
static int find_data(struct fetcher *fetcher, struct error *err)
{
    const struct toc_entry *entry =
        toc_entry(fetcher->archive->toc, fetcher->member->index);
    uint64_t first = entry->archive_first;
    uint64_t size = LOCAL_GUESS;
    int rc = 0;

    fetcher->sink.write = write_header;
    while (rc == 0 && !fetcher->header.data_at) {
        struct range range = {first, first + size - 1};

        if (range.last > entry->archive_last)
            range.last = entry->archive_last;
        if (range.first > range.last) {
            fetcher->is_damaged = true;
            return fail(err, EIO, "its local header does not end");
        }
        rc = object_read(fetcher->object, range, &fetcher->sink, err);
        first = range.last + 1;
        size = fetcher->header.needed - fetcher->header.bytes.size;
    }
    return rc;
}

/* A request for the run. The first one from the start of the member brings the local
 * header as well. */
static int read_run(struct fetcher *fetcher, struct error *err)
{
    struct member *member = fetcher->member;
    const struct toc_entry *entry = toc_entry(fetcher->archive->toc, member->index);
    struct range range;
    int rc = 0;

    if (!member->data_at && (fetcher->at > 0 || fetcher->end < member->size))
        rc = find_data(fetcher, err);
    if (rc < 0)
        return rc;
    range = member->data_at ? (struct range){member->data_at + fetcher->at,
                                             member->data_at + fetcher->end - 1}
                            : (struct range){entry->archive_first, entry->archive_last};
    fetcher->sink.write = write_run;
    rc = object_read(fetcher->object, range, &fetcher->sink, err);
    return fetcher->is_over ? 0 : rc;
}

/* The same from a local file: copied by the kernel, then read for the sums. */
static int copy_run(struct fetcher *fetcher, struct error *err)
{
    struct member *member = fetcher->member;
    CLEANUP_FREE unsigned char *buffer = malloc(MEMBER_BLOCK);
    uint64_t copied = fetcher->at, piece = MEMBER_BLOCK;
    int rc = buffer ? 0 : fail(err, ENOMEM, "no memory to copy");

    if (rc == 0 && !member->data_at)
        rc = find_data(fetcher, err);
    while (rc == 0 && !fetcher->is_over) {
        size_t size = (size_t)left_of_block(fetcher);

        if (copied == fetcher->at) {
            if (piece > fetcher->end - copied)
                piece = fetcher->end - copied;
            rc = copy_range(object_fd(fetcher->object), member->data_at + copied,
                            member->fd, copied, piece, err);
            if (object_check(fetcher->object, err) < 0)
                rc = -err->code;
            copied += piece;
            fetcher->archive->cache->bytes_fetched += piece;
            piece = COPY_BLOCKS * MEMBER_BLOCK;
        }
        if (rc == 0)
            rc = files_pread(member->fd, buffer, size, fetcher->at, err);
        if (rc == 0)
            fetcher->is_over = !note_bytes(fetcher, buffer, size);
    }
    return rc;
}

/* Wait for other threads while they have all there is to do. */
static bool begin_run(struct fetcher *fetcher)
{
    struct archive *archive = fetcher->archive;
    struct member *member = fetcher->member;
    bool has_run;

    lock_acquire(&archive->lock);
    for (;;) {
        has_run = !member->is_ending && member_run_begin(member, &fetcher->run);
        if (has_run || fetcher->is_helper || member->helpers == 0)
            break;
        condition_wait(&archive->changed, &archive->lock);
    }
    fetcher->at = fetcher->run.next * MEMBER_BLOCK;
    fetcher->end = fetcher->run.end * MEMBER_BLOCK;
    lock_release(&archive->lock);
    if (fetcher->end > member->size)
        fetcher->end = member->size;
    fetcher->crc = 0;
    fetcher->is_over = false;
    return has_run;
}

static int fetch_runs(struct fetcher *fetcher, struct error *err)
{
    struct archive *archive = fetcher->archive;
    int rc = 0;

    while (rc == 0 && !fetcher->is_leaving && begin_run(fetcher)) {
        rc = object_fd(fetcher->object) >= 0 ? copy_run(fetcher, err)
                                             : read_run(fetcher, err);
        lock_acquire(&archive->lock);
        member_run_end(fetcher->member, &fetcher->run);
        lock_release(&archive->lock);
    }
    return rc;
}

/* The member it was started for, if that is still being fetched. */
static struct member *join(const struct helper *helper)
{
    struct archive *archive = helper->archive;
    struct member *member;

    lock_acquire(&archive->lock);
    member = archive_state_member_locked(archive, helper->index);
    if (member && member->serial != helper->serial)
        member = NULL;
    if (member && member->is_ending) {
        member->helpers_started--;
        member = NULL;
    }
    if (member)
        member->helpers++;
    lock_release(&archive->lock);
    return member;
}

static void run_helper(void *arg)
{
    struct helper *helper = arg;
    struct archive *archive = helper->archive;
    struct fetcher fetcher = {
        .archive = archive,
        .member = join(helper),
        .object = helper->object,
        .help = run_helper,
        .is_helper = true,
    };

    if (fetcher.member) {
        /* What it leaves undone the first thread does, or says why it cannot. */
        (void)fetch_runs(&fetcher, &(struct error){0});
        lock_acquire(&archive->lock);
        fetcher.member->helpers--;
        if (!fetcher.is_leaving)
            fetcher.member->helpers_started--;
        condition_broadcast(&archive->changed);
        lock_release(&archive->lock);
    }
    archive->cache->helpers_running--;
    free(helper);
    registry_release(archive);
}

/* Nobody else works on the member from now on. */
static void send_helpers_home(struct fetcher *fetcher)
{
    struct archive *archive = fetcher->archive;
    struct member *member = fetcher->member;

    lock_acquire(&archive->lock);
    member->is_ending = true;
    while (member->helpers > 0)
        condition_wait(&archive->changed, &archive->lock);
    member->is_ending = false;
    member->serial = 0;
    lock_release(&archive->lock);
}

static int check(struct fetcher *fetcher, struct received *received, struct error *err)
{
    struct member *member = fetcher->member;
    uint32_t expected = toc_entry(fetcher->archive->toc, member->index)->crc32;
    uint32_t crc = member_crc32(member); /* all blocks are there: nobody changes it */
    int rc;

    FAULT("cache.member.before-check");
    if (crc != expected) {
        received->is_damaged = true;
        return fail(err, EIO, "its CRC-32 is %08x, not %08x", crc, expected);
    }
    rc = receive_hash(member->fd, fetcher->hashed, member->size, fetcher->sum, err);
    received->xxh3 = checksum_value(fetcher->sum);
    return rc;
}

int blocks_receive(struct archive *archive, struct member *member, struct object *object,
                   struct received *ret_received, struct error *err)
{
    struct fetcher fetcher = {
        .archive = archive,
        .member = member,
        .object = object,
        .help = object_fd(object) < 0 ? run_helper : NULL,
        .sum = checksum_new(),
    };
    int rc;

    lock_acquire(&archive->lock);
    member->serial = ++archive->serial;
    member->helpers_started = 0;
    lock_release(&archive->lock);
    pace_init(&member->pace, archive->cache->threads);
    local_header_init(&fetcher.header, archive->toc, member->index);
    fetcher.header.data_at = member->data_at;
    rc = fetch_runs(&fetcher, err);
    send_helpers_home(&fetcher);
    ret_received->is_damaged = fetcher.is_damaged;
    if (rc == 0)
        rc = check(&fetcher, ret_received, err);
    local_header_done(&fetcher.header);
    checksum_free(fetcher.sum);
    return rc;
}
