/* fs_fixture.c: all of a mount but the kernel. */
#include "tests/fakes/fs_fixture.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "fs/child.h"
#include "fs/directory.h"
#include "fs/drafts.h"
#include "fs/failures.h"
#include "fs/invalidate.h"
#include "fs/links.h"
#include "fs/open_files.h"
#include "fs/parked.h"
#include "fs/passthrough.h"
#include "fs/pending.h"
#include "fs/serve.h"
#include "fs/snapshots.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

static void check(int rc, const struct error *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "fixture: %s\n", err->message);
    abort();
}

static void publish(struct fs_fixture *fixture)
{
    struct zip_file files[] = {
        {"model.yaml",    "a: 1\n",       5,      false, false},
        {"log/eval.yaml", "loss: 0.25\n", 11,     false, false},
        {"folder/",       "",             0,      true,  false},
        {"big.bin",       fixture->big,   FS_BIG, true,  false},
    };
    struct backend *memory = fixture->cache.memory;

    fixture_publish(&fixture->cache, files, sizeof files / sizeof *files);
    fixture_publish_as(&fixture->cache, "2.0.0", files, 1);
    memory_backend_set(memory, "_alias/small/1.0.0/small-1.0.0.alias.yaml",
                       "uid: 3e120e8d-1.0.0\n");
    memory_backend_set(memory, "_alias/newest/1.0.0/newest-1.0.0.alias.yaml",
                       "uid: 3e120e8d\n");
}

void fs_fixture_replace_archive(struct fs_fixture *fixture)
{
    struct zip_file file = {.name = "model.yaml", .data = "b: 2\n", .size = 5};

    fixture_publish(&fixture->cache, &file, 1);
}

static void open_resolver(struct fs_fixture *fixture, int64_t ttl_ms)
{
    struct resolver_repository repository = {"models", fixture->cache.fault};
    struct resolver_options options = {
        .repositories = &repository,
        .repository_count = 1,
        .cache_root = fixture->cache.root,
        .ttl_alias_ms = ttl_ms,
        .ttl_listing_ms = ttl_ms,
        .ttl_negative_ms = ttl_ms,
    };
    struct error err = {0};

    check(resolver_open(&options, &fixture->fs.resolver, &err), &err);
    fixture->fs.options.ttl_alias_ms = ttl_ms;
    fixture->fs.options.ttl_listing_ms = ttl_ms;
    fixture->fs.options.ttl_negative_ms = ttl_ms;
}

static void open_parts(struct fs_fixture *fixture, const struct fuse_fake_kernel *kernel)
{
    struct workers_options pool = {
        .name = "asking", .threads = FS_POOL_THREADS, .queue_max = 1000};
    struct fs *fs = &fixture->fs;
    struct error err = {0};

    check(slots_open(-1, &fs->slots, &err), &err);
    check(place_add_repositories(fs->slots, fs->resolver, &err), &err);
    check(workers_open(&pool, &fs->pool, &err), &err);
    check(workers_open(&pool, &fs->list_pool, &err), &err);
    check(workers_open(&pool, &fs->change_pool, &err), &err);
    pool.threads = 1;
    check(workers_open(&pool, &fs->meta_pool, &err), &err);
    check(parked_open(serve_expired, &fs->parked, &err), &err);
    fs->channel = fuse_fake_channel(kernel, &(struct channel_options){0}, fs);
    fs->options.handover = fuse_fake_handover();
    fs->passthrough = passthrough_new(fs->channel, fs->options.handover);
    fs->open_files = open_files_new();
    fs->directories = directories_new();
    fs->snapshots = snapshots_new();
    fs->drafts = drafts_new();
    fs->failures = failures_new();
    check(invalidate_open(fs->channel, &fs->invalidate, &err), &err);
    check(pending_open(links_remove_alias, fs, NULL, &fs->pending, &err), &err);
}

void fs_fixture_open(struct fs_fixture *fixture, const struct fs_fixture_options *options)
{
    *fixture = (struct fs_fixture){
        .fs = {.uid = 1234, .gid = 5678, .start_s = FS_START_S}
    };
    fixture_open(&fixture->cache, &(struct cache_options){.hold = FS_HOLD});
    fixture->big = fixture_noise(FS_BIG);
    publish(fixture);
    fixture->fs.cache = fixture->cache.cache;
    open_resolver(fixture, options->ttl_ms ? options->ttl_ms : HOUR_MS);
    open_parts(fixture, &options->kernel);
}

void fs_fixture_restart(struct fs_fixture *fixture)
{
    resolver_close(fixture->fs.resolver);
    fixture_reopen(&fixture->cache);
    fixture->fs.cache = fixture->cache.cache;
    open_resolver(fixture, fixture->fs.options.ttl_alias_ms);
}

void fs_fixture_close(struct fs_fixture *fixture)
{
    struct fs *fs = &fixture->fs;

    fault_backend_clear(fixture->cache.fault);
    parked_close(fs->parked);
    invalidate_stop(fs->invalidate);
    workers_close(fs->change_pool);
    workers_close(fs->meta_pool);
    workers_close(fs->list_pool);
    workers_close(fs->pool);
    parked_free(fs->parked);
    pending_close(fs->pending);
    invalidate_free(fs->invalidate);
    open_files_free(fs->open_files);
    passthrough_free(fs->passthrough);
    channel_close(fs->channel);
    directories_free(fs->directories);
    snapshots_free(fs->snapshots);
    drafts_free(fs->drafts);
    failures_free(fs->failures);
    slots_close(fs->slots);
    cache_close(fixture->cache.cache);
    fixture->cache.cache = NULL;
    resolver_close(fs->resolver);
    fixture_close(&fixture->cache);
    free(fixture->big);
}

uint64_t fs_fixture_node(struct fs_fixture *fixture, const char *path)
{
    CLEANUP_FREE char *copy = xstrdup(path);
    struct place place, child;
    struct error err = {0};
    uint64_t node_id = 1;
    char *rest = copy, *name;
    int64_t keep_ms;

    while ((name = strsep(&rest, "/")) && *name) {
        check(place_of(fixture->fs.slots, node_id, &place, &err), &err);
        check(
            child_find(&fixture->fs, &place, name, RESOLVE_FETCH, &child, &keep_ms, &err),
            &err);
        check(place_id(fixture->fs.slots, &child, &node_id, &err), &err);
    }
    return node_id;
}

struct place fs_fixture_place(struct fs_fixture *fixture, const char *path)
{
    struct error err = {0};
    struct place place;

    check(place_of(fixture->fs.slots, fs_fixture_node(fixture, path), &place, &err),
          &err);
    return place;
}
