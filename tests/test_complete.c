/* test_complete.c: putting complete models in their place keeps no reader waiting. */
#include "tests/test.h"

#include "cache/complete.h"
#include "cache/internal.h"
#include "cache/layout.h"
#include "cache/model_lock.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A disk that takes its time. */
static struct {
    struct lock lock;
    struct condition changed;
    bool is_stuck;    /* guarded by lock */
    bool is_waited;   /* somebody waits for it; guarded by lock */
    unsigned flushes; /* guarded by lock */
} disk;

/* Instead of the C library's. */
int syncfs(int fd)
{
    lock_acquire(&disk.lock);
    disk.is_waited = true;
    disk.flushes++;
    condition_broadcast(&disk.changed);
    while (disk.is_stuck)
        condition_wait(&disk.changed, &disk.lock);
    lock_release(&disk.lock);
    return (int)syscall(SYS_syncfs, fd);
}

/* Called while the header of a tree that moves is flushed. */
static void (*on_flush)(void);

int fdatasync(int fd)
{
    if (on_flush)
        on_flush();
    return (int)syscall(SYS_fdatasync, fd);
}

static void hold_disk(void)
{
    lock_acquire(&disk.lock);
    disk.is_stuck = true;
    disk.is_waited = false;
    lock_release(&disk.lock);
}

static void wait_for_disk(void)
{
    lock_acquire(&disk.lock);
    while (!disk.is_waited)
        condition_wait(&disk.changed, &disk.lock);
    lock_release(&disk.lock);
}

static void free_disk(void)
{
    lock_acquire(&disk.lock);
    disk.is_stuck = false;
    condition_broadcast(&disk.changed);
    lock_release(&disk.lock);
}

static void readers_do_not_wait_for_the_disk(void **state)
{
    static const struct zip_file file = {.name = "a.txt", .data = "hello", .size = 5};
    struct fixture fixture;
    struct archive *first, *second;
    struct stat st;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.threads = 1});
    fixture_publish(&fixture, &file, 1);
    first = fixture_archive(&fixture);
    hold_disk();
    assert_true(fixture_has(first, "a.txt", "hello", 5));
    wait_for_disk();
    snprintf(fixture.release.version, sizeof(fixture.release.version), "2.0.0");
    fixture_publish_as(&fixture, "2.0.0", &file, 1);
    second = fixture_archive(&fixture);
    assert_true(fixture_has(second, "a.txt", "hello", 5));
    free_disk();
    archive_unref(first);
    archive_unref(second);
    fixture_reopen(&fixture); /* what was to be moved is moved before the end */
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/1.0.0/a.txt"), &st), 0);
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/2.0.0/a.txt"), &st), 0);
    fixture_close(&fixture);
}

static unsigned flushes(void)
{
    unsigned count;

    lock_acquire(&disk.lock);
    count = disk.flushes;
    lock_release(&disk.lock);
    return count;
}

static void nothing_is_flushed_while_audmodel_loads(void **state)
{
    static const struct zip_file file = {.name = "a.txt", .data = "hello", .size = 5};
    CLEANUP_FREE char *lock = layout_lock(FIXTURE_ID, FIXTURE_VERSION, LAYOUT_MODEL);
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    unsigned before;
    struct stat st;
    int root_fd, lock_fd;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, &file, 1);
    archive = fixture_archive(&fixture);
    before = flushes();
    root_fd = fixture.cache->store.root_fd;
    assert_int_equal(files_make_folders_beneath(root_fd, FIXTURE_ID, 0777, &err), 0);
    assert_int_equal(model_lock_acquire(root_fd, lock, 0, &lock_fd, &err), 0);
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    assert_int_equal(complete_now(archive, TREE_TRY, &err), -EAGAIN);
    assert_int_equal(complete_now(archive, TREE_TRY, &err), -EAGAIN);
    assert_int_equal(flushes(), before);
    model_lock_release(lock_fd);
    assert_int_equal(complete_now(archive, TREE_TRY, &err), 0);
    assert_int_equal(flushes(), before + 1);
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/1.0.0/a.txt"), &st), 0);
    archive_unref(archive);
    fixture_close(&fixture);
}

/* When it goes there; what is only in part in the cache when that closes. */
static void a_model_in_its_place_is_flushed_once(void **state)
{
    enum { LARGE = 1 << 20 }; /* no neighbour of a small one */
    unsigned char *noise = fixture_noise(LARGE);
    const struct zip_file files[] = {
        {.name = "a.txt", .data = "hello", .size = 5    },
        {.name = "b.bin", .data = noise,   .size = LARGE}
    };
    static const struct {
        size_t count; /* of files that are read */
        unsigned flushes;
    } cases[] = {
        {0, 0},
        {1, 1},
        {2, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture fixture;
        struct archive *archive;
        unsigned before;

        test_row(i, "%zu files", cases[i].count);
        fixture_open(&fixture, &(struct cache_options){.threads = 1});
        fixture_publish(&fixture, files, ARRAY_SIZE(files));
        archive = fixture_archive(&fixture);
        before = flushes();
        for (size_t j = 0; j < cases[i].count; j++)
            assert_true(
                fixture_has(archive, files[j].name, files[j].data, files[j].size));
        archive_unref(archive);
        fixture_close(&fixture);
        assert_int_equal(flushes(), before + cases[i].flushes);
    }
    free(noise);
}

/* What the list holds between the header that says "moved" and the move. */
static struct {
    struct cache *cache;
    unsigned rows;
    const char *state;
} listed;

static int note_row(void *arg, const struct cache_row *row, struct error *err)
{
    (void)arg;
    (void)err;
    listed.rows++;
    listed.state = row->state;
    return 0;
}

static void list_now(void)
{
    struct error err = {0};

    assert_int_equal(cache_list(listed.cache, note_row, NULL, &err), 0);
}

static void a_model_on_its_way_is_listed(void **state)
{
    static const struct zip_file file = {.name = "a.txt", .data = "hello", .size = 5};
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, &file, 1);
    listed.cache = fixture.cache;
    on_flush = list_now;
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    archive_unref(archive);
    fixture_reopen(&fixture); /* it is at its place by then */
    on_flush = NULL;
    assert_int_equal(listed.rows, 1);
    assert_string_equal(listed.state, "partial");
    listed.cache = fixture.cache;
    list_now();
    assert_int_equal(listed.rows, 2);
    assert_string_equal(listed.state, "complete");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_do_not_wait_for_the_disk),
        cmocka_unit_test(nothing_is_flushed_while_audmodel_loads),
        cmocka_unit_test(a_model_in_its_place_is_flushed_once),
        cmocka_unit_test(a_model_on_its_way_is_listed),
    };

    lock_init(&disk.lock);
    condition_init(&disk.changed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
