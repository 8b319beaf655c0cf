/* test_passthrough.c: one backing file for each open inode, whoever opened it first. */
#include "tests/test.h"

#include "cache/evict.h"
#include "cache/registry.h"
#include "fs/passthrough.h"
#include "tests/fakes/cache_fixture.h"
#include "tests/fakes/fuse_fake.h"

#include <errno.h>
#include <sched.h>

enum { PASSTHROUGH = KERNEL_PASSTHROUGH, NODE = 7, OTHER = 8, FD = 1 };

static struct channel *open_channel(bool lacks_passthrough)
{
    return fuse_fake_channel(
        &(struct fuse_fake_kernel){PASSTHROUGH, false, lacks_passthrough},
        &(struct channel_options){0}, NULL);
}

static struct passthrough_wish wish_for(uint64_t node, uint64_t unique)
{
    return (struct passthrough_wish){.node_id = node, .unique = unique, .fd = FD};
}

static uint32_t open_node(struct passthrough *passthrough, uint64_t node, uint64_t unique,
                          uint64_t *ret_handle)
{
    struct passthrough_wish wish = wish_for(node, unique);
    struct error err = {0};
    uint32_t backing_id = 0;

    assert_int_equal(passthrough_open(passthrough, &wish, ret_handle, &backing_id, &err),
                     0);
    assert_true(*ret_handle & PASSTHROUGH_HANDLE);
    assert_true(backing_id != 0);
    return backing_id;
}

static void handles_of_a_node_share_its_file(void **state)
{
    struct channel *channel = open_channel(false);
    struct passthrough *passthrough = passthrough_new(channel, fuse_fake_handover());
    uint64_t first, second, other;
    uint32_t backing_id = open_node(passthrough, NODE, 2, &first);

    (void)state;
    assert_int_equal(open_node(passthrough, NODE, 4, &second), backing_id);
    assert_int_not_equal(open_node(passthrough, OTHER, 6, &other), backing_id);
    assert_true(first != second);
    assert_int_equal(fuse_fake_backings(), 2);
    passthrough_release(passthrough, first);
    passthrough_release(passthrough, first); /* repeated: not counted twice */
    assert_int_equal(fuse_fake_backings(), 2);
    passthrough_release(passthrough, second);
    assert_int_equal(fuse_fake_backings(), 1);
    passthrough_release(passthrough, other);
    assert_int_equal(fuse_fake_backings(), 0);
    passthrough_release(passthrough, PASSTHROUGH_HANDLE | UINT64_MAX);
    passthrough_free(passthrough);
    channel_close(channel);
}

static void the_next_worker_goes_on(void **state)
{
    struct channel *channel = open_channel(false);
    struct passthrough *passthrough = passthrough_new(channel, fuse_fake_handover());
    uint64_t handle, again, more;
    uint32_t backing_id = open_node(passthrough, NODE, 2, &handle);

    (void)state;
    passthrough_free(passthrough); /* as a kill would */
    passthrough = passthrough_new(channel, fuse_fake_handover());
    /* The request was answered or not: if it comes again it is the same handle. */
    assert_int_equal(open_node(passthrough, NODE, 2 | KERNEL_UNIQUE_RESEND, &again),
                     backing_id);
    assert_true(again == handle);
    assert_int_equal(open_node(passthrough, NODE, 4, &more), backing_id);
    passthrough_release(passthrough, handle);
    assert_int_equal(fuse_fake_backings(), 1);
    passthrough_release(passthrough, more);
    assert_int_equal(fuse_fake_backings(), 0);
    passthrough_free(passthrough);
    channel_close(channel);
}

static void without_passthrough(void **state)
{
    struct channel *channel = open_channel(true);
    struct passthrough *passthrough = passthrough_new(channel, fuse_fake_handover());
    struct passthrough_wish wish = wish_for(NODE, 2);
    struct error err = {0};
    uint64_t handle = 0;
    uint32_t backing_id = 0;

    (void)state;
    assert_int_equal(passthrough_open(passthrough, &wish, &handle, &backing_id, &err),
                     -ENOTSUP);
    passthrough_free(passthrough);
    passthrough_free(NULL);
    channel_close(channel);
}

static void many_handles(void **state)
{
    struct channel *channel = open_channel(false);
    struct passthrough *passthrough = passthrough_new(channel, fuse_fake_handover());
    struct passthrough_wish wish = wish_for(NODE, 1);
    struct error err = {0};
    uint64_t handle, first;
    uint32_t backing_id;

    (void)state;
    open_node(passthrough, NODE, 2, &first);
    for (uint64_t i = 1; i < HANDOVER_HANDLES; i++)
        open_node(passthrough, NODE, 2 + 2 * i, &handle);
    assert_int_equal(passthrough_open(passthrough, &wish, &handle, &backing_id, &err),
                     -ENFILE);
    passthrough_release(passthrough, first);
    open_node(passthrough, NODE, 1, &handle);
    assert_true(handle != first); /* the place is the same, the serial is not */
    passthrough_free(passthrough);
    channel_close(channel);
}

static const struct zip_file model[] = {
    {.name = "model.yaml", .data = "a: 1\n", .size = 5},
};

/* What another process, with the same cache folder, finds. */
static bool is_in_use(const struct fixture *fixture)
{
    struct cache_options options = {.root = fixture->root};
    struct cache *other;
    struct error err = {0};
    int rc;

    assert_int_equal(cache_open(&options, &other, &err), 0);
    rc = evict_release(other, FIXTURE_ID, FIXTURE_VERSION, &err);
    cache_close(other);
    return rc == -EAGAIN;
}

/* Until what was given back before is let go. */
static void let_go_idle(struct fixture *fixture)
{
    snprintf(fixture->release.version, sizeof fixture->release.version, "2.0.0");
    archive_unref(fixture_archive(fixture));
    while (registry_is_used(fixture->cache, FIXTURE_ID, "2.0.0"))
        sched_yield();
}

static void what_is_open_is_in_use(void **state)
{
    struct channel *channel = open_channel(false);
    struct passthrough *passthrough = passthrough_new(channel, fuse_fake_handover());
    struct passthrough_wish wish = wish_for(NODE, 2);
    struct fixture fixture;
    struct error err = {0};
    uint64_t first, second;
    uint32_t backing_id;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, model, ARRAY_SIZE(model));
    fixture_publish_as(&fixture, "2.0.0", model, ARRAY_SIZE(model));
    wish.archive = fixture_archive(&fixture);
    assert_int_equal(passthrough_open(passthrough, &wish, &first, &backing_id, &err), 0);
    wish.unique = 4;
    assert_int_equal(passthrough_open(passthrough, &wish, &second, &backing_id, &err), 0);
    archive_unref(wish.archive);
    passthrough_release(passthrough, first);
    let_go_idle(&fixture);
    assert_true(is_in_use(&fixture));
    passthrough_release(passthrough, second);
    let_go_idle(&fixture);
    assert_false(is_in_use(&fixture));
    passthrough_free(passthrough);
    channel_close(channel);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_of_a_node_share_its_file),
        cmocka_unit_test(the_next_worker_goes_on),
        cmocka_unit_test(without_passthrough),
        cmocka_unit_test(many_handles),
        cmocka_unit_test(what_is_open_is_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
