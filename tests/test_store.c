/* test_store.c: the cache folder itself. */
#include "tests/test.h"

#include "cache/layout.h"
#include "cache/store.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "tests/folders.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The flags of a folder, with more set; -1 where its disk has none, or not these. */
static int flags_of(const char *path, int more)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = 0;

    assert_true(fd >= 0);
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return -1;
    flags |= more;
    return more && ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -1 : flags;
}

static void open_store(const char *root)
{
    struct store store = {.root_fd = -1};
    struct error err = {0};

    if (store_open(root, &store, &err) < 0)
        fail_msg("%s", err.message);
    store_close(&store);
}

/* A new cache folder, and one that was there before. Where the disk knows no such hint
 * the folder is used all the same. */
static void models_lie_apart(void **state)
{
    static const struct {
        const char *name;
        const char *there; /* before; NULL: nothing */
    } cases[] = {
        {"new",   NULL            },
        {"empty", ""              },
        {"used",  "/" LAYOUT_TREES},
    };
    const struct folder *folder = *state;
    bool is_known = flags_of(folder->path, FS_TOPDIR_FL) >= 0;

    printf("    the disk knows the hint: %s\n", is_known ? "yes" : "no");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *root = xasprintf("%s/%s", folder->path, cases[i].name);
        CLEANUP_FREE char *trees = xasprintf("%s/" LAYOUT_TREES, root);
        struct error err = {0};

        test_row(i, "%s", cases[i].name);
        if (cases[i].there) {
            CLEANUP_FREE char *there = xasprintf("%s%s", root, cases[i].there);

            assert_int_equal(files_make_folders(AT_FDCWD, there, 0777, &err), 0);
        }
        open_store(root);
        open_store(root);
        assert_int_equal(
            flags_of(trees, 0) > 0 && (flags_of(trees, 0) & FS_TOPDIR_FL) != 0, is_known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(models_lie_apart, folder_open, folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
