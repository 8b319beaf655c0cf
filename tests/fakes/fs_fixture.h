/* fs_fixture.h: all of a mount but the kernel: a repository in memory, a cache, a tree.
 *
 *     fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
 *     rc = lookup_attributes(&fixture.fs, &call, &place, RESOLVE_FETCH, &answer, &err);
 *     fs_fixture_close(&fixture);
 *
 * The repository holds model 3e120e8d, versions 1.0.0 and 2.0.0, dated 2024-02-29 (UTC
 * 1709164800), and its aliases "small" (names 1.0.0) and "newest" (names the model).
 * Version 1.0.0 has
 *
 *     big.bin          FS_BIG bytes of fixture_noise, stored, larger than hold
 *     folder/          empty
 *     log/eval.yaml    "loss: 0.25\n"
 *     model.yaml       "a: 1\n"
 *
 * and 2.0.0 model.yaml alone. Functions abort where a test could not go on. */
#ifndef TESTS_FAKES_FS_FIXTURE_H
#define TESTS_FAKES_FS_FIXTURE_H

#include "fs/call.h"
#include "tests/fakes/cache_fixture.h"
#include "tests/fakes/fuse_fake.h"

enum {
    FS_BIG = 300000,
    FS_POOL_THREADS = 4,
    FS_HOLD = 1000,
    FS_DATE_S = 1709164800,
    FS_START_S = 1700000000,
};

struct fs_fixture_options {
    struct fuse_fake_kernel kernel;
    int64_t ttl_ms; /* of all that can change; 0: an hour */
};

struct fs_fixture {
    struct fixture cache;
    unsigned char *big;
    struct fs fs;
};

void fs_fixture_open(struct fs_fixture *fixture,
                     const struct fs_fixture_options *options);

/* Nothing may be under way in fs.pool any more, but for what parked requests wait for. */
void fs_fixture_close(struct fs_fixture *fixture);

/* As after a restart on the same repository and cache folder: nothing is in memory. */
void fs_fixture_restart(struct fs_fixture *fixture);

/* Replace the archive of 1.0.0 by one with model.yaml ("b: 2\n") alone. */
void fs_fixture_replace_archive(struct fs_fixture *fixture);

/* Look up a path ("" for the top), asking backends as needed. */
struct place fs_fixture_place(struct fs_fixture *fixture, const char *path);
uint64_t fs_fixture_node(struct fs_fixture *fixture, const char *path);

#endif
