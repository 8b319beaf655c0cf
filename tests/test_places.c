/* test_places.c: where things lie by default. */
#include "tests/test.h"

#include "cli/places.h"
#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void data_lies_where_xdg_says(void **state)
{
    static const struct {
        const char *xdg;
        const char *path;
    } cases[] = {
        {"/data",    "/data/modelfs"                },
        {"",         "/home/me/.local/share/modelfs"},
        {"relative", "/home/me/.local/share/modelfs"}, /* to be ignored */
    };

    (void)state;
    setenv("HOME", "/home/me", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *path = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].xdg);
        setenv("XDG_DATA_HOME", cases[i].xdg, 1);
        assert_int_equal(places_data(&path, &err), 0);
        assert_string_equal(path, cases[i].path);
    }
}

static void expect_config(const char *asked, const char *expected)
{
    CLEANUP_FREE char *path = NULL;
    struct error err = {0};

    assert_int_equal(places_config(asked, &path, &err), 0);
    if (expected)
        assert_string_equal(path, expected);
    else if (path) /* of the machine that runs the test */
        assert_string_equal(path, "/etc/modelfs/config.yaml");
}

static void the_first_configuration_found_is_taken(void **state)
{
    char folder[] = "/tmp/test_places.XXXXXX";
    char below[64];
    char file[128];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(below, sizeof below, "%s/modelfs", folder);
    snprintf(file, sizeof file, "%s/config.yaml", below);
    setenv("XDG_CONFIG_HOME", folder, 1);
    unsetenv("MODELFS_CONFIG");
    expect_config(NULL, NULL);
    assert_int_equal(mkdir(below, 0700), 0);
    fclose(fopen(file, "w"));
    expect_config(NULL, file);
    setenv("MODELFS_CONFIG", "/no/such/file", 1);
    expect_config(NULL, "/no/such/file"); /* named, so to be reported as missing */
    expect_config("/asked", "/asked");
    setenv("MODELFS_CONFIG", "", 1);
    expect_config(NULL, file);
    unlink(file);
    rmdir(below);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_lies_where_xdg_says),
        cmocka_unit_test(the_first_configuration_found_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
