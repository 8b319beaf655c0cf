/* test_transfer.c: how members come: once, early, checked, and never wrong to the end. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/sync.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { LARGE = 5 * 1048576 + 12345, BLOCK = 1 << 20, READERS = 64 };

static bool has_range(struct archive *archive, const char *path,
                      const unsigned char *data, uint64_t offset, size_t size,
                      uint32_t generation)
{
    struct error err = {0};
    CLEANUP_CLOSE int fd =
        archive_fd(archive, fixture_index(archive, path), generation, &err);
    CLEANUP_FREE unsigned char *there = malloc(size);

    return fd >= 0 && pread(fd, there, size, (off_t)offset) == (ssize_t)size &&
           memcmp(there, data + offset, size) == 0;
}

static struct archive *open_model(struct fixture *fixture, uint64_t hold,
                                  const struct zip_file *files, size_t count)
{
    fixture_open(fixture, &(struct cache_options){.hold = hold});
    fixture_publish(fixture, files, count);
    return fixture_archive(fixture);
}

static void *read_whole(void *arg)
{
    struct archive *archive = arg;
    CLEANUP_FREE unsigned char *noise = fixture_noise(BLOCK);

    return fixture_has(archive, "a.bin", noise, BLOCK) ? archive : NULL;
}

static void many_readers_cost_one_transfer(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(BLOCK);
    struct zip_file file = {.name = "a.bin", .data = noise, .size = BLOCK};
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, 0, &file, 1);
    struct cache_counters counters;
    pthread_t threads[READERS];
    void *ok;

    (void)state;
    for (int i = 0; i < READERS; i++)
        assert_int_equal(thread_start(&threads[i], "reader", read_whole, archive), 0);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], &ok);
        assert_non_null(ok);
    }
    cache_count(fixture.cache, &counters);
    assert_int_equal(counters.transfers_done, 1);
    assert_int_equal(counters.members_done, 1);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void many_openers_cost_one_opening(void **state)
{
    struct zip_file file = {.name = "a.txt", .data = "abc", .size = 3};
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, 0, &file, 1);
    uint64_t before = counting_backend_total(fixture.counting);

    (void)state;
    archive_unref(archive);
    for (int i = 0; i < 10; i++)
        archive_unref(fixture_archive(&fixture));
    assert_int_equal(counting_backend_total(fixture.counting), before);
    fixture_close(&fixture);
}

struct early {
    struct archive *archive;
    enum member_state state;
    bool is_good;
    struct lock lock;
    struct condition came;
    bool is_there;
};

/* Runs on the transfer's own thread: the member cannot end meanwhile. */
static void look_early(void *arg, int rc, const struct error *err)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct early *early = arg;

    (void)err;
    early->state = archive_member_state(early->archive, 1);
    early->is_good = rc == 0 && has_range(early->archive, "a.bin", noise, 0, 4096, 1);
    lock_acquire(&early->lock);
    early->is_there = true;
    condition_signal(&early->came);
    lock_release(&early->lock);
}

static void first_bytes_come_long_before_the_end(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct zip_file file = {.name = "a.bin", .data = noise, .size = LARGE};

    (void)state;
    for (int is_stored = 0; is_stored < 2; is_stored++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct early early = {0};
        struct error err = {0};
        struct fixture fixture;

        test_row((size_t)is_stored, "%s", is_stored ? "stored" : "deflated");
        file.is_stored = is_stored;
        early.archive = open_model(&fixture, 1000, &file, 1);
        lock_init(&early.lock);
        condition_init(&early.came);
        assert_int_equal(archive_want(early.archive, 1, 0, 4096, &generation, look_early,
                                      &early, &err),
                         0);
        lock_acquire(&early.lock);
        while (!early.is_there)
            condition_wait(&early.came, &early.lock);
        lock_release(&early.lock);
        assert_int_equal(early.state, MEMBER_ARRIVING);
        assert_true(early.is_good);
        assert_true(fixture_has(early.archive, "a.bin", noise, LARGE));
        assert_int_equal(archive_member_state(early.archive, 1), MEMBER_COMPLETE);
        condition_done(&early.came);
        lock_done(&early.lock);
        archive_unref(early.archive);
        fixture_close(&fixture);
    }
}

static void damaged_members_never_read_to_their_end(void **state)
{
    static const struct {
        const char *what;
        uint64_t hold;
        uint64_t corrupt_at; /* in the archive; 0: the CRC is wrong */
        bool is_stored;
        bool gives_first_bytes; /* before it is found out */
    } cases[] = {
        {"held, deflated, CRC",     LARGE, 0,       false, false},
        {"held, stored, CRC",       LARGE, 0,       true,  false},
        {"held, deflated, data",    LARGE, 2 << 20, false, false},
        {"streamed, deflated, CRC", 1000,  0,       false, true },
        {"streamed, stored, CRC",   1000,  0,       true,  true },
        {"streamed, stored, data",  1000,  2 << 20, true,  true },
        {"local header",            1000,  22,      true,  false},
    };
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct zip_file file = {.name = "a.bin",
                                .data = noise,
                                .size = LARGE,
                                .is_stored = cases[i].is_stored,
                                .has_wrong_crc = cases[i].corrupt_at == 0};
        uint32_t generation = ARCHIVE_GENERATION_NEW, second = ARCHIVE_GENERATION_NEW;
        struct fixture fixture;
        struct archive *archive = open_model(&fixture, cases[i].hold, &file, 1);
        struct error err = {0};

        test_row(i, "%s", cases[i].what);
        if (cases[i].corrupt_at)
            fault_backend_corrupt(fixture.fault, ".zip", cases[i].corrupt_at);
        assert_int_equal(fixture_want(archive, "a.bin", 0, 4096, &generation),
                         cases[i].gives_first_bytes ? 0 : -EIO);
        assert_int_equal(fixture_want(archive, "a.bin", 0, LARGE, &generation), -EIO);
        /* Nor can what was there before be read by those who held it. */
        assert_int_equal(fixture_want(archive, "a.bin", 0, 10, &generation), -EIO);
        assert_true(archive_fd(archive, 1, generation, &err) < 0);
        /* A later open tries once more, then it is over. */
        assert_int_equal(fixture_want(archive, "a.bin", 0, ARCHIVE_WHOLE, &second), -EIO);
        second = ARCHIVE_GENERATION_NEW;
        counting_backend_reset(fixture.counting);
        assert_int_equal(fixture_want(archive, "a.bin", 0, ARCHIVE_WHOLE, &second), -EIO);
        assert_int_equal(counting_backend_total(fixture.counting), 0);
        assert_int_equal(archive_cached_bytes(archive), 0);
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

static void damage_is_remembered_until_the_object_changes(void **state)
{
    struct zip_file file = {.name = "a.txt", .data = "hello", .size = 5};
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, 1000, &file, 1);

    (void)state;
    fault_backend_corrupt(fixture.fault, ".zip", 36); /* in the packed data */
    assert_int_equal(fixture_want(archive, "a.txt", 0, 0, &generation), -EIO);
    generation = ARCHIVE_GENERATION_NEW;
    assert_int_equal(fixture_want(archive, "a.txt", 0, 0, &generation), -EIO);
    archive_unref(archive);
    fault_backend_clear(fixture.fault);

    fixture_reopen(&fixture);
    archive = fixture_archive(&fixture);
    generation = ARCHIVE_GENERATION_NEW;
    assert_int_equal(fixture_want(archive, "a.txt", 0, 0, &generation), -EIO);
    archive_unref(archive);

    fixture_publish(&fixture, &file, 1); /* the same bytes, another object */
    fixture_reopen(&fixture);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void transport_failures_may_be_tried_again(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct zip_file file = {.name = "a.bin", .data = noise, .size = LARGE};

    (void)state;
    for (int is_stored = 0; is_stored < 2; is_stored++) {
        uint32_t generation = ARCHIVE_GENERATION_NEW;
        struct fixture fixture;
        struct archive *archive;

        test_row((size_t)is_stored, "%s", is_stored ? "stored" : "deflated");
        file.is_stored = is_stored;
        archive = open_model(&fixture, 1000, &file, 1);
        fault_backend_truncate(fixture.fault, ".zip", 3 * BLOCK);
        assert_int_equal(fixture_want(archive, "a.bin", 0, 4096, &generation), 0);
        (void)fixture_want(archive, "a.bin", 0, ARCHIVE_WHOLE, &generation);
        fault_backend_clear(fixture.fault);
        /* The same generation goes on: it failed no check. */
        assert_int_equal(fixture_want(archive, "a.bin", 0, ARCHIVE_WHOLE, &generation),
                         0);
        assert_true(has_range(archive, "a.bin", noise, 0, LARGE, generation));
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

static void stored_members_are_read_at_random(void **state)
{
    enum { SIZE = 40 * BLOCK };
    CLEANUP_FREE unsigned char *noise = fixture_noise(SIZE);
    struct zip_file file = {
        .name = "a.bin", .data = noise, .size = SIZE, .is_stored = true};
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, 1000, &file, 1);
    uint32_t generation = ARCHIVE_GENERATION_NEW;

    (void)state;
    assert_int_equal(
        fixture_want(archive, "a.bin", SIZE - 2 * BLOCK - 7, 100, &generation), 0);
    assert_true(
        has_range(archive, "a.bin", noise, SIZE - 2 * BLOCK - 7, 100, generation));
    assert_int_equal(fixture_want(archive, "a.bin", 20 * BLOCK - 1, 2, &generation), 0);
    assert_true(has_range(archive, "a.bin", noise, 20 * BLOCK - 1, 2, generation));
    assert_true(fixture_has(archive, "a.bin", noise, SIZE));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void replaced_archives_get_a_new_table(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(BLOCK);
    struct zip_file files[] = {
        {.name = "a.txt", .data = "hello", .size = 5    },
        {.name = "b.txt", .data = noise,   .size = BLOCK}, /* too large to come along */
    };
    struct zip_file other = {.name = "c.txt", .data = "other", .size = 5};
    time_t tomorrow_s = time(NULL) + 24 * 3600;
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, 1000, files, 2);
    struct archive *next;

    (void)state;
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    assert_int_equal(
        utimensat(AT_FDCWD, fixture_tree_path(&fixture, archive, "toc"),
                  (struct timespec[2]){{.tv_sec = tomorrow_s}, {.tv_sec = tomorrow_s}},
                  0),
        0); /* the clock was wrong then */
    fixture_publish(&fixture, &other, 1);
    assert_int_equal(fixture_want(archive, "b.txt", 0, 0, &generation), -ESTALE);
    assert_null(cache_find(fixture.cache, &fixture.release, NULL));
    next = fixture_archive(&fixture);
    assert_ptr_not_equal(next, archive);
    assert_true(fixture_has(next, "c.txt", "other", 5));
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    archive_unref(next);
    archive_unref(archive);

    fixture_reopen(&fixture); /* the newest table is the one that counts */
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "c.txt", "other", 5));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void waits_end_without_progress(void **state)
{
    struct zip_file file = {.name = "a.txt", .data = "hello", .size = 5};
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct cache_counters counters;
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.stall_ms = 30, .threads = 1});
    fixture_publish(&fixture, &file, 1);
    archive = fixture_archive(&fixture);
    fault_backend_block(fixture.fault, FAULT_OBJECT_READ, ".zip");
    assert_int_equal(fixture_want(archive, "a.txt", 0, 0, &generation), -ETIMEDOUT);
    fault_backend_release(fixture.fault);
    do { /* it goes on, and who asks when it has ended waits for nothing */
        sched_yield();
        cache_count(fixture.cache, &counters);
    } while (counters.members_done == 0);
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void two_caches_share_a_folder(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    struct zip_file files[] = {
        {.name = "a.bin", .data = noise,   .size = LARGE},
        {.name = "b.txt", .data = "hello", .size = 5    },
    };
    struct fixture fixture;
    struct archive *archive = open_model(&fixture, 0, files, 2);
    struct archive *other_archive;
    struct cache *other;
    struct error err = {0};

    (void)state;
    assert_int_equal(
        cache_open(&(struct cache_options){.root = fixture.root}, &other, &err), 0);
    assert_int_equal(
        cache_archive(other, fixture.resolver, &fixture.release, &other_archive, &err),
        0);
    assert_true(fixture_has(archive, "b.txt", "hello", 5));
    counting_backend_reset(fixture.counting);
    assert_true(fixture_has(other_archive, "b.txt", "hello", 5));
    assert_int_equal(counting_backend_total(fixture.counting), 0);
    assert_true(fixture_has(other_archive, "a.bin", noise, LARGE));
    assert_true(fixture_has(archive, "a.bin", noise, LARGE));
    assert_true(counting_backend_calls(fixture.counting).bytes_read < 2 * LARGE);
    archive_unref(other_archive);
    archive_unref(archive);
    cache_close(other);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_readers_cost_one_transfer),
        cmocka_unit_test(many_openers_cost_one_opening),
        cmocka_unit_test(first_bytes_come_long_before_the_end),
        cmocka_unit_test(damaged_members_never_read_to_their_end),
        cmocka_unit_test(damage_is_remembered_until_the_object_changes),
        cmocka_unit_test(transport_failures_may_be_tried_again),
        cmocka_unit_test(stored_members_are_read_at_random),
        cmocka_unit_test(replaced_archives_get_a_new_table),
        cmocka_unit_test(waits_end_without_progress),
        cmocka_unit_test(two_caches_share_a_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
