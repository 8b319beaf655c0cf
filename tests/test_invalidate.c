/* test_invalidate.c: what the kernel is told to forget, and that nobody waits for it. */
#include "tests/test.h"

#include "common/sync.h"
#include "fs/invalidate.h"
#include "tests/fakes/fs_fixture.h"

#include <stdint.h>

static void an_archive_is_forgotten_name_by_name(void **state)
{
    static const char *const names[] = {"big.bin", "folder", "log", "model.yaml", ""};
    struct fs_fixture fixture;
    struct archive *archive;
    uint64_t node_id;

    (void)state;
    fuse_fake_forget_notices();
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    node_id = fs_fixture_node(&fixture, "3e120e8d/1.0.0");
    archive = fixture_archive(&fixture.cache);
    invalidate_archive(&fixture.fs, &fixture.cache.release, archive_toc(archive));
    archive_unref(archive);
    assert_true(fuse_fake_wait_notices(ARRAY_SIZE(names)));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        test_row(i, "'%s'", names[i]);
        assert_int_equal(fuse_fake_notice(i).node_id, node_id);
        assert_string_equal(fuse_fake_notice(i).name, names[i]);
    }
    fs_fixture_close(&fixture);
}

/* The kernel may keep a notification waiting as long as it likes. */
static void nobody_waits_for_the_kernel(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fuse_fake_forget_notices();
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fuse_fake_block_notices(true);
    invalidate_content(&fixture.fs, 7);
    assert_true(fuse_fake_wait_blocked_notice());
    for (uint64_t i = 8; i < 100; i++)
        invalidate_content(&fixture.fs, i);
    fuse_fake_block_notices(false);
    assert_true(fuse_fake_wait_notices(93));
    for (size_t i = 0; i < 93; i++)
        assert_int_equal(fuse_fake_notice(i).node_id, i + 7);
    fs_fixture_close(&fixture);
}

static void who_waits_goes_on_when_the_kernel_has_heard_all(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fuse_fake_forget_notices();
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    assert_true(invalidate_wait(fixture.fs.invalidate, clock_now_ms()));
    fuse_fake_block_notices(true);
    for (uint64_t i = 1; i <= 3; i++)
        invalidate_content(&fixture.fs, i);
    assert_false(invalidate_wait(fixture.fs.invalidate, clock_now_ms()));
    assert_false(invalidate_wait(fixture.fs.invalidate, clock_now_ms() + 20));
    fuse_fake_block_notices(false);
    assert_true(invalidate_wait(fixture.fs.invalidate, clock_now_ms() + 60 * 1000));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fuse_fake_notice(i).node_id, i + 1); /* aborts where none is */
    fs_fixture_close(&fixture);
}

static void *wait_long(void *arg)
{
    struct fs_fixture *fixture = arg;

    return invalidate_wait(fixture->fs.invalidate, INT64_MAX) ? arg : NULL;
}

static void *close_fixture(void *arg)
{
    fs_fixture_close(arg);
    return NULL;
}

/* Though the kernel keeps a notification waiting, and what is behind it is never sent. */
static void who_waits_goes_on_when_the_mount_ends(void **state)
{
    struct fs_fixture fixture;
    pthread_t waiter, closer;
    void *heard = &fixture;

    (void)state;
    fuse_fake_forget_notices();
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fuse_fake_block_notices(true);
    invalidate_content(&fixture.fs, 1);
    invalidate_content(&fixture.fs, 2);
    assert_true(fuse_fake_wait_blocked_notice());
    assert_int_equal(thread_start(&waiter, "waiter", wait_long, &fixture), 0);
    assert_int_equal(thread_start(&closer, "closer", close_fixture, &fixture), 0);
    assert_int_equal(pthread_join(waiter, &heard), 0);
    fuse_fake_block_notices(false);
    assert_int_equal(pthread_join(closer, NULL), 0);
    assert_null(heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_archive_is_forgotten_name_by_name),
        cmocka_unit_test(nobody_waits_for_the_kernel),
        cmocka_unit_test(who_waits_goes_on_when_the_kernel_has_heard_all),
        cmocka_unit_test(who_waits_goes_on_when_the_mount_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
