/* Tests of job_record.c: what is printed is read again; what is not ours is refused. */
#include "publish/job_record.h"

#include "tests/test.h"

#include <errno.h>
#include <string.h>

static void assert_same(const struct job_record *a, const struct job_record *b)
{
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->is_attempted, b->is_attempted);
    assert_memory_equal(a->is_removed, b->is_removed, sizeof a->is_removed);
    assert_true(release_is_same(&a->release, &b->release));
    assert_string_equal(a->alias, b->alias);
    assert_string_equal(a->owner, b->owner);
    assert_string_equal(a->date, b->date);
    assert_int_equal(a->ended_s, b->ended_s);
    assert_string_equal(a->failure, b->failure);
    assert_int_equal(a->warning_count, b->warning_count);
    for (size_t i = 0; i < a->warning_count; i++)
        assert_string_equal(a->warnings[i], b->warnings[i]);
}

static void test_reads_what_it_printed(void **state)
{
    static const char *const sentences[] = {
        "",           "plain",   "with: colon",        "'quotes\"",
        "two\nlines", "- a # b", "Gr\303\266\303\237e"};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
        CLEANUP_WITH(job_record_done) struct job_record again = {.state = JOB_WAITING};
        CLEANUP_WITH(job_record_done)
        struct job_record record = {
            .state = JOB_FAILED,
            .is_attempted = true,
            .is_removed = {i % 2 == 0, i % 3 == 0},
            .release = { "3e120e8d",   "1.0.0",          3},
            .alias = "prod",
            .owner = "boot/1/2/3",
            .date = "2024-02-29",
            .ended_s = 1700000000
        };
        CLEANUP_BYTES struct bytes text;

        test_row(i, "%s", sentences[i]);
        bytes_init(&text, JOB_RECORD_BYTES_MAX);
        snprintf(record.failure, sizeof record.failure, "%s", sentences[i]);
        job_record_warn(&record, sentences[i]);
        job_record_warn(&record, "second");
        assert_int_equal(job_record_print(&record, &text, &err), 0);
        assert_int_equal(job_record_parse(text.data, text.size, &again, &err), 0);
        assert_same(&record, &again);
    }
}

static void test_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "[",
        "- a",
        "state: done",
        "state: [published]",
        "state: published",
        "state: finishing",
        "state: failed\nid: 3e120e8d",
        "state: failed\nversion: 1.0.0",
        "state: failed\nid: ../../../x\nversion: 1.0.0",
        "state: failed\nid: 3e120e8d\nversion: ../x",
        "state: failed\nid: 3e120e8d\nversion: 1.0.0\nrepository: 99999",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct job_record record;
        struct error err = {0};

        test_row(i, "%s", texts[i]);
        assert_int_equal(job_record_parse(texts[i], strlen(texts[i]), &record, &err),
                         -EINVAL);
    }
}

static void test_bends_what_makes_no_sense(void **state)
{
    static const char text[] =
        "state: failed\nattempted: true\ndate: '../../x'\nended: x\n"
        "alias: ../x\n"
        "owner: [a]\nerror: 3\nwarnings: {a: b}\nmore: x\n";
    struct job_record record;
    struct error err = {0};

    (void)state;
    assert_int_equal(job_record_parse(text, sizeof text - 1, &record, &err), 0);
    assert_false(record.is_attempted); /* of what? */
    assert_string_equal(record.date, "");
    assert_string_equal(record.alias, "");
    assert_string_equal(record.owner, "");
    assert_string_equal(record.failure, "");
    assert_int_equal(record.ended_s, 0);
    assert_int_equal(record.warning_count, 0);
}

static void test_describes(void **state)
{
    static const struct {
        enum job_state state;
        const char *text;
    } cases[] = {
        {JOB_WAITING,   "state: waiting\n"                       },
        {JOB_QUEUED,    "state: queued\n"                        },
        {JOB_FINISHING, "state: finishing\n"                     },
        {JOB_PUBLISHED, "state: published\nuid: 3e120e8d-1.0.0\n"},
        {JOB_FAILED,    "state: failed\nerror: 'no: luck'\n"     },
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct job_record record = {
            .state = cases[i].state,
            .release = {"3e120e8d", "1.0.0", 0},
            .failure = "no: luck"
        };
        CLEANUP_BYTES struct bytes text;

        test_row(i, "%s", cases[i].text);
        bytes_init(&text, 1000);
        assert_int_equal(job_record_describe(&record, &text, &err), 0);
        assert_string_equal(text.data, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_it_printed),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_bends_what_makes_no_sense),
        cmocka_unit_test(test_describes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
