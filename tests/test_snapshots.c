/* test_snapshots.c: readers go on in the text that they began with. */
#include "tests/test.h"

#include "fs/snapshots.h"

#include <errno.h>

static void keep(struct snapshots *snapshots, uint64_t handle, const char *text)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    bytes_init(&bytes, 4096);
    assert_int_equal(bytes_printf(&bytes, &err, "%s", text), 0);
    assert_int_equal(snapshots_keep(snapshots, handle, &bytes, &err), 0);
}

static void check(struct snapshots *snapshots, uint64_t handle, const char *text)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    bytes_init(&bytes, 4096);
    assert_int_equal(snapshots_find(snapshots, handle, &bytes, &err), text ? 0 : -ENOENT);
    assert_string_equal(bytes.data, text ? text : "");
}

static void each_handle_has_its_text(void **state)
{
    struct snapshots *snapshots = snapshots_new();
    uint64_t first = snapshots_handle(snapshots), second = snapshots_handle(snapshots);

    (void)state;
    assert_true(first != second);
    assert_true((first & second) & SNAPSHOT_HANDLE);
    check(snapshots, first, NULL);
    keep(snapshots, first, "0\n");
    keep(snapshots, second, "4096\n");
    check(snapshots, first, "0\n");
    keep(snapshots, first, "200000\n"); /* read from the start again */
    check(snapshots, first, "200000\n");
    check(snapshots, second, "4096\n");
    snapshots_drop(snapshots, first);
    snapshots_drop(snapshots, first);
    check(snapshots, first, NULL);
    snapshots_free(snapshots); /* with one left */
    snapshots_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_handle_has_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
