/* blocks.c: the bytes of one stored member that comes by block, into its file, checked.
 */
#include "cache/blocks.h"

#include "cache/blocks_local.h"
#include "cache/internal.h"
#include "cache/registry.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>

enum {
    LOCAL_GUESS = 4096, /* of a local header: one that has more takes a second request */
};

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
    const unsigned char *bytes = data;
    int rc = 0;

    fetcher->archive->cache->bytes_fetched += size;
    fetcher->member->unpaced += size;
    if (!fetcher->is_helper && !fetcher->header.data_at)
        rc = take_header(fetcher, &bytes, &size, err);
    return rc < 0 ? rc : fetcher_put(fetcher, bytes, size, err);
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

static int copy_run(struct fetcher *fetcher, struct error *err)
{
    int rc = fetcher->member->data_at ? 0 : find_data(fetcher, err);

    if (rc == 0)
        rc = blocks_local_run(fetcher, err);
    return fetcher->is_over ? 0 : rc;
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
    struct cache *cache = archive->cache;
    unsigned begun;
    struct fetcher fetcher = {
        .archive = archive,
        .member = join(helper),
        .object = helper->object,
        .help = run_helper,
        .is_helper = true,
    };

    /* What it leaves undone the first thread does, or says why it cannot. */
    if (fetcher.member)
        (void)fetch_runs(&fetcher, &(struct error){0});
    begun = registry_work_begin(cache); /* readers may go before we let the model go */
    if (fetcher.member) {
        lock_acquire(&archive->lock);
        fetcher.member->helpers--;
        if (!fetcher.is_leaving)
            fetcher.member->helpers_started--;
        condition_broadcast(&archive->changed);
        lock_release(&archive->lock);
    }
    cache->helpers_running--;
    free(helper);
    registry_release(archive);
    registry_work_end(cache, begun);
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
