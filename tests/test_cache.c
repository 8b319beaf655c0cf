/* test_cache.c: from a release to bytes that were verified, and to audmodel's folder. */
#include "tests/test.h"

#include "cache/load.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct zip_file small_model[] = {
    {.name = "model.yaml",    .data = "a: 1\n", .size = 5        },
    {                 .name = "log/eval.yaml", .data = "loss: 0.25\n",       .size = 11, .is_stored = true},
    {                 .name = "empty.txt",             .data = "",        .size = 0                 },
    { .name = "folder/",              .data = "",             .size = 0,                  .is_stored = true},
};

static void completes_as_audmodel_would(void **state)
{
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    struct stat st;
    char *path = NULL;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.hold = 100});
    fixture_publish(&fixture, small_model, ARRAY_SIZE(small_model));
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    assert_in_range(archive_cached_bytes(archive), 5, 16); /* neighbours may come along */
    if (load_archive(archive, NULL, NULL, &path, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(path, fixture_path(&fixture, "3e120e8d/1.0.0"));
    free(path);
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/1.0.0/log/eval.yaml"), &st),
                     0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/1.0.0/folder"), &st), 0);
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/1.0.0.header.yaml"), &st), 0);
    assert_int_equal(stat(fixture_path(&fixture, "3e120e8d/1.0.0.meta.yaml"), &st), 0);
    assert_true(fixture_has(archive, "log/eval.yaml", "loss: 0.25\n", 11));
    archive_unref(archive);

    fixture_reopen(&fixture);
    fault_backend_fail(fixture.fault, FAULT_ALL, NULL, ETIMEDOUT, FAULT_ALWAYS);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    assert_int_equal(archive_cached_bytes(archive), 16);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void put_file(const struct fixture *fixture, const char *path, const char *text)
{
    struct error err = {0};
    char full[256];

    snprintf(full, sizeof(full), "%s", fixture_path(fixture, path));
    *strrchr(full, '/') = '\0';
    assert_int_equal(files_make_folders(AT_FDCWD, full, 0777, &err), 0);
    assert_int_equal(files_replace(AT_FDCWD, fixture_path(fixture, path), text,
                                   strlen(text), 0644, &err),
                     0);
}

static void check_verdict(struct archive *archive, const char *expected)
{
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    bytes_init(&text, 4096);
    assert_int_equal(archive_print_verdict(archive, &text, &err), 0);
    assert_string_equal(text.data, expected);
}

static void takes_what_audmodel_unpacked(void **state)
{
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, small_model, ARRAY_SIZE(small_model));
    put_file(&fixture, "3e120e8d/1.0.0/model.yaml", "b: 2\n"); /* the size agrees */
    put_file(&fixture, "3e120e8d/1.0.0/log/eval.yaml", "another size");
    put_file(&fixture, "3e120e8d/1.0.0/empty.txt", "");
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "model.yaml", "b: 2\n", 5));
    assert_true(fixture_has(archive, "log/eval.yaml", "loss: 0.25\n", 11));
    check_verdict(archive, "ok: unverified, unpacked by audmodel\n");
    archive_unref(archive);
    fixture_close(&fixture);
}

static void serves_offline_what_it_finds(void **state)
{
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    char *path = NULL;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    put_file(&fixture, "3e120e8d/1.0.0/sub/a.txt", "hello");
    fault_backend_fail(fixture.fault, FAULT_ALL, NULL, ECONNREFUSED, FAULT_ALWAYS);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "sub/a.txt", "hello", 5));
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    assert_string_equal(path, fixture_path(&fixture, "3e120e8d/1.0.0"));
    free(path);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void says_what_is_wrong(void **state)
{
    struct fixture fixture;
    struct archive *archive = NULL;
    struct error err = {0};

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    assert_int_equal(
        cache_archive(fixture.cache, fixture.resolver, &fixture.release, &archive, &err),
        -ENOENT);
    fixture_publish(&fixture, small_model, ARRAY_SIZE(small_model));
    memory_backend_set(fixture.memory, FIXTURE_ARCHIVE, NULL);
    assert_int_equal(
        cache_archive(fixture.cache, fixture.resolver, &fixture.release, &archive, &err),
        -EAGAIN);
    memory_backend_set(fixture.memory, FIXTURE_ARCHIVE, "this is no archive");
    assert_int_equal(
        cache_archive(fixture.cache, fixture.resolver, &fixture.release, &archive, &err),
        -EBADMSG);
    fixture_publish(&fixture, small_model, ARRAY_SIZE(small_model));
    archive = fixture_archive(&fixture);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void refuses_a_folder_it_cannot_write(void **state)
{
    struct fixture fixture;
    struct cache *cache = NULL;
    struct error err = {0};

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    put_file(&fixture, "a-file", "");
    assert_true(cache_open(&(struct cache_options){.root = fixture_path(&fixture,
                                                                        "a-file/below")},
                           &cache, &err) < 0);
    assert_non_null(strstr(err.message, "a-file/below"));
    assert_non_null(strstr(err.message, "AUDMODEL_CACHE_ROOT"));
    fixture_close(&fixture);
}

static void an_empty_model_is_an_empty_folder(void **state)
{
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    struct stat st;
    char *path = NULL;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, NULL, 0);
    archive = fixture_archive(&fixture);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    free(path);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void a_removed_model_is_fetched_again(void **state)
{
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    char *path = NULL;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, small_model, ARRAY_SIZE(small_model));
    archive = fixture_archive(&fixture);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    assert_int_equal(files_remove_tree(AT_FDCWD, path, &err), 0);
    free(path);
    /* While it is open the first look finds out, and the next want fetches. */
    assert_true(archive_fd(archive, fixture_index(archive, "model.yaml"), 1, &err) < 0);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    archive_unref(archive);
    fixture_reopen(&fixture);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "log/eval.yaml", "loss: 0.25\n", 11) ||
                fixture_has(archive, "log/eval.yaml", "loss: 0.25\n", 11));
    archive_unref(archive);
    fixture_close(&fixture);
}

static void a_cut_file_is_fetched_again(void **state)
{
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    char *path = NULL;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, small_model, ARRAY_SIZE(small_model));
    archive = fixture_archive(&fixture);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    free(path);
    assert_int_equal(truncate(fixture_path(&fixture, "3e120e8d/1.0.0/model.yaml"), 2), 0);
    assert_int_equal(archive_fd(archive, fixture_index(archive, "model.yaml"), 1, &err),
                     -ENOENT);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    archive_unref(archive);
    fixture_close(&fixture);
}

static int count_row(void *arg, const struct cache_row *row, struct error *err)
{
    (void)err;
    printf("    %s-%s %s %ju/%ju\n", row->id, row->version, row->state,
           (uintmax_t)row->cached_bytes, (uintmax_t)row->total_bytes);
    (*(int *)arg)++;
    return 0;
}

struct completing {
    struct archive *archive;
    int rows;
};

static int complete_it(void *arg, const struct cache_row *row, struct error *err)
{
    struct completing *completing = arg;
    CLEANUP_FREE char *path = NULL;

    completing->rows++;
    assert_string_equal(row->state, "partial");
    return load_archive(completing->archive, NULL, NULL, &path, err);
}

static void a_model_that_is_completed_meanwhile_is_listed_once(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(1 << 20);
    const struct zip_file files[] = {
        small_model[0],
        {.name = "weights.bin", .data = noise, .size = 1 << 20}, /* does not come along */
    };
    struct completing completing = {.rows = 0};
    struct fixture fixture;
    struct error err = {0};

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, files, ARRAY_SIZE(files));
    completing.archive = fixture_archive(&fixture);
    assert_true(fixture_has(completing.archive, "model.yaml", "a: 1\n", 5));
    assert_int_equal(cache_list(fixture.cache, complete_it, &completing, &err), 0);
    assert_int_equal(completing.rows, 1);
    archive_unref(completing.archive);
    fixture_close(&fixture);
}

static void the_least_recently_used_goes_first(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(1 << 20);
    struct zip_file file = {.name = "a.bin", .data = noise, .size = 1 << 20};
    struct zip_file large = {.name = "b.bin", .data = noise, .size = (1 << 20) - 1};
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive, *second;
    struct error err = {0};
    char *path = NULL;
    int rows = 0;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){.size = 3 << 19});
    fixture_publish(&fixture, &file, 1);
    archive = fixture_archive(&fixture);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    assert_int_equal(cache_list(fixture.cache, count_row, &rows, &err), 0);
    assert_int_equal(rows, 1);
    /* A second model does not fit while the first is open ... */
    snprintf(fixture.release.version, sizeof(fixture.release.version), "2.0.0");
    fixture_publish_as(&fixture, "2.0.0", &large, 1);
    second = fixture_archive(&fixture);
    assert_int_equal(fixture_want(second, "b.bin", 0, 0, &generation), -ENOSPC);
    /* ... and takes its place when it is not. */
    archive_unref(archive);
    generation = ARCHIVE_GENERATION_NEW;
    assert_int_equal(fixture_want(second, "b.bin", 0, 0, &generation), 0);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
    archive_unref(second);
    fixture_close(&fixture);
}

struct wanter {
    pthread_t thread;
    struct archive *archive;
    char name[16];
    int rc;
};

static void *want_in_thread(void *arg)
{
    struct wanter *wanter = arg;
    uint32_t generation = ARCHIVE_GENERATION_NEW;

    wanter->rc = fixture_want(wanter->archive, wanter->name, 0, 0, &generation);
    return NULL;
}

enum { OLD_FILES = 200, WANTERS = 8, ROUNDS = 10, OLD_BYTES = 1000, NEW_BYTES = 10000 };

/* Publish and open a version of count files. */
static struct archive *open_version(struct fixture *fixture, const char *version,
                                    size_t count, size_t size, const unsigned char *noise)
{
    CLEANUP_FREE char *names = xcalloc(count, 16);
    CLEANUP_FREE struct zip_file *files = xcalloc(count, sizeof *files);

    for (size_t i = 0; i < count; i++) {
        snprintf(names + 16 * i, 16, "%zu.bin", i);
        files[i] = (struct zip_file){.name = names + 16 * i, .data = noise, .size = size};
    }
    snprintf(fixture->release.version, sizeof fixture->release.version, "%s", version);
    fixture_publish_as(fixture, version, files, count);
    return fixture_archive(fixture);
}

/* One removes the old model; the others, who look meanwhile, wait for the room. */
static void room_for_many(size_t round)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(NEW_BYTES);
    CLEANUP_FREE char *path = NULL;
    struct wanter wanters[WANTERS];
    struct archive *archive;
    struct fixture fixture;
    struct error err = {0};

    printf("    round %zu\n", round);
    fixture_open(&fixture, &(struct cache_options){.size = OLD_FILES * OLD_BYTES,
                                                   .threads = WANTERS});
    archive = open_version(&fixture, "1.0.0", OLD_FILES, OLD_BYTES, noise);
    assert_int_equal(load_archive(archive, NULL, NULL, &path, &err), 0);
    archive_unref(archive);
    archive = open_version(&fixture, "2.0.0", WANTERS, NEW_BYTES, noise);
    for (size_t i = 0; i < WANTERS; i++) {
        wanters[i] = (struct wanter){.archive = archive};
        snprintf(wanters[i].name, sizeof wanters[i].name, "%zu.bin", i);
        assert_int_equal(
            thread_start(&wanters[i].thread, "want", want_in_thread, &wanters[i]), 0);
    }
    for (size_t i = 0; i < WANTERS; i++)
        pthread_join(wanters[i].thread, NULL);
    for (size_t i = 0; i < WANTERS; i++)
        assert_int_equal(wanters[i].rc, 0);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void room_for_many_at_once(void **state)
{
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++)
        room_for_many(round);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_as_audmodel_would),
        cmocka_unit_test(takes_what_audmodel_unpacked),
        cmocka_unit_test(serves_offline_what_it_finds),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(refuses_a_folder_it_cannot_write),
        cmocka_unit_test(an_empty_model_is_an_empty_folder),
        cmocka_unit_test(a_removed_model_is_fetched_again),
        cmocka_unit_test(a_cut_file_is_fetched_again),
        cmocka_unit_test(a_model_that_is_completed_meanwhile_is_listed_once),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(room_for_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
