/* halves.c: a range of an archive that somebody waits for, by two requests at once. */
#include "cache/halves.h"

#include "cache/fetcher.h"
#include "cache/internal.h"
#include "cache/registry.h"
#include "cache/spare.h"
#include "common/bytes.h"
#include "common/memory.h"

#include <errno.h>

enum {
    HALF_MIN = 256 << 10, /* less takes hardly longer than its round trip */
    RANGE_MAX = 2 << 20,  /* a half lies in memory until it is its turn */
};

enum half_state {
    HALF_WAITS, /* for a thread */
    HALF_COMES,
    HALF_ENDED, /* its rc says how */
    HALF_LEFT,  /* nobody wants it any more: its job frees it */
};

/* The second half. Its job's while it comes, else whoever began it has it. */
struct half {
    struct sink sink;        /* first */
    struct archive *archive; /* the job's reference */
    struct object *object;
    struct range range;
    struct bytes bytes;
    int rc;
    struct error err;
    enum half_state state; /* guarded by archive->lock */
};

static uint64_t size_of(struct range range)
{
    return range.last - range.first + 1;
}

static void half_free(struct half *half)
{
    spare_give(half->archive->cache, size_of(half->range));
    bytes_done(&half->bytes);
    free(half);
}

/* Go on with it? Then it is in that state from now on; else the job is to free it. */
static bool enter(struct half *half, enum half_state state)
{
    struct archive *archive = half->archive;
    bool is_left;

    lock_acquire(&archive->lock);
    is_left = half->state == HALF_LEFT;
    if (!is_left)
        half->state = state;
    condition_broadcast(&archive->changed);
    lock_release(&archive->lock);
    return !is_left;
}

static int write_half(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct half *half = (struct half *)sink;

    if (!enter(half, HALF_COMES))
        return fail(err, ECANCELED, "the first half failed");
    return bytes_append(&half->bytes, data, size, err);
}

static void run_half(void *arg)
{
    struct half *half = arg;
    struct archive *archive = half->archive;
    struct cache *cache = archive->cache;
    unsigned begun;

    if (enter(half, HALF_COMES))
        half->rc = object_read(half->object, half->range, &half->sink, &half->err);
    begun = registry_work_begin(cache); /* the reader may go before we let the model go */
    if (!enter(half, HALF_ENDED))
        half_free(half);
    cache->helpers_running--;
    registry_release(archive);
    registry_work_end(cache, begun);
}

static bool submit_locked(struct half *half) REQUIRES(half->archive->lock)
{
    struct archive *archive = half->archive;
    struct error unused = {0};

    if (fetcher_spare_threads(archive) == 0)
        return false;
    registry_ref(archive);
    if (workers_submit(archive->workers, run_half, half, &unused) < 0) {
        archive->refs--; /* not the last: the caller's job has one */
        return false;
    }
    archive->cache->helpers_running++;
    return true;
}

/* NULL: the range comes as a whole. */
static struct half *half_begin(struct archive *archive, struct object *object,
                               struct range range)
{
    uint64_t size = size_of(range) / 2;
    struct half *half;
    bool is_begun;

    if (size < HALF_MIN || size > RANGE_MAX / 2 || !object_has_another(object) ||
        !spare_take(archive->cache, size))
        return NULL;
    half = XNEW(struct half);
    half->sink.write = write_half;
    half->archive = archive;
    half->object = object;
    half->range = (struct range){range.last - size + 1, range.last};
    bytes_init(&half->bytes, (size_t)size);
    lock_acquire(&half->archive->lock);
    is_begun = submit_locked(half);
    lock_release(&half->archive->lock);
    if (is_begun)
        return half;
    half_free(half);
    return NULL;
}

/* The first half ended with rc: wait for this one if it comes and is of use. false: it is
 * its job's from now on, which has not begun or is in vain. */
static bool wait_for_end(struct half *half, int rc)
{
    struct archive *archive = half->archive;
    bool has_ended;

    lock_acquire(&archive->lock);
    while (rc == 0 && half->state == HALF_COMES)
        condition_wait(&archive->changed, &archive->lock);
    has_ended = half->state == HALF_ENDED;
    if (!has_ended)
        half->state = HALF_LEFT;
    lock_release(&archive->lock);
    return has_ended;
}

/* The first half ended with rc; what follows it. */
static int half_end(struct half *take_half, int rc, struct sink *to, struct error *err)
{
    struct object *object = take_half->object;
    struct range range = take_half->range;

    if (!wait_for_end(take_half, rc))
        return rc < 0 ? rc : object_read(object, range, to, err);
    if (rc == 0 && take_half->rc < 0) {
        *err = take_half->err;
        rc = take_half->rc;
    } else if (rc == 0) {
        rc = to->write(to, take_half->bytes.data, take_half->bytes.size, err);
    }
    half_free(take_half);
    return rc;
}

int halves_read(struct archive *archive, struct object *object, struct range range,
                struct sink *to, struct error *err)
{
    struct half *half = half_begin(archive, object, range);
    int rc;

    if (!half)
        return object_read(object, range, to, err);
    range.last = half->range.first - 1;
    rc = object_read(object, range, to, err);
    return half_end(half, rc, to, err);
}
