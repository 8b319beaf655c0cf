/* test_toc_folder.c: a folder on disk as if it were an archive. */
#include "tests/test.h"

#include "cache/toc_file.h"
#include "cache/toc_folder.h"
#include "tests/folders.h"
#include "tests/toc_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void files_are_listed_with_sizes_and_times(void **state)
{
    static const struct {
        const char *path, *text;
        mode_t mode;
    } files[] = {
        {"model.yaml",   "name: x\n", 0644},
        {".hidden",      "",          0644},
        {"log/run.sh",   "exit 0\n",  0755},
        {"a/b/c/d/deep", "deep",      0600},
    };
    int dir_fd = ((struct folder *)*state)->fd;
    struct error err = {0};
    struct toc *toc = NULL, *loaded = NULL;
    uint32_t index;

    assert_int_equal(files_make_folders(dir_fd, "a/b/c/d", 0777, &err), 0);
    assert_int_equal(files_make_folders(dir_fd, "log", 0777, &err), 0);
    assert_int_equal(files_make_folders(dir_fd, "empty/folder", 0777, &err), 0);
    assert_int_equal(symlinkat("/etc/passwd", dir_fd, "link"), 0);
    assert_int_equal(symlinkat("a", dir_fd, "link-to-folder"), 0);
    assert_int_equal(mkfifoat(dir_fd, "fifo", 0666), 0);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        folder_put(dir_fd, files[i].path, files[i].text, strlen(files[i].text),
                   files[i].mode, 1234567890);
    assert_int_equal(toc_folder_read(dir_fd, &toc, &err), 0);
    assert_int_equal(toc_file_count(toc), ARRAY_SIZE(files));
    assert_int_equal(toc_count(toc), ARRAY_SIZE(files) + 1 + 5);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        const struct toc_entry *entry;

        test_row(i, "%s", files[i].path);
        assert_int_equal(toc_find(toc, files[i].path, &index), 0);
        entry = toc_entry(toc, index);
        assert_int_equal(entry->size, strlen(files[i].text));
        assert_int_equal(entry->mtime_s, 1234567890);
        assert_int_equal(entry->execute_bits, files[i].mode & 0111);
        assert_int_equal(entry->archive_last, 0);
    }
    assert_int_equal(toc_file_save(dir_fd, "saved", toc, &err), 0);
    assert_int_equal(toc_file_load(dir_fd, "saved", &loaded, &err), 0);
    assert_string_equal(toc_digest(loaded), toc_digest(toc));
    toc_free(loaded);
    toc_free(toc);
}

static void a_name_no_archive_may_have_is_refused(void **state)
{
    int dir_fd = ((struct folder *)*state)->fd;
    struct error err = {0};
    struct toc *toc = NULL;

    folder_put(dir_fd, "..\\b", "", 0, 0644, 0);
    assert_int_equal(toc_folder_read(dir_fd, &toc, &err), -EBADMSG);
    assert_non_null(strstr(err.message, "backslashes"));
    assert_int_equal(unlinkat(dir_fd, "..\\b", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_listed_with_sizes_and_times),
        cmocka_unit_test(a_name_no_archive_may_have_is_refused),
    };

    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
