/* Tests of draft_store.c: what was written is found again, what is foreign is not taken.
 */
#include "fs/draft_store.h"

#include "common/cleanup.h"
#include "common/yaml.h"
#include "tests/test.h"

#include "tests/folders.h"

#include <sys/file.h>
#include <unistd.h>

struct seen {
    unsigned count;
    uint64_t handle;
    struct draft_head head;
    char text[64];
    int fd;
};

static void see(void *arg, uint64_t handle, int fd, const struct draft_head *head,
                struct bytes *text)
{
    struct seen *seen = arg;

    seen->count++;
    seen->handle = handle;
    seen->head = *head;
    seen->fd = fd;
    snprintf(seen->text, sizeof seen->text, "%s", text->data);
}

static const struct draft_head head = {.is_merged = 1,
                                       .is_dirty = 1,
                                       .repository = 2,
                                       .node_id = 77,
                                       .owner = "me",
                                       .uid = "3e120e8d-1.0.0"};

static void test_found_again(void **state)
{
    const struct folder *folder = *state;
    struct error err = {0};
    CLEANUP_CLOSE int store_fd = draft_store_open(folder->path, &err);
    struct seen seen = {.count = 0};
    int fd = draft_store_create(store_fd, 0x1234, &head);

    assert_true(fd >= 0);
    assert_true(draft_store_put(fd, "a: 1\nb: 2\n", 10, 0));
    assert_true(draft_store_put(fd, "3", 1, 8));
    assert_true(draft_store_cut(fd, 9));
    draft_store_each(store_fd, see, &seen);
    assert_int_equal(seen.count, 0); /* somebody works on it */
    close(fd);
    draft_store_each(store_fd, see, &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.handle, 0x1234);
    assert_string_equal(seen.text, "a: 1\nb: 3");
    assert_string_equal(seen.head.uid, head.uid);
    assert_string_equal(seen.head.owner, "me");
    assert_int_equal(seen.head.node_id, 77);
    assert_true(seen.head.is_merged && seen.head.is_dirty && !seen.head.is_flushed);
    close(seen.fd);
    draft_store_remove(store_fd, 0x1234);
    draft_store_each(store_fd, see, &seen);
    assert_int_equal(seen.count, 1);
}

static void spoil(int store_fd, uint64_t handle, const void *data, size_t size,
                  off_t offset)
{
    CLEANUP_CLOSE int fd = draft_store_create(store_fd, handle, &head);

    assert_int_equal(pwrite(fd, data, size, offset), size);
}

static void test_what_makes_no_sense(void **state)
{
    const struct folder *folder = *state;
    struct error err = {0};
    CLEANUP_CLOSE int store_fd = draft_store_open(folder->path, &err);
    struct seen seen = {.count = 0};
    struct draft_head full = head;

    memset(full.owner, 'x', sizeof full.owner); /* without an end */
    memset(full.uid, 'y', sizeof full.uid);
    spoil(store_fd, 1, "other", 5, 0);
    spoil(store_fd, 2, &full, sizeof full, 0);
    spoil(store_fd, 3, "x", 1, 2048 + YAML_BYTES_MAX);
    folder_put(store_fd, "0000000000000004", "short", 5, 0600, 1);
    folder_put(store_fd, "0000000000000005/x", "x", 1, 0600, 1);
    assert_int_equal(symlinkat("/etc/passwd", store_fd, "0000000000000006"), 0);
    folder_put(store_fd, "foreign", "x", 1, 0600, 1);
    draft_store_each(store_fd, see, &seen);
    assert_int_equal(seen.count, 0);
    for (int i = 1; i <= 6; i++) {
        char name[32];

        snprintf(name, sizeof name, "%016x", (unsigned)i);
        test_row((size_t)i, "%s", name);
        assert_int_equal(faccessat(store_fd, name, F_OK, AT_SYMLINK_NOFOLLOW), -1);
    }
    assert_int_equal(faccessat(store_fd, "foreign", F_OK, 0), 0);
}

static void test_nothing_is_kept(void **state)
{
    (void)state;
    assert_int_equal(draft_store_create(-1, 1, &head), -1);
    assert_true(draft_store_set(-1, &head) && draft_store_put(-1, "x", 1, 0) &&
                draft_store_cut(-1, 0));
    draft_store_remove(-1, 1);
    draft_store_each(-1, see, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_again, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_what_makes_no_sense, folder_open,
                                        folder_close),
        cmocka_unit_test(test_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
