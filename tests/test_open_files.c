/* test_open_files.c: open members, shared by their handles. */
#include "tests/test.h"

#include "common/files.h"
#include "fs/open_files.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>

/* model.yaml, which node 7 means. */
struct member_fixture {
    struct fs_fixture fs;
    struct open_files *files;
    struct archive *archive;
    struct open_wish wish;
};

static void open_fixture(struct member_fixture *fixture)
{
    fs_fixture_open(&fixture->fs, &(struct fs_fixture_options){0});
    fixture->files = fixture->fs.fs.open_files;
    fixture->archive = fixture_archive(&fixture->fs.cache);
    fixture->wish =
        (struct open_wish){.node_id = 7,
                           .archive = fixture->archive,
                           .index = fixture_index(fixture->archive, "model.yaml")};
}

/* The same with the member in the cache. */
static void open_cached(struct member_fixture *fixture)
{
    open_fixture(fixture);
    assert_true(fixture_has(fixture->archive, "model.yaml", "a: 1\n", 5));
}

static void close_fixture(struct member_fixture *fixture)
{
    archive_unref(fixture->archive);
    fs_fixture_close(&fixture->fs);
}

static void handles_share_one_file(void **state)
{
    struct member_fixture fixture;
    struct error err = {0};

    (void)state;
    open_cached(&fixture);
    assert_int_equal(open_files_hold(fixture.files, &fixture.wish, &err), 0);
    assert_int_equal(open_files_hold(fixture.files, &fixture.wish, &err), 0);
    assert_int_equal(open_files_count(fixture.files), 1);
    open_files_release(fixture.files, 7, 0);
    assert_int_equal(open_files_count(fixture.files), 1);
    open_files_release(fixture.files, 7, 0);
    assert_int_equal(open_files_count(fixture.files), 0);
    open_files_release(fixture.files, 7, 0); /* no handle of ours: nothing happens */
    close_fixture(&fixture);
}

static void a_reader_outlives_the_last_handle(void **state)
{
    struct member_fixture fixture;
    struct open_file *file;
    struct error err = {0};
    char text[5];

    (void)state;
    open_cached(&fixture);
    assert_int_equal(open_files_hold(fixture.files, &fixture.wish, &err), 0);
    assert_null(open_files_find(fixture.files, 7, 1));
    assert_null(open_files_find(fixture.files, 8, 0));
    file = open_files_find(fixture.files, 7, 0);
    assert_non_null(file);
    open_files_release(fixture.files, 7, 0);
    assert_ptr_equal(open_file_archive(file), fixture.archive);
    assert_int_equal(files_pread(open_file_fd(file), text, 5, 0, &err), 0);
    assert_memory_equal(text, "a: 1\n", 5);
    open_file_unref(file);
    close_fixture(&fixture);
}

static void what_is_not_there_cannot_be_held(void **state)
{
    struct member_fixture fixture;
    struct error err = {0};

    (void)state;
    open_fixture(&fixture);
    assert_int_equal(open_files_hold(fixture.files, &fixture.wish, &err), -ENOENT);
    assert_int_equal(open_files_count(fixture.files), 0);
    close_fixture(&fixture);
}

/* Several reads at once find that a handle of a process before has no entry yet. */
static void a_handle_from_before_counts_once(void **state)
{
    struct open_file *first = NULL, *second = NULL;
    struct member_fixture fixture;
    struct error err = {0};

    (void)state;
    open_cached(&fixture);
    assert_int_equal(open_files_adopt(fixture.files, &fixture.wish, &first, &err), 0);
    assert_int_equal(open_files_adopt(fixture.files, &fixture.wish, &second, &err), 0);
    assert_ptr_equal(first, second);
    open_file_unref(first);
    open_file_unref(second);
    assert_int_equal(open_files_count(fixture.files), 1);
    open_files_release(fixture.files, 7, 0);
    assert_int_equal(open_files_count(fixture.files), 0);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_share_one_file),
        cmocka_unit_test(a_reader_outlives_the_last_handle),
        cmocka_unit_test(a_handle_from_before_counts_once),
        cmocka_unit_test(what_is_not_there_cannot_be_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
