/* test_info.c: the files of @info, one value each. */
#include "tests/test.h"

#include "fs/info.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <string.h>

static const char header_text[] = "author: me\ndate: 2024-02-29\nname: onnx\n"
                                  "parameters:\n  model: cnn10\nsubgroup: emotion\n"
                                  "version: 1.0.0\n";

static const struct {
    const char *name, *content;
    int known_rc; /* of RESOLVE_KNOWN, when nothing was asked yet */
    double timeout_s;
} files[] = {
    {"uid",             "3e120e8d-1.0.0\n", 0,            1e9 },
    {"name",            "onnx\n",           -EINPROGRESS, 1e9 },
    {"subgroup",        "emotion\n",        -EINPROGRESS, 1e9 },
    {"author",          "me\n",             -EINPROGRESS, 1e9 },
    {"date",            "2024-02-29\n",     -EINPROGRESS, 1e9 },
    {"version",         "1.0.0\n",          0,            1e9 },
    {"parameters.yaml", "model: cnn10\n",   -EINPROGRESS, 1e9 },
    {"meta.yaml",       "a: 1\n",           -EINPROGRESS, 3600},
    {"header.yaml",     header_text,        -EINPROGRESS, 1e9 },
    {"aliases",         "small\n",          -EINPROGRESS, 3600},
    {"url",             NULL,               -EINPROGRESS, 1e9 },
    {"cached_bytes",    "0\n",              -EINPROGRESS, 0   },
    {"total_bytes",     "300016\n",         -EINPROGRESS, 0   },
    {"verdict",         NULL,               -EINPROGRESS, 0   },
    {"errors",          "",                 -EINPROGRESS, 0   },
};

static struct place info_file(uint32_t index)
{
    return (struct place){
        .kind = NODE_INFO_FILE,
        .index = index,
        .release = {FIXTURE_ID, FIXTURE_VERSION, 0}
    };
}

static int print(struct fs_fixture *fixture, uint32_t index, enum resolve_how how,
                 struct bytes *to)
{
    struct place place = info_file(index);
    struct error err = {0};

    bytes_init(to, 64 * 1024);
    return info_print(&fixture->fs, &place, how, to, &err);
}

static void every_file_has_its_value(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    assert_int_equal(ARRAY_SIZE(files), INFO_FILES);
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    memory_backend_set(fixture.cache.memory,
                       "_uid/3e120e8d.aliases/1.0.0/3e120e8d.aliases-1.0.0.yaml",
                       "aliases:\n- small\n");
    for (uint32_t i = 0; i < INFO_FILES; i++) {
        CLEANUP_BYTES struct bytes content;
        uint32_t index = UINT32_MAX;

        test_row(i, "%s", files[i].name);
        assert_string_equal(info_name(i), files[i].name);
        assert_int_equal(info_find(files[i].name, &index), 0);
        assert_int_equal(index, i);
        assert_int_equal(print(&fixture, i, RESOLVE_FETCH, &content), 0);
        if (files[i].content)
            assert_string_equal(content.size ? content.data : "", files[i].content);
        assert_true(info_timeout_s(&fixture.fs, i) == files[i].timeout_s);
    }
    assert_int_equal(info_find("uids", &(uint32_t){0}), -ENOENT);
    fs_fixture_close(&fixture);
}

static void nothing_is_asked_that_is_not_known(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (uint32_t i = 0; i < INFO_FILES; i++) {
        CLEANUP_BYTES struct bytes known, stale;

        test_row(i, "%s", files[i].name);
        bytes_init(&stale, 1);
        assert_int_equal(print(&fixture, i, RESOLVE_KNOWN, &known), files[i].known_rc);
        assert_int_equal(print(&fixture, i, RESOLVE_STALE, &stale), files[i].known_rc);
    }
    assert_int_equal(counting_backend_total(fixture.cache.counting), 0);
    fs_fixture_close(&fixture);
}

static void an_unknown_file_is_stale(void **state)
{
    CLEANUP_BYTES struct bytes content;
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    assert_int_equal(print(&fixture, INFO_FILES, RESOLVE_FETCH, &content), -ESTALE);
    fs_fixture_close(&fixture);
}

/* What is wrong is content there; everywhere else it is a failure. */
static void a_dead_repository(void **state)
{
    static const struct {
        const char *name;
        int rc;
        const char *part;
    } cases[] = {
        {"uid",         0,          "3e120e8d-1.0.0\n"      },
        {"name",        -ETIMEDOUT, NULL                    },
        {"total_bytes", -ETIMEDOUT, NULL                    },
        {"verdict",     0,          "not fit to be served: "},
        {"errors",      0,          ".: "                   },
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fault_backend_fail(fixture.cache.fault, FAULT_ALL, NULL, ETIMEDOUT, FAULT_ALWAYS);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes content;
        uint32_t index;

        test_row(i, "%s", cases[i].name);
        assert_int_equal(info_find(cases[i].name, &index), 0);
        assert_int_equal(print(&fixture, index, RESOLVE_FETCH, &content), cases[i].rc);
        if (cases[i].part)
            assert_ptr_equal(strstr(content.data, cases[i].part), content.data);
    }
    fs_fixture_close(&fixture);
}

static void cached_bytes_grow(void **state)
{
    CLEANUP_BYTES struct bytes content;
    struct fs_fixture fixture;
    struct archive *archive;
    uint32_t index;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    archive = fixture_archive(&fixture.cache);
    assert_true(fixture_has(archive, "log/eval.yaml", "loss: 0.25\n", 11));
    assert_int_equal(info_find("cached_bytes", &index), 0);
    assert_int_equal(print(&fixture, index, RESOLVE_FETCH, &content), 0);
    assert_string_equal(content.data,
                        "16\n"); /* model.yaml lies before it and came along */
    archive_unref(archive);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_has_its_value),
        cmocka_unit_test(nothing_is_asked_that_is_not_known),
        cmocka_unit_test(an_unknown_file_is_stale),
        cmocka_unit_test(a_dead_repository),
        cmocka_unit_test(cached_bytes_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
