/* test_status.c: @status is YAML, @metrics what Prometheus reads. */
#include "tests/test.h"

#include "common/yaml.h"
#include "fs/failures.h"
#include "fs/status.h"
#include "tests/fakes/fs_fixture.h"

#include <string.h>

enum { MMAP = 1 << 4, PASSTHROUGH = 1 << 5 };

static void status_is_yaml(void **state)
{
    static const struct {
        struct fuse_fake_kernel kernel;
        const char *complete, *arriving;
    } cases[] = {
        {{MMAP | PASSTHROUGH, false, false}, "passthrough", "direct"    },
        {{MMAP | PASSTHROUGH, false, true},  "page cache",  "direct"    },
        {{0, false, false},                  "page cache",  "page cache"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct yaml_node *root, *reads;
        CLEANUP_BYTES struct bytes text;
        struct fs_fixture fixture;
        struct yaml *yaml = NULL;
        struct error err = {0};

        test_row(i, "%s, %s", cases[i].complete, cases[i].arriving);
        bytes_init(&text, 64 * 1024);
        fs_fixture_open(&fixture,
                        &(struct fs_fixture_options){.kernel = cases[i].kernel});
        if (i == 0)
            failures_note(fixture.fs.failures, "it failed: \"why\"");
        assert_int_equal(status_print(&fixture.fs, &text, &err), 0);
        assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
        root = yaml_root(yaml);
        reads = yaml_get(root, "reads");
        assert_string_equal(yaml_get(reads, "complete")->text.data, cases[i].complete);
        assert_string_equal(yaml_get(reads, "arriving")->text.data, cases[i].arriving);
        assert_int_equal(yaml_get(root, "repositories")->list.count, 1);
        assert_int_equal(yaml_get(root, "errors")->list.count, i == 0);
        assert_non_null(strstr(text.data, "mounted: 2023-11-14T22:13:20Z\n"));
        yaml_tree_free(yaml);
        fs_fixture_close(&fixture);
    }
}

static void metrics_have_help_type_and_value(void **state)
{
    CLEANUP_BYTES struct bytes text;
    struct fs_fixture fixture;
    struct error err = {0};
    char *line, *rest;

    (void)state;
    bytes_init(&text, 64 * 1024);
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    failures_note(fixture.fs.failures, "it failed");
    assert_int_equal(status_print_metrics(&fixture.fs, &text, &err), 0);
    assert_non_null(strstr(text.data, "\nmodelfs_requests_failed_total 1\n"));
    assert_non_null(strstr(text.data, "\nmodelfs_open_files 0\n"));
    assert_non_null(strstr(text.data, "\nmodelfs_requests_total{kind=\"open\"} 0\n"));
    rest = text.data;
    for (size_t i = 0; (line = strsep(&rest, "\n")) && *line; i++) {
        static const char *const starts[] = {"# HELP modelfs_", "# TYPE modelfs_",
                                             "modelfs_"};
        bool is_one_more = line[0] != '#' && strchr(line, '{');

        test_row(i, "%s", line);
        if (is_one_more)
            assert_ptr_equal(strstr(line, starts[2]), line);
        else
            assert_ptr_equal(strstr(line, starts[i % 3]), line);
    }
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_yaml),
        cmocka_unit_test(metrics_have_help_type_and_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
