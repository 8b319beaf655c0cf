/* test_pack_link.c: what links lead to, and that one device is left alone. */
#include "tests/test.h"

#include "publish/pack_link.h"
#include "tests/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The links of a folder with a file "a" and a folder "b" in it. */
static const struct {
    const char *name, *target;
    int rc;              /* /proc is avoided */
    const char *same_as; /* NULL: nothing is told */
} links[] = {
    {"file",      "a",                   0,        "a" },
    {"slashes",   ".//b/.././a",         0,        "a" },
    {"chain",     "slashes",             0,        "a" },
    {"below",     "b/up",                0,        "a" },
    {"folder",    "b/",                  0,        "b" },
    {"root",      "/",                   0,        "/" },
    {"above",     "/../../..",           0,        "/" },
    {"nowhere",   "c",                   -ENOENT,  NULL},
    {"no folder", "a/c",                 -ENOTDIR, NULL},
    {"loop",      "loop",                -ELOOP,   NULL},
    {"proc",      "/proc/self/status",   -EXDEV,   NULL},
    {"itself",    "/proc",               -EXDEV,   NULL},
    {"through",   "/proc/self/root/etc", -EXDEV,   NULL},
    {"by way",    "through",             -EXDEV,   NULL},
};

static void links_lead_where_the_kernel_says(void **state)
{
    const struct folder *folder = *state;
    struct stat proc, expected, found;
    struct error err = {0};

    assert_int_equal(stat("/proc", &proc), 0);
    folder_put(folder->fd, "a", "content", 7, 0600, 1000000000);
    assert_int_equal(mkdirat(folder->fd, "b", 0700), 0);
    assert_int_equal(symlinkat("../a", folder->fd, "b/up"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        assert_int_equal(symlinkat(links[i].target, folder->fd, links[i].name), 0);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        const char *name = links[i].name, *same_as = links[i].same_as;

        test_row(i, "%s -> %s", name, links[i].target);
        assert_int_equal(pack_link_stat(folder->fd, name, proc.st_dev, &found, &err),
                         links[i].rc);
        if (!same_as)
            continue;
        assert_int_equal(fstatat(folder->fd, same_as, &expected, 0), 0);
        assert_int_equal(found.st_dev, expected.st_dev);
        assert_int_equal(found.st_ino, expected.st_ino);
        assert_int_equal(found.st_size, expected.st_size);
    }
}

static void nothing_is_avoided_without_a_device(void **state)
{
    const struct folder *folder = *state;
    struct error err = {0};
    struct stat found;

    assert_int_equal(symlinkat("/proc/self/status", folder->fd, "proc"), 0);
    assert_int_equal(pack_link_stat(folder->fd, "proc", 0, &found, &err), 0);
    assert_true(S_ISREG(found.st_mode));
}

static void long_ways_end(void **state)
{
    const struct folder *folder = *state;
    char target[4096], name[16];
    struct stat root, found;
    struct error err = {0};

    assert_int_equal(stat("/proc", &root), 0);
    memset(target, '/', sizeof target);
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(target + 4080, 16, "/l%d", i + 1);
        memcpy(target, ".", 1);
        assert_int_equal(symlinkat(target, folder->fd, name), 0);
    }
    assert_int_equal(pack_link_stat(folder->fd, "l0", root.st_dev, &found, &err), -ELOOP);
    assert_int_equal(pack_link_stat(folder->fd, "l59", root.st_dev, &found, &err),
                     -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(links_lead_where_the_kernel_says, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(nothing_is_avoided_without_a_device, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(long_ways_end, folder_open, folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
