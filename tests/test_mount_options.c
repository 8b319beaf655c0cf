/* test_mount_options.c: what -o and fstab may say. */
#include "tests/test.h"

#include "cli/mount_options.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *text;
    bool allow_other, debug;
    const char *config, *log;
} good[] = {
    {"",                                                                       false, false, NULL,        NULL},
    {"allow_other",                                                            true,  false, NULL,        NULL},
    {"debug,allow_other",                                                      true,  true,  NULL,        NULL},
    {"config=/a/b.yaml,log=/l",                                                false, false, "/a/b.yaml", "/l"},
    {"config=/a\\,b\\\\c=d",                                                   false, false, "/a,b\\c=d", NULL},
    {"config=/a,config=/b",                                                    false, false, "/b",        NULL},
    {",,allow_other,,",                                                        true,  false, NULL,        NULL},
 /* As mount(8), mount.fuse3 and fstab(5) have them. */
    {"rw,dev,suid,_netdev,noauto,nofail,user,x-systemd.automount,x-gvfs-show", false,
     false,                                                                                  NULL,        NULL},
    {"ro,nosuid,nodev,noatime,relatime,defaults,comment=mine,users",           false, false, NULL,
     NULL                                                                                                     },
};

static const struct {
    const char *text;
    const char *message;
} bad[] = {
    {"alow_other", "unknown mount option 'alow_other'; did you mean 'allow_other'?"},
    {"ro,zebra=1", "unknown mount option 'zebra'"                                  },
    {"noexec=1",   "mount option 'noexec' takes no value"                          },
    {"debug=1",    "mount option 'debug' takes no value"                           },
    {"config",     "mount option 'config' lacks its value: 'config=FILE'"          },
    {"config=",    "mount option 'config' lacks its value: 'config=FILE'"          },
};

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void known_options_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        CLEANUP_MOUNT_OPTIONS struct mount_options options = {0};
        struct error err = {0};

        test_row(i, "%s", good[i].text);
        assert_int_equal(mount_options_parse(good[i].text, &options, &err), 0);
        assert_int_equal(options.allow_other, good[i].allow_other);
        assert_int_equal(options.debug, good[i].debug);
        assert_true(is_same(options.config, good[i].config));
        assert_true(is_same(options.log, good[i].log));
    }
}

static void others_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP_MOUNT_OPTIONS struct mount_options options = {0};
        struct error err = {0};

        test_row(i, "%s", bad[i].text);
        assert_int_equal(mount_options_parse(bad[i].text, &options, &err), -EINVAL);
        assert_string_equal(err.message, bad[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_options_are_read),
        cmocka_unit_test(others_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
