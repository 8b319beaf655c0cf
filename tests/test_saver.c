/* test_saver.c: documents beside the models, written behind the answer, but not many. */
#include "tests/test.h"

#include "cache/model_lock.h"
#include "cache/saver.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/modelfs-saver-XXXXXX";
static struct store store;
static struct saver *saver;

static int set_up(void **state)
{
    struct error err = {0};

    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_open(folder, &store, &err), 0);
    assert_int_equal(saver_open(&store, &saver, &err), 0);
    return 0;
}

static int tear_down(void **state)
{
    CLEANUP_FREE char *command = xasprintf("rm -rf '%s'", folder);

    (void)state;
    saver_close(saver);
    store_close(&store);
    return system(command);
}

static struct release version(const char *text)
{
    struct release release = {.id = "3e120e8d"};

    snprintf(release.version, sizeof release.version, "%s", text);
    return release;
}

static void write_later(const char *text, size_t size)
{
    const struct release release = version(text);
    CLEANUP_FREE char *data = xcalloc(1, size);

    saver_write_later(saver, &release, LAYOUT_HEADER,
                      &(struct bytes){.data = data, .size = size});
}

static bool has(const char *text)
{
    const struct release release = version(text);

    return saver_has(saver, &release, LAYOUT_HEADER);
}

static void what_was_written_is_read(void **state)
{
    const struct release release = version("1.0.0");
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    (void)state;
    bytes_init(&text, 100);
    assert_int_equal(saver_read(saver, &release, LAYOUT_META, &text, &err), -ENOENT);
    assert_int_equal(saver_write(saver, &release, LAYOUT_META, "a: 1\n", 5, &err), 0);
    assert_true(saver_has(saver, &release, LAYOUT_META));
    assert_false(saver_has(saver, &release, LAYOUT_HEADER));
    assert_int_equal(saver_read(saver, &release, LAYOUT_META, &text, &err), 0);
    assert_string_equal(text.data, "a: 1\n");
    text.limit = 7;
    assert_int_equal(saver_read(saver, &release, LAYOUT_META, &text, &err), -EFBIG);
}

/* Its thread waits for audmodel: what comes meanwhile lies in memory. */
static void only_so_much_waits(void **state)
{
    CLEANUP_FREE char *lock = layout_lock("3e120e8d", "1.0.0", LAYOUT_HEADER);
    struct error err = {0};
    int lock_fd;

    (void)state;
    assert_int_equal(
        files_make_folders_beneath(store.root_fd, "3e120e8d", store.folder_mode, &err),
        0);
    assert_int_equal(model_lock_acquire(store.root_fd, lock, 0, &lock_fd, &err), 0);
    write_later("1.0.0", 100);
    write_later("2.0.0", 3 << 20);
    write_later("3.0.0", 2 << 20);
    write_later("4.0.0", 1000);
    model_lock_release(lock_fd);
    saver_close(saver); /* writes all of it */
    assert_int_equal(saver_open(&store, &saver, &err), 0);
    assert_true(has("1.0.0"));
    assert_true(has("2.0.0"));
    assert_false(has("3.0.0"));
    assert_true(has("4.0.0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),
        TEST(only_so_much_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
