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
        struct draft *draft = calloc(1, sizeof *draft);
        uint64_t changes;

        test_row(i, "%s", rows[i].what);
        assert_non_null(draft);
        bytes_init(&draft->text, YAML_BYTES_MAX);
        draft->fd = draft->store_fd = -1;
        draft->owner = (char[PROCESS_NAME_SIZE]){"me"};
        put(draft, "a: [");
        changes = draft->changes;
        if (rows[i].change)
            rows[i].change(draft, "a: 1");
        draft_judge(draft, changes, rows[i].was_refused);
        assert_int_equal(draft->is_refused, rows[i].is_refused);
        draft_free(draft);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_check_is_of_one_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
