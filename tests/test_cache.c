/* test_cache.c: from a release to bytes that were verified, and to audmodel's folder. */
#include "tests/test.h"

#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <sys/stat.h>

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
    assert_int_equal(archive_cached_bytes(archive), 5);
    if (archive_load(archive, NULL, NULL, &path, &err) < 0)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_as_audmodel_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
