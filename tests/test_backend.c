/* test_backend.c: the checks that all kinds share, over the backend in memory. */
#include "tests/test.h"

#include "backends/backend.h"
#include "common/memory.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int ignore_entry(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)arg;
    (void)entry;
    (void)err;
    return 0;
}

static int ignore_bytes(struct sink *sink, const void *data, size_t size,
                        struct error *err)
{
    (void)sink;
    (void)data;
    (void)size;
    (void)err;
    return 0;
}

static void paths_are_checked_by_every_call(void **state)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {"a",      0      },
        {"a/b.c",  0      },
        {"..a/b.", 0      },
        {"...",    0      },
        {"/",      -EINVAL},
        {"/a",     -EINVAL},
        {"a/",     -EINVAL},
        {"a//b",   -EINVAL},
        {".",      -EINVAL},
        {"..",     -EINVAL},
        {"a/.",    -EINVAL},
        {"a/../b", -EINVAL},
        {"../a",   -EINVAL},
    };
    struct backend *backend = memory_backend_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = cases[i].path;
        int absent = cases[i].rc ? cases[i].rc : -ENOENT;
        struct backend_content content = {.data = "x", .size = 1};
        char md5[BACKEND_CHECKSUM_MAX];
        struct backend_stat stat;
        struct object *object;
        struct bytes bytes;
        struct error err = {0};

        test_row(i, "%s", path);
        bytes_init(&bytes, 10);
        assert_int_equal(backend_stat(backend, path, &stat, &err), absent);
        assert_int_equal(backend_checksum(backend, path, md5, &err), absent);
        assert_int_equal(backend_list(backend, path, ignore_entry, NULL, &err), absent);
        assert_int_equal(backend_list_deep(backend, path, 1, ignore_entry, NULL, &err),
                         absent);
        assert_int_equal(backend_object_open(backend, path, &object, &err), absent);
        assert_int_equal(
            backend_object_open_tail(backend, path, 1, &bytes, &object, &err), absent);
        assert_int_equal(backend_get(backend, path, &bytes, &err), absent);
        assert_int_equal(backend_remove(backend, path, &err), absent);
        assert_int_equal(backend_put(backend, path, &content, 0, &err), cases[i].rc);
        if (cases[i].rc == 0)
            assert_int_equal(backend_remove(backend, path, &err), 0);
    }
    backend_close(backend);
}

static void path_that_is_too_long_and_the_empty_one(void **state)
{
    struct backend *backend = memory_backend_new();
    CLEANUP_FREE char *path = xcalloc(1, BACKEND_PATH_MAX + 1);
    struct backend_stat stat;
    struct error err = {0};

    (void)state;
    memset(path, 'a', BACKEND_PATH_MAX);
    assert_int_equal(backend_stat(backend, path, &stat, &err), -EINVAL);
    path[BACKEND_PATH_MAX - 1] = '\0';
    assert_int_equal(backend_stat(backend, path, &stat, &err), -ENOENT);
    assert_int_equal(backend_stat(backend, "", &stat, &err), -EINVAL);
    assert_int_equal(backend_list(backend, "", ignore_entry, NULL, &err), 0);
    backend_close(backend);
}

static void unknown_kind_is_refused(void **state)
{
    struct backend_options options = {.host = "/x", .repository = "y"};
    struct backend *backend = NULL;
    struct error err = {0};
    bool host_is_path = false;

    (void)state;
    assert_int_equal(backend_find_kind("ftp", &host_is_path, &err), -EINVAL);
    assert_int_equal(backend_find_kind("file-system", &host_is_path, &err), 0);
    assert_true(host_is_path);
    assert_int_equal(backend_find_kind("minio", &host_is_path, &err), 0);
    assert_false(host_is_path);
    assert_int_equal(backend_open("ftp", &options, &backend, &err), -EINVAL);
    assert_non_null(
        strstr(err.message, "unknown backend 'ftp'; known are: 'file-system' "));
    assert_null(backend);
    assert_int_equal(backend_open("file-system", &options, &backend, &err), 0);
    assert_string_equal(backend_kind(backend), "file-system");
    assert_string_equal(backend_location(backend), "/x/y");
    backend_close(backend);
    backend_close(NULL);
    object_close(NULL);
}

static void get_appends_whole_objects_up_to_the_limit(void **state)
{
    static const struct {
        size_t limit;
        int rc;
        const char *text;
    } cases[] = {
        {20, 0,      "before: content"},
        {15, 0,      "before: content"},
        {14, -EFBIG, "before: "       },
    };
    struct backend *backend = memory_backend_new();

    (void)state;
    memory_backend_set(backend, "a/b", "content");
    memory_backend_set(backend, "empty", "");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bytes bytes;
        struct error err = {0};

        test_row(i, "%zu", cases[i].limit);
        bytes_init(&bytes, cases[i].limit);
        assert_int_equal(bytes_append(&bytes, "before: ", 8, &err), 0);
        assert_int_equal(backend_get(backend, "empty", &bytes, &err), 0);
        assert_int_equal(backend_get(backend, "a/b", &bytes, &err), cases[i].rc);
        assert_string_equal(bytes.data, cases[i].text);
        bytes_done(&bytes);
    }
    backend_close(backend);
}

static void get_tries_again_when_the_object_was_replaced(void **state)
{
    struct backend *backend = fault_backend_new(memory_backend_new());
    struct backend_content content = {.data = "text", .size = 4};
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    (void)state;
    bytes_init(&bytes, 100);
    assert_int_equal(backend_put(backend, "a", &content, 0, &err), 0);
    fault_backend_fail(backend, FAULT_OBJECT_READ, "a", ESTALE, 2);
    assert_int_equal(backend_get(backend, "a", &bytes, &err), 0);
    assert_string_equal(bytes.data, "text");
    fault_backend_fail(backend, FAULT_OBJECT_READ, "a", ESTALE, FAULT_ALWAYS);
    assert_int_equal(backend_get(backend, "a", &bytes, &err), -ESTALE);
    fault_backend_clear(backend);
    fault_backend_truncate(backend, "a", 2);
    assert_int_equal(backend_get(backend, "a", &bytes, &err), -EIO);
    assert_string_equal(bytes.data, "text"); /* nothing of the failed reads is left */
    backend_close(backend);
}

static void check_takes_one_look(void **state)
{
    struct backend *memory = memory_backend_new();
    struct backend *counting = counting_backend_new(memory);
    struct backend *backend = fault_backend_new(counting);
    struct error err = {0};

    (void)state;
    assert_int_equal(backend_check(backend, &err), 0);
    memory_backend_set(memory, "a", "x");
    memory_backend_set(memory, "b", "x");
    assert_int_equal(backend_check(backend, &err), 0);
    assert_int_equal(err.code, 0);
    assert_int_equal(counting_backend_total(counting), 2);
    fault_backend_fail(backend, FAULT_LIST, NULL, EACCES, 1);
    assert_int_equal(backend_check(backend, &err), -EACCES);
    backend_close(backend);
}

/* The fake must keep the contract that the tests of others rely on. */
static void objects_in_memory_are_pinned(void **state)
{
    struct backend *backend = memory_backend_new();
    struct backend_content content = {.data = "new", .size = 3};
    struct sink sink = {.write = ignore_bytes};
    struct object *object = NULL;
    struct error err = {0};

    (void)state;
    memory_backend_set(backend, "a", "old");
    assert_int_equal(backend_object_open(backend, "a", &object, &err), 0);
    assert_int_equal(object_stat(object)->size, 3);
    assert_int_equal(object_fd(object), -1);
    assert_int_equal(object_read(object, (struct range){0, 2}, &sink, &err), 0);
    assert_int_equal(object_read(object, (struct range){1, 3}, &sink, &err), -EIO);
    assert_int_equal(backend_put(backend, "a", &content, BACKEND_PUT_IF_ABSENT, &err),
                     -EEXIST);
    assert_int_equal(object_check(object, &err), 0);
    assert_int_equal(backend_put(backend, "a", &content, 0, &err), 0);
    assert_int_equal(object_check(object, &err), -ESTALE);
    assert_int_equal(object_read(object, (struct range){0, 2}, &sink, &err), -ESTALE);
    object_close(object);
    backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_checked_by_every_call),
        cmocka_unit_test(path_that_is_too_long_and_the_empty_one),
        cmocka_unit_test(unknown_kind_is_refused),
        cmocka_unit_test(get_appends_whole_objects_up_to_the_limit),
        cmocka_unit_test(get_tries_again_when_the_object_was_replaced),
        cmocka_unit_test(check_takes_one_look),
        cmocka_unit_test(objects_in_memory_are_pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
