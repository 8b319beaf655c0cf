/* cache_fixture.h: a cache folder of its own and one model in a repository in memory.
 *
 *     fixture_open(&fixture, &(struct cache_options){.hold = 1000});
 *     fixture_publish(&fixture, files, ARRAY_SIZE(files));
 *     archive = fixture_archive(&fixture);
 *     archive_unref(archive);
 *     fixture_close(&fixture);
 *
 * Functions abort where a test could not go on. */
#ifndef TESTS_FAKES_CACHE_FIXTURE_H
#define TESTS_FAKES_CACHE_FIXTURE_H

#include "cache/cache.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/zip_writer.h"

#define FIXTURE_ID "3e120e8d"
#define FIXTURE_VERSION "1.0.0"
#define FIXTURE_ARCHIVE                                                                  \
    "emotion/onnx/" FIXTURE_ID "/" FIXTURE_VERSION "/" FIXTURE_ID "-" FIXTURE_VERSION    \
    ".zip"

struct fixture {
    char root[64];
    struct backend *memory;   /* or another one */
    struct backend *counting; /* around memory */
    struct backend *fault;    /* around counting: what the resolver asks */
    struct resolver *resolver;
    struct cache_options options;
    struct cache *cache;
    struct release release;
};

/* With options->root that folder, else a new one. */
void fixture_open(struct fixture *fixture, const struct cache_options *options);

/* The same with another backend than one in memory, which it takes over. */
void fixture_open_on(struct fixture *fixture, const struct cache_options *options,
                     struct backend *take_backend);

/* Close all; leave keeps the cache folder. */
void fixture_close(struct fixture *fixture);
void fixture_leave(struct fixture *fixture);

/* Close the cache and open it again on the same folder. */
void fixture_reopen(struct fixture *fixture);

/* Put header, metadata and archive of the model, or replace them. */
void fixture_publish(struct fixture *fixture, const struct zip_file *files, size_t count);

void fixture_publish_as(struct fixture *fixture, const char *version,
                        const struct zip_file *files, size_t count);

/* The archive of fixture->release. */
struct archive *fixture_archive(struct fixture *fixture);

/* Index of a path in the table. */
uint32_t fixture_index(struct archive *archive, const char *path);

/* Want bytes of a member and wait for them: 0, or what it failed with. size as for
 * archive_want. */
int fixture_want(struct archive *archive, const char *path, uint64_t offset,
                 uint64_t size, uint32_t *generation);

/* Want all of a member, and compare it with what it should be. */
bool fixture_has(struct archive *archive, const char *path, const void *data,
                 size_t size);

/* Some bytes that do not pack well, the same each time. malloc'ed. */
unsigned char *fixture_noise(size_t size);

/* Path below the cache folder, lent until the next call. */
const char *fixture_path(const struct fixture *fixture, const char *path);

/* The same of what the archive's tree has while it is incomplete. */
const char *fixture_tree_path(const struct fixture *fixture, struct archive *archive,
                              const char *name);

#endif
