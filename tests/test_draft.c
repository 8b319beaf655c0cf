/* Tests of draft.c: what a check says of the text that it saw, and of no other. */
#include "fs/draft.h"

#include "common/yaml.h"
#include "tests/test.h"

static void put(struct draft *draft, const char *text)
{
    struct error err = {0};

    assert_int_equal(
        draft_put(draft, &(struct draft_write){.data = text, .size = strlen(text)}, &err),
        0);
}

static struct draft *begin(const char *text)
{
    static const char owner[PROCESS_NAME_SIZE] = "me";
    struct draft *draft = calloc(1, sizeof *draft);

    assert_non_null(draft);
    bytes_init(&draft->text, YAML_BYTES_MAX);
    draft->fd = draft->store_fd = -1;
    draft->owner = owner;
    put(draft, text);
    return draft;
}

static void cut(struct draft *draft, const char *unused)
{
    struct error err = {0};

    (void)unused;
    assert_int_equal(draft_cut(draft, 0, &err), 0);
}

static void test_a_check_is_of_one_text(void **state)
{
    static const struct {
        const char *what;
        void (*change)(struct draft *draft, const char *text);
        bool was_refused, is_refused; /* the check; the draft after it */
    } rows[] = {
        {"good, as it was",      NULL, false, false},
        {"bad, as it was",       NULL, true,  true },
        {"bad, written since",   put,  true,  false},
        {"bad, truncated since", cut,  true,  false},
        {"good, written since",  put,  false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct draft *draft = begin("a: [");
        uint64_t changes;

        test_row(i, "%s", rows[i].what);
        changes = draft->changes;
        if (rows[i].change)
            rows[i].change(draft, "a: 1");
        draft_judge(draft, changes, rows[i].was_refused);
        assert_int_equal(draft->is_refused, rows[i].is_refused);
        draft_free(draft);
    }
}

/* The repository has the text; what is cut off since has to be sent as well. */
static void test_a_cut_is_a_change(void **state)
{
    static const struct {
        uint64_t size;
        bool is_dirty;
    } rows[] = {
        {10, false},
        {5,  true },
        {0,  true },
        {12, true },
    };
    static const char text[] = "a: 1\nb: 2\n\0";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct draft *draft = begin("a: 1\nb: 2\n");
        struct error err = {0};

        test_row(i, "to %d bytes", (int)rows[i].size);
        draft->is_dirty = false;
        draft->is_refused = draft->is_flushed = true;
        assert_int_equal(draft_cut(draft, rows[i].size, &err), 0);
        assert_int_equal(draft->is_dirty, rows[i].is_dirty);
        assert_int_equal(draft->is_refused, !rows[i].is_dirty);
        assert_int_equal(draft->is_flushed, !rows[i].is_dirty);
        assert_int_equal(draft->text.size, rows[i].size);
        assert_memory_equal(draft->text.data, text, rows[i].size);
        draft_free(draft);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_check_is_of_one_text),
        cmocka_unit_test(test_a_cut_is_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
