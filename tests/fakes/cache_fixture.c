/* cache_fixture.c: a cache folder of its own and one model in a repository in memory. */
#include "tests/fakes/cache_fixture.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "tests/toc_find.h"

#include <fcntl.h>
#include <stdlib.h>

static const char header_text[] = "author: me\n"
                                  "date: 2024-02-29\n"
                                  "name: onnx\n"
                                  "parameters:\n"
                                  "  model: cnn10\n"
                                  "subgroup: emotion\n"
                                  "version: 1.0.0\n";

static void check(int rc, const struct error *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "fixture: %s\n", err->message);
    abort();
}

static void open_cache(struct fixture *fixture)
{
    struct cache_options options = fixture->options;
    struct error err = {0};

    options.root = fixture->root;
    check(cache_open(&options, &fixture->cache, &err), &err);
}

void fixture_open(struct fixture *fixture, const struct cache_options *options)
{
    fixture_open_on(fixture, options, memory_backend_new());
}

void fixture_open_on(struct fixture *fixture, const struct cache_options *options,
                     struct backend *take_backend)
{
    struct resolver_repository repository = {.name = "models"};
    struct error err = {0};

    *fixture = (struct fixture){
        .options = *options, .release = {FIXTURE_ID, FIXTURE_VERSION, 0}
    };
    snprintf(fixture->root, sizeof(fixture->root), "%s",
             options->root ? options->root : "/tmp/modelfs-test-XXXXXX");
    if (!options->root && !mkdtemp(fixture->root))
        abort();
    fixture->memory = take_backend;
    fixture->counting = counting_backend_new(fixture->memory);
    fixture->fault = fault_backend_new(fixture->counting);
    repository.backend = fixture->fault;
    check(resolver_open(&(struct resolver_options){.repositories = &repository,
                                                   .repository_count = 1},
                        &fixture->resolver, &err),
          &err);
    open_cache(fixture);
}

void fixture_leave(struct fixture *fixture)
{
    cache_close(fixture->cache);
    resolver_close(fixture->resolver);
    backend_close(fixture->fault);
}

void fixture_close(struct fixture *fixture)
{
    struct error err = {0};

    fixture_leave(fixture);
    check(files_remove_tree(AT_FDCWD, fixture->root, &err), &err);
}

void fixture_reopen(struct fixture *fixture)
{
    cache_close(fixture->cache);
    open_cache(fixture);
}

void fixture_publish_as(struct fixture *fixture, const char *version,
                        const struct zip_file *files, size_t count)
{
    CLEANUP_FREE char *base =
        xasprintf("%s/%s/%s-%s", FIXTURE_ID, version, FIXTURE_ID, version);
    CLEANUP_FREE char *header = xasprintf("_uid/%s.header.yaml", base);
    CLEANUP_FREE char *meta = xasprintf("_uid/%s.meta.yaml", base);
    CLEANUP_FREE char *path = xasprintf("emotion/onnx/%s.zip", base);
    CLEANUP_BYTES struct bytes archive;

    zip_write(files, count, &archive);
    memory_backend_set(fixture->memory, header, header_text);
    memory_backend_set(fixture->memory, meta, "a: 1\n");
    memory_backend_set_bytes(fixture->memory, path, archive.data, archive.size);
}

void fixture_publish(struct fixture *fixture, const struct zip_file *files, size_t count)
{
    fixture_publish_as(fixture, FIXTURE_VERSION, files, count);
}

struct archive *fixture_archive(struct fixture *fixture)
{
    struct archive *archive = NULL;
    struct error err = {0};

    check(cache_archive(fixture->cache, fixture->resolver, &fixture->release, &archive,
                        &err),
          &err);
    return archive;
}

uint32_t fixture_index(struct archive *archive, const char *path)
{
    uint32_t index;

    if (toc_find(archive_toc(archive), path, &index) < 0)
        abort();
    return index;
}

struct answer {
    struct lock lock;
    struct condition came;
    bool is_there;
    int rc;
};

static void take_answer(void *arg, int rc, const struct error *err)
{
    struct answer *answer = arg;

    if (rc < 0)
        printf("    (%s)\n", err->message);
    lock_acquire(&answer->lock);
    answer->rc = rc;
    answer->is_there = true;
    condition_signal(&answer->came);
    lock_release(&answer->lock);
}

int fixture_want(struct archive *archive, const char *path, uint64_t offset,
                 uint64_t size, uint32_t *generation)
{
    struct answer answer = {0};
    struct error err = {0};
    int rc;

    lock_init(&answer.lock);
    condition_init(&answer.came);
    rc = archive_want(archive, fixture_index(archive, path), offset, size, generation,
                      take_answer, &answer, &err);
    if (rc < 0)
        printf("    (at once: %s)\n", err.message);
    lock_acquire(&answer.lock);
    while (rc == 0 && !answer.is_there)
        condition_wait(&answer.came, &answer.lock);
    lock_release(&answer.lock);
    condition_done(&answer.came);
    lock_done(&answer.lock);
    return rc < 0 ? rc : answer.rc;
}

bool fixture_has(struct archive *archive, const char *path, const void *data, size_t size)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    CLEANUP_FREE char *there = malloc(size + 1);
    CLEANUP_CLOSE int fd = -1;
    struct error err = {0};

    if (fixture_want(archive, path, 0, ARCHIVE_WHOLE, &generation) < 0)
        return false;
    fd = archive_fd(archive, fixture_index(archive, path), generation, &err);
    return fd >= 0 && pread(fd, there, size + 1, 0) == (ssize_t)size &&
           memcmp(there, data, size) == 0;
}

unsigned char *fixture_noise(size_t size)
{
    unsigned char *noise = malloc(size);
    uint64_t state = 88172645463325252U;

    if (!noise)
        abort();
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (unsigned char)state;
    }
    return noise;
}

const char *fixture_path(const struct fixture *fixture, const char *path)
{
    static char full[512];

    snprintf(full, sizeof(full), "%s/%s", fixture->root, path);
    return full;
}

const char *fixture_tree_path(const struct fixture *fixture, struct archive *archive,
                              const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/.modelfs/trees/%s/%s/%s/%s", fixture->root,
             fixture->release.id, fixture->release.version,
             toc_digest(archive_toc(archive)), name);
    return path;
}
