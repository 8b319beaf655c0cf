/* test_document.c: documents that several change at once. */
#include "tests/test.h"

#include "publish/document.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <string.h>

enum { BYTES_MAX = 16 };

struct store {
    struct backend *memory, *counting, *fault; /* each around the one before */
};

static void open_store(struct store *store, const char *text)
{
    store->memory = memory_backend_new();
    store->counting = counting_backend_new(store->memory);
    store->fault = fault_backend_new(store->counting);
    if (text)
        memory_backend_set(store->memory, "a.yaml", text);
}

static int append(void *arg, const struct bytes *before, struct bytes *to,
                  struct error *err)
{
    int rc = bytes_append(to, before->data, before->size, err);

    return rc < 0 ? rc : bytes_append(to, arg, strlen(arg), err);
}

static int leave(void *arg, const struct bytes *before, struct bytes *to,
                 struct error *err)
{
    (void)before;
    (void)err;
    assert_int_equal(append(arg, before, to, err), 0);
    return DOCUMENT_IS_RIGHT;
}

static int refuse(void *arg, const struct bytes *before, struct bytes *to,
                  struct error *err)
{
    (void)arg;
    (void)before;
    (void)to;
    return fail(err, EINVAL, "no");
}

static int edit(struct store *store, document_change *change, char *text,
                int64_t give_up_ms, struct error *err)
{
    return document_edit(&(struct document_edit){.backend = store->fault,
                                                 .path = "a.yaml",
                                                 .bytes_max = BYTES_MAX,
                                                 .change = change,
                                                 .arg = text,
                                                 .pause_ms = 1,
                                                 .give_up_ms = give_up_ms},
                         err);
}

static const struct {
    const char *before; /* NULL: there is none */
    document_change *change;
    const char *text;
    uint64_t refusals; /* another was quicker */
    int rc;
    const char *after;
    uint64_t writes;
} cases[] = {
    {NULL, append, "b",                0,  0,       "b",  1},
    {"a",  append, "b",                0,  0,       "ab", 1},
    {"a",  append, "",                 0,  0,       "a",  0},
    {"",   append, "",                 0,  0,       "",   0},
    {NULL, append, "",                 0,  0,       "",   1},
    {"a",  leave,  "b",                0,  0,       "a",  0},
    {NULL, leave,  "b",                0,  0,       NULL, 0},
    {"a",  refuse, "",                 0,  -EINVAL, "a",  0},
    {"a",  append, "0123456789abcdef", 0,  -EFBIG,  "a",  0},
    {NULL, append, "b",                1,  0,       "b",  1},
    {"a",  append, "b",                1,  0,       "ab", 1},
    {NULL, append, "b",                30, 0,       "b",  1},
    {"a",  append, "b",                30, 0,       "ab", 1},
};

static void documents_become_what_they_should_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct counting_calls calls;
        struct error err = {0};
        struct bytes found;
        struct store store;

        test_row(i, "%s and '%s', %d refusals", cases[i].before, cases[i].text,
                 (int)cases[i].refusals);
        open_store(&store, cases[i].before);
        fault_backend_fail(store.fault, FAULT_PUT | FAULT_REPLACE, NULL,
                           cases[i].before ? ESTALE : EEXIST, cases[i].refusals);
        assert_int_equal(edit(&store, cases[i].change, (char *)cases[i].text, 0, &err),
                         cases[i].rc);
        calls = counting_backend_calls(store.counting);
        assert_int_equal(calls.put + calls.replace, cases[i].writes);
        bytes_init(&found, BYTES_MAX);
        if (backend_get(store.memory, "a.yaml", &found, &err) < 0)
            assert_null(cases[i].after);
        else
            assert_string_equal(found.data, cases[i].after);
        bytes_done(&found);
        backend_close(store.fault);
    }
}

static void others_may_go_on_for_too_long(void **state)
{
    struct error err = {0};
    struct store store;
    char text[] = "b";

    (void)state;
    open_store(&store, "a");
    fault_backend_fail(store.fault, FAULT_REPLACE, NULL, ESTALE, FAULT_ALWAYS);
    assert_int_equal(edit(&store, append, text, 20, &err), -EBUSY);
    assert_non_null(strstr(err.message, "'a.yaml' was written by others"));
    assert_non_null(strstr(err.message, "on purpose"));
    fault_backend_fail(store.fault, FAULT_OBJECT_OPEN, NULL, ESTALE, FAULT_ALWAYS);
    assert_int_equal(edit(&store, append, text, 20, &err), -EBUSY);
    fault_backend_fail(store.fault, FAULT_OBJECT_OPEN, NULL, ESTALE, 30);
    assert_int_equal(edit(&store, append, text, 0, &err), 0);
    backend_close(store.fault);
}

static void what_fails_for_another_reason_is_not_tried_again(void **state)
{
    struct error err = {0};
    struct store store;
    char text[] = "b";

    (void)state;
    open_store(&store, "a");
    fault_backend_fail(store.fault, FAULT_REPLACE, NULL, EACCES, 1);
    assert_int_equal(edit(&store, append, text, 0, &err), -EACCES);
    fault_backend_fail(store.fault, FAULT_OBJECT_OPEN, NULL, ETIMEDOUT, 1);
    assert_int_equal(edit(&store, append, text, 0, &err), -ETIMEDOUT);
    assert_int_equal(edit(&store, append, text, 0, &err), 0);
    backend_close(store.fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_become_what_they_should_be),
        cmocka_unit_test(others_may_go_on_for_too_long),
        cmocka_unit_test(what_fails_for_another_reason_is_not_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
