/* Tests of drafts.c: what can be told without a repository that takes changes. */
#include "fs/drafts.h"
#include "fs/failures.h"

#include "tests/fakes/fs_fixture.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>

static const struct release release = {.id = "3e120e8d", .version = "1.0.0"};

static int put(struct drafts *drafts, uint64_t handle, const char *data, size_t size,
               uint64_t offset, struct error *err)
{
    return drafts_write(
        drafts, handle,
        &(struct draft_write){.data = data, .size = size, .offset = offset}, err);
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } rows[] = {
        {"a: 1\n",       0      },
        {"{}",           0      },
        {"- a\n",        -EINVAL},
        {"a",            -EINVAL},
        {"a: [",         -EINVAL},
        {"a: 1\n---\nb", -EINVAL},
    };
    struct fs_fixture fixture;
    struct error err = {0};

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct drafts *drafts = fixture.fs.drafts;
        uint64_t handle;

        test_row(i, "%s", rows[i].text);
        assert_int_equal(
            drafts_open(&fixture.fs, 1, &release, O_WRONLY | O_TRUNC, &handle, &err), 0);
        assert_int_equal(drafts_check(drafts, handle, &err), 0); /* nothing written */
        assert_int_equal(put(drafts, handle, rows[i].text, strlen(rows[i].text), 0, &err),
                         0);
        assert_int_equal(drafts_check(drafts, handle, &err), rows[i].rc);
        if (rows[i].rc < 0)
            assert_ptr_equal(strstr(err.message, "model 3e120e8d-1.0.0: meta.yaml: "),
                             err.message);
    }
    fs_fixture_close(&fixture);
}

static void test_limits(void **state)
{
    struct fs_fixture fixture;
    struct drafts *drafts;
    struct error err = {0};
    uint64_t handle;
    int rc, opened = 0;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    drafts = fixture.fs.drafts;
    assert_int_equal(
        drafts_open(&fixture.fs, 1, &release, O_WRONLY | O_TRUNC, &handle, &err), 0);
    assert_int_equal(put(drafts, handle, "x", 1, UINT64_MAX, &err), -EFBIG);
    assert_int_equal(put(drafts, handle, "x", 1, 16 << 20, &err), -EFBIG);
    assert_int_equal(drafts_truncate(drafts, handle, 17 << 20, &err), -EFBIG);
    assert_int_equal(put(drafts, handle + 1, "x", 1, 0, &err), -EIO);
    do {
        rc = drafts_open(&fixture.fs, 1, &release, O_WRONLY | O_TRUNC, &handle, &err);
    } while (rc == 0 && ++opened < 1000);
    assert_int_equal(rc, -ENFILE);
    fs_fixture_close(&fixture);
}

/* Who opened it was told that the mount is gone. */
static void test_released_at_the_end(void **state)
{
    struct fs_fixture fixture;
    struct error err = {0};
    uint64_t handle;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    assert_int_equal(
        drafts_open(&fixture.fs, 1, &release, O_WRONLY | O_TRUNC, &handle, &err), 0);
    workers_stop(fixture.fs.meta_pool);
    drafts_release(&fixture.fs, handle);
    assert_int_equal(failures_count(fixture.fs.failures), 0);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_released_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
