/* mount.c: puts the parts of a worker together, serves, takes them apart again. */
#include "fs/mount.h"

#include "common/log.h"
#include "fs/directory.h"
#include "fs/drafts.h"
#include "fs/failures.h"
#include "fs/fs.h"
#include "fs/grace.h"
#include "fs/invalidate.h"
#include "fs/links.h"
#include "fs/open_files.h"
#include "fs/ops.h"
#include "fs/parked.h"
#include "fs/passthrough.h"
#include "fs/pending_store.h"
#include "fs/place.h"
#include "fs/read_ahead.h"
#include "fs/serve.h"
#include "fs/snapshots.h"
#include "fs/staging.h"
#include "fs/worker.h"
#include "publish/process.h"
#include "resolver/resolver.h"

#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    POOL_THREADS = 32, /* look-ups that may wait for backends at once */
    LIST_THREADS = 4,  /* others that list meanwhile want the same answer */
    CHANGE_THREADS = 4,
    FLUSH_THREADS = 4,
    POOL_QUEUE_MAX = 65536,
    LARGE_BLOCK = 512 << 10,
};

/* All workers of a mount are children of one process. */
static void keep_drafts(struct fs *fs)
{
    char owner[PROCESS_NAME_SIZE];
    struct error err = {0};

    process_name_of(getppid(), owner);
    if (drafts_keep(fs, owner, fs->options.handover->block->supervisor_before, &err) < 0)
        log_warning("%s; ignoring", err.message);
}

/* All that can be done while the worker before still serves; then wait for its end. */
static int take_over(struct fs *fs, struct error *err)
{
    struct handover *handover = fs->options.handover;
    int rc = channel_open(
        &(struct channel_options){
            .handover = handover,
            .debug = fs->options.debug,
            .no_passthrough = fs->options.no_passthrough,
            .no_direct_mmap = fs->options.no_direct_mmap,
            .no_resend = fs->options.no_resend,
        },
        &ops, fs, &fs->channel, err);

    if (rc == 0)
        rc = channel_agree(fs->channel, err);
    return rc < 0 ? rc : handover_take(handover, worker_tell_prepared, err);
}

/* Each for what must not wait for another. */
static int open_pools(struct fs *fs, struct error *err)
{
    const struct {
        const char *name;
        unsigned threads;
        struct workers **pool;
    } pools[] = {
        {"asking",   POOL_THREADS,   &fs->pool       },
        {"listing",  LIST_THREADS,   &fs->list_pool  },
        {"changing", CHANGE_THREADS, &fs->change_pool},
        {"metadata", 1,              &fs->meta_pool  },
        {"flushing", FLUSH_THREADS,  &fs->flush_pool },
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof pools / sizeof *pools; i++)
        rc = workers_open(&(struct workers_options){.name = pools[i].name,
                                                    .threads = pools[i].threads,
                                                    .queue_max = POOL_QUEUE_MAX},
                          pools[i].pool, err);
    return rc;
}

static int open_parts(struct fs *fs, struct error *err)
{
    int slots_fd = dup(fs->options.handover->slots_fd);
    int rc = slots_fd < 0 ? fail_errno(err, "take over the slot table")
                          : slots_open(slots_fd, &fs->slots, err);

    if (rc == 0)
        rc = place_add_repositories(fs->slots, fs->resolver, err);
    if (rc == 0)
        rc = open_pools(fs, err);
    if (rc == 0 && fs->options.write_meta)
        keep_drafts(fs);
    if (rc == 0 && fs->options.write_staging)
        rc = staging_open(fs, err);
    if (rc == 0)
        rc = parked_open(serve_expired, &fs->parked, err);
    if (rc == 0)
        fs->passthrough = passthrough_new(fs->channel, fs->options.handover);
    if (rc == 0 && fs->staging)
        staging_attach(fs);
    if (rc == 0)
        rc = invalidate_open(fs->channel, &fs->invalidate, err);
    if (rc == 0)
        rc = pending_open(links_remove_alias, fs,
                          pending_store_new(fs->options.handover->block, fs->slots),
                          &fs->pending, err);
    return rc;
}

/* The order matters: no reply may come after the session is gone, and no part may go
 * while a pool or transfer thread can still ask for it. */
static void close_parts(struct fs *fs, bool is_over)
{
    struct grace *grace;

    parked_close(fs->parked);
    invalidate_stop(fs->invalidate);
    if (is_over)
        worker_tell_ended(fs->options.handover);
    grace = grace_begin(fs->options.cancel, fs->options.cancel_arg);
    staging_stop(fs->staging);
    workers_stop(fs->change_pool);
    workers_stop(fs->meta_pool);
    workers_stop(fs->flush_pool);
    grace_end(grace);
    workers_close(fs->list_pool);
    workers_close(fs->pool);
    /* What these undo is refused there, and not before it is asked for. */
    workers_close(fs->change_pool);
    workers_close(fs->meta_pool);
    workers_close(fs->flush_pool);
    parked_free(fs->parked);
    pending_close(fs->pending);
    invalidate_free(fs->invalidate);
    open_files_free(fs->open_files);
    staging_free(fs->staging);
    passthrough_free(fs->passthrough);
    channel_close(fs->channel);
    directories_free(fs->directories);
    snapshots_free(fs->snapshots);
    drafts_free(fs->drafts);
    failures_free(fs->failures);
    slots_close(fs->slots);
}

/* What a large document took goes back to the system when it is freed, and does not stay
 * in the arena of each thread that ever parsed one. */
static void return_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
}

/* Each open member costs a descriptor. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return; /* then the limit is what it is */
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Whom to tell that the mount answers. */
struct waiting {
    struct fs *fs;
    void (*ready)(void *arg);
    void *arg;
};

static void answers(void *arg)
{
    const struct waiting *waiting = arg;

    waiting->ready(waiting->arg);
    worker_tell_ready(waiting->fs->options.handover);
    resolver_prefetch(waiting->fs->resolver);
    drafts_resume(waiting->fs);
    if (waiting->fs->staging)
        staging_resume(waiting->fs); /* the kernel takes notifications by now */
    if (channel_no_passthrough(waiting->fs->channel))
        read_ahead_raise(waiting->fs->options.mountpoint);
}

int fs_run(const struct fs_options *options, void (*ready)(void *arg), void *arg,
           struct error *err)
{
    struct fs fs = {
        .options = *options,
        .resolver = options->resolver,
        .cache = options->cache,
        .open_files = open_files_new(),
        .directories = directories_new(),
        .snapshots = snapshots_new(),
        .drafts = drafts_new(),
        .failures = failures_new(),
        .uid = getuid(),
        .gid = getgid(),
        .start_s = options->handover->block->start_s,
    };
    struct waiting waiting = {.fs = &fs, .ready = ready, .arg = arg};
    int rc;

    raise_file_limit();
    return_large_blocks();
    rc = take_over(&fs, err);
    if (rc == 0)
        rc = open_parts(&fs, err);
    if (rc == 0)
        rc = channel_serve(fs.channel, answers, &waiting, err);
    close_parts(&fs, rc == 0);
    return rc;
}
