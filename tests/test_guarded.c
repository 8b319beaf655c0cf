#include "tests/test.h"

#include "common/bytes.h"
#include "publish/guarded.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <string.h>

static const struct {
    bool has_conditions;
    bool is_create;       /* else replace */
    const char *before;   /* NULL: there is nothing */
    const char *expected; /* tag; NULL: the one that is there */
    const char *text;     /* NULL: remove */
    int rc;
    const char *after;
} cases[] = {
    {true,  true,  NULL,  "",   "new", 0,       "new"},
    {true,  true,  "old", "",   "new", -EEXIST, "old"},
    {true,  false, "old", NULL, "new", 0,       "new"},
    {true,  false, "old", "x",  "new", -ESTALE, "old"},
    {true,  false, NULL,  "x",  "new", -ESTALE, NULL },
    {true,  false, "old", NULL, NULL,  0,       NULL },
    {false, true,  NULL,  "",   "new", 0,       "new"},
    {false, true,  "old", "",   "new", -EEXIST, "old"},
    {false, false, "old", NULL, "new", 0,       "new"},
    {false, false, "old", "x",  "new", -ESTALE, "old"},
    {false, false, NULL,  "x",  "new", -ESTALE, NULL },
    {false, false, "old", NULL, NULL,  0,       NULL },
    {false, false, "old", "x",  NULL,  -ESTALE, "old"},
};

static void check_after(struct backend *backend, const char *expected)
{
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};
    int rc;

    bytes_init(&text, 64);
    rc = backend_get(backend, "a/b", &text, &err);
    assert_int_equal(rc, expected ? 0 : -ENOENT);
    if (expected)
        assert_string_equal(text.data, expected);
}

static void test_with_and_without_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct backend *backend = memory_backend_new();
        struct backend_content content = {.data = cases[i].text};
        struct backend_stat stat = {.tag = ""};
        struct error err = {0};
        int rc;

        test_row(i, "%s to %s", cases[i].before ? cases[i].before : "nothing",
                 cases[i].text ? cases[i].text : "nothing");
        if (cases[i].before) {
            memory_backend_set(backend, "a/b", cases[i].before);
            assert_int_equal(backend_stat(backend, "a/b", &stat, &err), 0);
        }
        if (!cases[i].has_conditions)
            memory_backend_forget_conditions(backend);
        content.size = cases[i].text ? strlen(cases[i].text) : 0;
        rc =
            cases[i].is_create
                ? guarded_create(backend, "a/b", &content, &err)
                : guarded_replace(backend, "a/b", cases[i].text ? &content : NULL,
                                  cases[i].expected ? cases[i].expected : stat.tag, &err);
        assert_int_equal(rc, cases[i].rc);
        assert_int_equal(err.code, -rc);
        check_after(backend, cases[i].after);
        backend_close(backend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_and_without_conditions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
