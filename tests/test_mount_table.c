/* test_mount_table.c: finds mounts in the kernel's table. */
#include "tests/test.h"

#include "cli/mount_table.h"

#include <string.h>

/* Lines as proc(5) describes them. */
static const char table[] =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"
    "23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw\n"
    "98 22 0:55 / /models ro,nosuid,nodev - fuse.modelfs modelfs ro,user_id=0\n"
    "99 22 0:56 / /a\\040b\\134c rw shared:7 master:1 - fuse.modelfs user_id=9 "
    "rw,user_id=1000\n"
    "100 98 0:57 / /models rw - tmpfs none rw\n"
    "103 100 0:59 / /models/a rw - fuse.modelfs modelfs user_id=0,group_id=0\n"
    "101 22 0:58 / /short\n"
    "102 22 0:58 / /odd\\9 rw - ext4 none rw";

static const struct {
    const char *path;
    long long id; /* 0: not mounted */
    const char *type;
    long long owner;
} cases[] = {
    {"/",         22,  "ext4",         -1  },
    {"/proc",     23,  "proc",         -1  },
    {"/models/a", 103, "fuse.modelfs", 0   },
    {"/models",   100, "tmpfs",        -1  }, /* the one on top */
    {"/a b\\c",   99,  "fuse.modelfs", 1000},
    {"/odd\\9",   102, "ext4",         -1  },
    {"/a",        0,   NULL,           -1  },
    {"/model",    0,   NULL,           -1  },
    {"/models/x", 0,   NULL,           -1  },
    {"/short",    0,   NULL,           -1  },
    {"",          0,   NULL,           -1  },
};

static void mounts_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mount_entry entry;
        bool is_found;

        test_row(i, "%s", cases[i].path);
        is_found = mount_table_search(table, cases[i].path, &entry);
        assert_int_equal(is_found, cases[i].id != 0);
        if (!is_found)
            continue;
        assert_int_equal(entry.id, cases[i].id);
        assert_string_equal(entry.type, cases[i].type);
        assert_int_equal(entry.owner, cases[i].owner);
    }
}

static void the_running_kernels_table_is_read(void **state)
{
    struct mount_entry entry;
    struct error err = {0};
    bool is_mounted = false;

    (void)state;
    assert_int_equal(mount_table_find("/proc", &is_mounted, &entry, &err), 0);
    assert_true(is_mounted);
    assert_string_equal(entry.type, "proc");
    assert_int_equal(mount_table_wait_gone("/proc", entry.id + 1000000, 0, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mounts_are_found),
        cmocka_unit_test(the_running_kernels_table_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
