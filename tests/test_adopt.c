/* Tests of adopt.c: a model taken from the folder it was made of is the one in the
 * archive, whatever became of the folder meanwhile. */
#include "cache/adopt.h"

#include "common/cleanup.h"
#include "tests/fakes/cache_fixture.h"
#include "tests/test.h"

#include "tests/folders.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LARGE = 100000 };

/* What became of the staged file before it was taken. */
enum fate {
    FATE_NONE,
    FATE_CHANGED, /* other bytes, the same size */
    FATE_CUT,
    FATE_GONE,
    FATE_TWIN, /* a second name */
    FATE_LINK, /* a link to a file outside */
    FATE_FOLDER,
};

struct row {
    const char *what;
    enum cache_adopt how;
    enum fate fate;
    bool is_shared;  /* the file itself becomes the model's */
    bool is_fetched; /* from the archive */
};

static const struct row cases[] = {
    {"alone",            CACHE_ADOPT_SHARE, FATE_NONE,    true,  false},
    {"may be written",   CACHE_ADOPT_COPY,  FATE_NONE,    false, false},
    {"has a twin",       CACHE_ADOPT_SHARE, FATE_TWIN,    false, false},
    {"is a link",        CACHE_ADOPT_SHARE, FATE_LINK,    false, false},
    {"changed",          CACHE_ADOPT_SHARE, FATE_CHANGED, false, true },
    {"changed, copied",  CACHE_ADOPT_COPY,  FATE_CHANGED, false, true },
    {"shorter",          CACHE_ADOPT_SHARE, FATE_CUT,     false, true },
    {"gone",             CACHE_ADOPT_SHARE, FATE_GONE,    false, true },
    {"a folder instead", CACHE_ADOPT_SHARE, FATE_FOLDER,  false, true },
};

static void befall(const struct folder *folder, enum fate fate, size_t size)
{
    int fd = folder->fd;

    if (fate == FATE_CHANGED) {
        CLEANUP_CLOSE int file = openat(fd, "model.onnx", O_WRONLY | O_CLOEXEC);

        assert_int_equal(pwrite(file, "other bytes", 11, 7), 11);
    } else if (fate == FATE_CUT) {
        CLEANUP_CLOSE int file = openat(fd, "model.onnx", O_WRONLY | O_CLOEXEC);

        assert_int_equal(ftruncate(file, (off_t)size - 1), 0);
    } else if (fate == FATE_GONE) {
        assert_int_equal(unlinkat(fd, "model.onnx", 0), 0);
    } else if (fate == FATE_TWIN) {
        assert_int_equal(linkat(fd, "model.onnx", fd, "twin", 0), 0);
    } else if (fate == FATE_LINK) {
        assert_int_equal(renameat(fd, "model.onnx", fd, "elsewhere"), 0);
        assert_int_equal(symlinkat("elsewhere", fd, "model.onnx"), 0);
    } else if (fate == FATE_FOLDER) {
        assert_int_equal(unlinkat(fd, "model.onnx", 0), 0);
        assert_int_equal(mkdirat(fd, "model.onnx", 0700), 0);
    }
}

static ino_t inode_of(int folder_fd, const char *path)
{
    struct stat st;

    return fstatat(folder_fd, path, &st, 0) < 0 ? 0 : st.st_ino;
}

/* links: the staged name of a file that is shared stays until its folder is removed. 0:
 * any number; a neighbour may come along with what is fetched. */
static void assert_content(const char *path, const void *data, size_t size, nlink_t links)
{
    CLEANUP_FREE char *found = calloc(1, size);
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct error err = {0};
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, size);
    if (links)
        assert_int_equal(st.st_nlink, links);
    assert_int_equal(files_pread(fd, found, size, 0, &err), 0);
    assert_memory_equal(found, data, size);
}

static void adopt(const struct folder *folder, const struct row *row)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(LARGE);
    const struct zip_file files[] = {
        {.name = "model.onnx", .data = noise, .size = LARGE,                .is_stored = true},
        {.name = "log/eval.yaml",                    .data = "loss: 1\n",           .size = 8},
    };
    struct counting_calls calls;
    struct fixture fixture;
    struct error err = {0};
    ino_t inode;

    folder_put(folder->fd, "model.onnx", noise, LARGE, 0600, 1);
    folder_put(folder->fd, "log/eval.yaml", "loss: 1\n", 8, 0600, 1);
    inode = inode_of(folder->fd, "model.onnx");
    befall(folder, row->fate, LARGE);
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, files, ARRAY_SIZE(files));
    counting_backend_reset(fixture.counting);
    assert_int_equal(cache_adopt(fixture.cache, fixture.resolver, &fixture.release,
                                 folder->fd, row->how, &err),
                     0);
    calls = counting_backend_calls(fixture.counting);
    assert_content(fixture_path(&fixture, "3e120e8d/1.0.0/model.onnx"), noise, LARGE,
                   row->is_shared ? 2 : 1);
    assert_content(fixture_path(&fixture, "3e120e8d/1.0.0/log/eval.yaml"), "loss: 1\n", 8,
                   0);
    assert_int_equal(calls.object_read > 0, row->is_fetched);
    assert_int_equal(
        inode_of(AT_FDCWD, fixture_path(&fixture, "3e120e8d/1.0.0/model.onnx")) == inode,
        row->is_shared);
    if (row->fate == FATE_TWIN)
        assert_int_equal(inode_of(folder->fd, "twin"), inode);
    fixture_close(&fixture);
}

static void test_fates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        void *folder = NULL;

        test_row(i, "%s", cases[i].what);
        assert_int_equal(folder_open(&folder), 0);
        adopt(folder, &cases[i]);
        assert_int_equal(folder_close(&folder), 0);
    }
}

/* The archive is the truth: what it says is wrong is not served, whatever is staged. */
static void test_damaged_archive(void **state)
{
    const struct folder *folder = *state;
    const struct zip_file file = {
        .name = "a.txt", .data = "hello", .size = 5, .has_wrong_crc = true};
    struct fixture fixture;
    struct error err = {0};

    folder_put(folder->fd, "a.txt", "hello", 5, 0600, 1);
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, &file, 1);
    assert_int_equal(cache_adopt(fixture.cache, fixture.resolver, &fixture.release,
                                 folder->fd, CACHE_ADOPT_SHARE, &err),
                     -EIO);
    assert_int_equal(inode_of(AT_FDCWD, fixture_path(&fixture, "3e120e8d/1.0.0")), 0);
    assert_true(inode_of(folder->fd, "a.txt") != 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fates),
        cmocka_unit_test_setup_teardown(test_damaged_archive, folder_open, folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
