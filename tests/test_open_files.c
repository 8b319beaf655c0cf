/* test_open_files.c: open members, shared by their handles. */
#include "tests/test.h"

#include "common/files.h"
#include "fs/open_files.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>

static struct open_wish wish_for(struct archive *archive, uint64_t node_id)
{
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    return (struct open_wish){.node_id = node_id,
                              .archive = archive,
                              .index = fixture_index(archive, "model.yaml")};
}

static void handles_share_one_file(void **state)
{
    struct fs_fixture fixture;
    struct archive *archive;
    struct open_wish wish;
    struct open_files *files;
    struct error err = {0};

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    files = fixture.fs.open_files;
    archive = fixture_archive(&fixture.cache);
    wish = wish_for(archive, 7);
    assert_int_equal(open_files_hold(files, &wish, &err), 0);
    assert_int_equal(open_files_hold(files, &wish, &err), 0);
    assert_int_equal(open_files_count(files), 1);
    open_files_release(files, 7, 0);
    assert_int_equal(open_files_count(files), 1);
    open_files_release(files, 7, 0);
    assert_int_equal(open_files_count(files), 0);
    open_files_release(files, 7, 0); /* no handle of ours: nothing happens */
    archive_unref(archive);
    fs_fixture_close(&fixture);
}

static void a_reader_outlives_the_last_handle(void **state)
{
    struct fs_fixture fixture;
    struct archive *archive;
    struct open_wish wish;
    struct open_file *file;
    struct error err = {0};
    char text[5];

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    archive = fixture_archive(&fixture.cache);
    wish = wish_for(archive, 7);
    assert_int_equal(open_files_hold(fixture.fs.open_files, &wish, &err), 0);
    assert_null(open_files_find(fixture.fs.open_files, 7, 1));
    assert_null(open_files_find(fixture.fs.open_files, 8, 0));
    file = open_files_find(fixture.fs.open_files, 7, 0);
    assert_non_null(file);
    open_files_release(fixture.fs.open_files, 7, 0);
    assert_ptr_equal(open_file_archive(file), archive);
    assert_int_equal(files_pread(open_file_fd(file), text, 5, 0, &err), 0);
    assert_memory_equal(text, "a: 1\n", 5);
    open_file_unref(file);
    archive_unref(archive);
    fs_fixture_close(&fixture);
}

static void what_is_not_there_cannot_be_held(void **state)
{
    struct fs_fixture fixture;
    struct archive *archive;
    struct open_wish wish;
    struct error err = {0};

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    archive = fixture_archive(&fixture.cache);
    wish = (struct open_wish){
        .node_id = 7, .archive = archive, .index = fixture_index(archive, "model.yaml")};
    assert_int_equal(open_files_hold(fixture.fs.open_files, &wish, &err), -ENOENT);
    assert_int_equal(open_files_count(fixture.fs.open_files), 0);
    archive_unref(archive);
    fs_fixture_close(&fixture);
}

/* Several reads at once find that a handle of a process before has no entry yet. */
static void a_handle_from_before_counts_once(void **state)
{
    struct fs_fixture fixture;
    struct archive *archive;
    struct open_wish wish;
    struct open_files *files;
    struct open_file *first = NULL, *second = NULL;
    struct error err = {0};

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    files = fixture.fs.open_files;
    archive = fixture_archive(&fixture.cache);
    wish = wish_for(archive, 7);
    assert_int_equal(open_files_adopt(files, &wish, &first, &err), 0);
    assert_int_equal(open_files_adopt(files, &wish, &second, &err), 0);
    assert_ptr_equal(first, second);
    open_file_unref(first);
    open_file_unref(second);
    assert_int_equal(open_files_count(files), 1);
    open_files_release(files, 7, 0);
    assert_int_equal(open_files_count(files), 0);
    archive_unref(archive);
    fs_fixture_close(&fixture);
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
