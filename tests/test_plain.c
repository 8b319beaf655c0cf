/* test_plain.c: fewer requests asked for, the same answers; over the backend in memory.
 */
#include "tests/test.h"

#include "backends/plain.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <string.h>

static int append_path(void *arg, const struct backend_entry *entry, struct error *err)
{
    assert_false(entry->is_folder);
    return bytes_printf(arg, err, "%s ", entry->name);
}

static void fill(struct backend *backend)
{
    memory_backend_set(backend, "top", "1");
    memory_backend_set(backend, "a/one", "1");
    memory_backend_set(backend, "a/b/two", "22");
    memory_backend_set(backend, "a/b/c/three", "333");
    memory_backend_set(backend, "a/d/four", "4444");
    memory_backend_set(backend, "ab/five", "55555");
}

static void objects_are_listed_as_deep_as_asked(void **state)
{
    static const struct {
        const char *folder;
        unsigned depth;
        int rc;
        const char *paths;
    } cases[] = {
        {"a",   0, 0,       "one "                               },
        {"a",   1, 0,       "one b/two d/four "                  },
        {"a",   2, 0,       "one b/two b/c/three d/four "        },
        {"a",   8, 0,       "one b/two b/c/three d/four "        },
        {"a/b", 1, 0,       "two c/three "                       },
        {"",    1, 0,       "top a/one ab/five "                 },
        {"",    2, 0,       "top a/one a/b/two a/d/four ab/five "},
        {"c",   1, -ENOENT, ""                                   },
    };
    struct backend *backend = memory_backend_new();

    (void)state;
    fill(backend);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes paths;
        struct error err = {0};

        test_row(i, "'%s' %u", cases[i].folder, cases[i].depth);
        bytes_init(&paths, 1000);
        assert_int_equal(backend_list_deep(backend, cases[i].folder, cases[i].depth,
                                           append_path, &paths, &err),
                         cases[i].rc);
        assert_string_equal(paths.data ? paths.data : "", cases[i].paths);
    }
    backend_close(backend);
}

static void a_folder_that_goes_meanwhile_is_left_out_and_failures_are_not(void **state)
{
    static const struct {
        const char *path;
        int code, rc;
        const char *paths;
    } cases[] = {
        {"a/b", ENOENT,    0,          "one d/four "},
        {"a/b", ETIMEDOUT, -ETIMEDOUT, "one "       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct backend *memory = memory_backend_new();
        struct backend *backend = fault_backend_new(memory);
        CLEANUP_BYTES struct bytes paths;
        struct error err = {0};

        test_row(i, "%d", cases[i].code);
        fill(memory);
        fault_backend_fail(backend, FAULT_LIST, cases[i].path, cases[i].code, 1);
        bytes_init(&paths, 1000);
        assert_int_equal(plain_list_deep(backend, "a", 1, append_path, &paths, &err),
                         cases[i].rc);
        assert_string_equal(paths.data, cases[i].paths);
        backend_close(backend);
    }
}

static int refuse(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)arg;
    return strcmp(entry->name, "b/two") == 0 ? fail(err, ENOENT, "no more") : 0;
}

static void what_ends_the_listing_is_passed_on(void **state)
{
    struct backend *backend = memory_backend_new();
    struct error err = {0};

    (void)state;
    fill(backend);
    assert_int_equal(backend_list_deep(backend, "a", 1, refuse, NULL, &err), -ENOENT);
    assert_string_equal(err.message, "no more");
    backend_close(backend);
}

static void an_object_comes_with_its_end(void **state)
{
    static const struct {
        const char *content;
        size_t tail_size;
        const char *tail;
    } cases[] = {
        {"0123456789", 3,  "before: 789"       },
        {"0123456789", 10, "before: 0123456789"},
        {"0123456789", 50, "before: 0123456789"},
        {"0",          1,  "before: 0"         },
        {"",           5,  "before: "          },
    };
    struct backend *backend = memory_backend_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_OBJECT struct object *object = NULL;
        CLEANUP_BYTES struct bytes tail;
        struct error err = {0};

        test_row(i, "%zu of '%s'", cases[i].tail_size, cases[i].content);
        memory_backend_set(backend, "a", cases[i].content);
        bytes_init(&tail, 1000);
        assert_int_equal(bytes_append(&tail, "before: ", 8, &err), 0);
        assert_int_equal(backend_object_open_tail(backend, "a", cases[i].tail_size, &tail,
                                                  &object, &err),
                         0);
        assert_string_equal(tail.data, cases[i].tail);
        assert_int_equal(object_stat(object)->size, strlen(cases[i].content));
        memory_backend_set(backend, "a", "another");
        assert_int_equal(object_check(object, &err), -ESTALE);
    }
    backend_close(backend);
}

static void a_failed_tail_leaves_nothing(void **state)
{
    struct backend *memory = memory_backend_new();
    struct backend *backend = fault_backend_new(memory);
    struct object *object = NULL;
    CLEANUP_BYTES struct bytes tail;
    struct error err = {0};

    (void)state;
    memory_backend_set(memory, "a", "0123456789");
    bytes_init(&tail, 1000);
    assert_int_equal(bytes_append(&tail, "x", 1, &err), 0);
    fault_backend_truncate(backend, "a", 2);
    assert_int_equal(backend_object_open_tail(backend, "a", 5, &tail, &object, &err),
                     -EIO);
    assert_null(object);
    assert_string_equal(tail.data, "x");
    backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_listed_as_deep_as_asked),
        cmocka_unit_test(a_folder_that_goes_meanwhile_is_left_out_and_failures_are_not),
        cmocka_unit_test(what_ends_the_listing_is_passed_on),
        cmocka_unit_test(an_object_comes_with_its_end),
        cmocka_unit_test(a_failed_tail_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
