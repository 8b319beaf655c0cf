/* test_meta_edit.c: metadata merged and replaced; the expected texts are PyYAML's dump of
 * what Python's dict makes of it. */
#include "tests/test.h"

#include "common/memory.h"
#include "common/yaml.h"
#include "publish/meta_edit.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define META "_uid/3e120e8d/1.0.0/3e120e8d-1.0.0.meta.yaml"

enum {
    MANY = 100000,
    THREADS = 8,
};

static int apply(const char *before, const char *text, enum publish_meta how,
                 struct bytes *to, struct error *err)
{
    CLEANUP_BYTES struct bytes base;

    bytes_init(&base, YAML_BYTES_MAX);
    assert_int_equal(bytes_append(&base, before, strlen(before), err), 0);
    return meta_edit_apply(&base, text, strlen(text), how, to, err);
}

static void test_merges_as_python_does(void **state)
{
    static const struct {
        const char *before, *text, *after;
    } cases[] = {
        {"a: 1\n",                                                                             "b: 2\n",                       "a: 1\nb: 2\n"                     },
        {"a: {x: 1, y: 2}\nb: 3\n",                                                            "{b: 4, a: {y: 5, z: 6}}\n",
         "a:\n  x: 1\n  y: 5\n  z: 6\nb: 4\n"                                                                                                                     },
        {"a: {x: {y: {z: 1}}}\n",                                                              "a: {x: {y: {w: 2}}}\n",
         "a:\n  x:\n    y:\n      z: 1\n      w: 2\n"                                                                                                             },
        {"a: {x: 1}\n",                                                                        "a: [1]\n",                     "a:\n- 1\n"                        },
        {"a: [1, 2]\n",                                                                        "a: {x: 1}\n",                  "a:\n  x: 1\n"                     },
        {"a: 1\n",                                                                             "a: {x: 1}\n",                  "a:\n  x: 1\n"                     },
        {"a: {x: 1}\n",                                                                        "a: null\n",                    "a: null\n"                        },
        {"a: {x: 1}\n",                                                                        "a: {}\n",                      "a:\n  x: 1\n"                     },
        {"a: 1\n",                                                                             "{}\n",                         "a: 1\n"                           },
        {"null\n...\n",                                                                        "a: 1\n",                       "a: 1\n"                           },
        {"",                                                                                   "a: 1\n",                       "a: 1\n"                           },
        {"{}\n",                                                                               "null\n",                       "{}\n"                             },
        {"a: 1\n",                                                                             "",                             "a: 1\n"                           },
        {"1: one\n'1': text\n",                                                                "{1.0: changed, true: also}\n", "1: also\n'1': text\n"             },
        {"a: !!set {x: null}\n",                                                               "a: {y: 1}\n",                  "a:\n  y: 1\n"                     },
        {"a: !!python/tuple [1, 2]\nb: 2024-01-02\nc: !!binary AAE=\nd: 1.0\ne: '1.0'\n"
         "f: 1e5\ng: 2024-01-02 03:04:05+05:30\nh: .nan\ni: 0x10\nj: 1:30\nk: yes\n", "z: 1\n",
         "a: !!python/tuple\n- 1\n- 2\nb: 2024-01-02\nc: !!binary |\n  AAE=\nd: 1.0\n"
         "e: '1.0'\nf: 1e5\ng: 2024-01-02 03:04:05+05:30\nh: .nan\ni: 16\nj: 90\n"
         "k: true\nz: 1\n"                                                                                                                                        },
        {"a: &x {k: 1}\nb: *x\n",                                                              "a: {k: 2}\n",                  "a: &id001\n  k: 2\nb: *id001\n"   },
        {"a: 1\n",                                                                             "b: &x [1]\nc: *x\n",           "a: 1\nb: &id001\n- 1\nc: *id001\n"},
        {"b: 1\na: 2\n",                                                                       "{c: 3, a: 4}\n",               "b: 1\na: 4\nc: 3\n"               },
        {"a: \u00fc\n",                                                                        "b: \u4e2d\n",                  "a: \"\\xFC\"\nb: \"\\u4E2D\"\n"   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;
        struct error err = {0};

        test_row(i, "%s", cases[i].before);
        bytes_init(&to, YAML_BYTES_MAX);
        assert_int_equal(
            apply(cases[i].before, cases[i].text, PUBLISH_META_MERGE, &to, &err), 0);
        assert_string_equal(to.data, cases[i].after);
    }
}

static void test_replaces(void **state)
{
    static const struct {
        const char *text, *after;
    } cases[] = {
        {"b: 2 # why\n", "b: 2\n"},
        {"{}",           "{}\n"  },
        {"null",         "{}\n"  },
        {"",             "{}\n"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        bytes_init(&to, YAML_BYTES_MAX);
        assert_int_equal(
            apply("{ what was there", cases[i].text, PUBLISH_META_REPLACE, &to, &err), 0);
        assert_string_equal(to.data, cases[i].after);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *before, *text;
        int rc;
        const char *word;
    } cases[] = {
        {"a: 1\n", "[1]",           -EINVAL,  "mapping"      },
        {"a: 1\n", "text",          -EINVAL,  "mapping"      },
        {"a: 1\n", "{a: [}",        -EINVAL,  "line 1"       },
        {"a: 1\n", "a: 1\n---\nb:", -EINVAL,  "line"         },
        {"a: 1\n", "b: !!odd x\n",  -EINVAL,  "odd"          },
        {"a: [\n", "b: 1\n",        -EBADMSG, "that is there"},
        {"- a\n",  "b: 1\n",        -EBADMSG, "that is there"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes to;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        bytes_init(&to, YAML_BYTES_MAX);
        assert_int_equal(
            apply(cases[i].before, cases[i].text, PUBLISH_META_MERGE, &to, &err),
            cases[i].rc);
        if (!strstr(err.message, cases[i].word))
            fail_msg("'%s' is not in '%s'", cases[i].word, err.message);
    }
}

/* Keys are found in time that does not grow with the square of their number. */
static void test_merges_many_keys(void **state)
{
    CLEANUP_BYTES struct bytes before, text, to;
    struct error err = {0};

    (void)state;
    bytes_init(&before, YAML_BYTES_MAX);
    bytes_init(&text, YAML_BYTES_MAX);
    bytes_init(&to, YAML_BYTES_MAX);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(bytes_printf(&before, &err, "a%d: 1\n", i), 0);
        assert_int_equal(bytes_printf(&text, &err, "%c%d: 2\n", i % 2 ? 'a' : 'b', i), 0);
    }
    assert_int_equal(
        meta_edit_apply(&before, text.data, text.size, PUBLISH_META_MERGE, &to, &err), 0);
    assert_non_null(strstr(to.data, "a99998: 1\na99999: 2\nb0: 2\n"));
}

/* Each is small enough, but not what becomes of them. */
static void test_a_result_that_readers_refuse_is_refused(void **state)
{
    CLEANUP_BYTES struct bytes before, text, to;
    struct error err = {0};

    (void)state;
    bytes_init(&before, YAML_BYTES_MAX);
    bytes_init(&text, YAML_BYTES_MAX);
    bytes_init(&to, YAML_BYTES_MAX);
    for (struct bytes *side = &before;; side = &text) {
        assert_int_equal(bytes_printf(side, &err, "%c: [", side == &before ? 'a' : 'b'),
                         0);
        for (int i = 0; i < YAML_NODES_MAX / 3 * 2; i++)
            assert_int_equal(bytes_append(side, "1,", 2, &err), 0);
        assert_int_equal(bytes_append(side, "]\n", 2, &err), 0);
        if (side == &text)
            break;
    }
    assert_int_equal(
        meta_edit_apply(&before, text.data, text.size, PUBLISH_META_MERGE, &to, &err),
        -EFBIG);
}

static void assert_stored(struct repositories *fixture, const char *expected)
{
    CLEANUP_BYTES struct bytes found;
    struct error err = {0};

    bytes_init(&found, MIB);
    assert_int_equal(backend_get(fixture->memory[0], META, &found, &err), 0);
    assert_string_equal(found.data, expected);
}

static int set_up(void **state)
{
    struct repositories *fixture;

    if (repositories_set_up(state) < 0)
        return -1;
    fixture = *state;
    repositories_set_header(fixture->memory[0], "3e120e8d", "1.0.0");
    return 0;
}

static int set(struct repositories *fixture, const char *uid, const char *text,
               enum publish_meta how)
{
    struct error err = {0};

    return publish_set_meta(fixture->resolver, uid, text, strlen(text), how, &err);
}

static void test_writes_to_the_repository(void **state)
{
    struct repositories *fixture = *state;

    assert_int_equal(set(fixture, "3e120e8d", "a: 1", PUBLISH_META_MERGE), 0);
    assert_stored(fixture, "a: 1\n");
    assert_int_equal(set(fixture, "3e120e8d-1.0.0", "b: 2", PUBLISH_META_MERGE), 0);
    assert_stored(fixture, "a: 1\nb: 2\n");
    assert_int_equal(set(fixture, "3e120e8d", "c: 3", PUBLISH_META_REPLACE), 0);
    assert_stored(fixture, "c: 3\n");
    assert_int_equal(set(fixture, "nobody", "c: 3", PUBLISH_META_REPLACE), -ENOENT);
}

static void test_bad_text_leaves_the_repository_alone(void **state)
{
    struct repositories *fixture = *state;
    struct counting_calls calls;

    memory_backend_set(fixture->memory[0], META, "a: 1\n");
    assert_int_equal(set(fixture, "3e120e8d", "[1]", PUBLISH_META_REPLACE), -EINVAL);
    assert_int_equal(set(fixture, "3e120e8d", "{", PUBLISH_META_MERGE), -EINVAL);
    assert_stored(fixture, "a: 1\n");
    calls = counting_backend_calls(fixture->counting[0]);
    assert_int_equal(calls.put + calls.replace + calls.remove, 0);
}

static void test_stores_without_conditions_are_written_all_the_same(void **state)
{
    struct repositories *fixture = *state;

    memory_backend_set(fixture->memory[0], META, "a: 1\n");
    fault_backend_fail(fixture->fault[0], FAULT_REPLACE, NULL, ENOTSUP, FAULT_ALWAYS);
    assert_int_equal(set(fixture, "3e120e8d", "b: 2", PUBLISH_META_MERGE), 0);
    assert_stored(fixture, "a: 1\nb: 2\n");
}

struct merger {
    struct repositories *fixture;
    int number;
    int rc;
};

static void *merge_in_thread(void *arg)
{
    struct merger *merger = arg;
    CLEANUP_FREE char *text = xasprintf("k%d: 1", merger->number);

    merger->rc = set(merger->fixture, "3e120e8d", text, PUBLISH_META_MERGE);
    return NULL;
}

static void test_of_two_merges_none_is_lost(void **state)
{
    struct merger mergers[THREADS];
    pthread_t threads[THREADS];
    struct repositories *fixture = *state;
    CLEANUP_BYTES struct bytes found;
    struct error err = {0};

    bytes_init(&found, MIB);
    for (int i = 0; i < THREADS; i++) {
        mergers[i] = (struct merger){.fixture = fixture, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, merge_in_thread, &mergers[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(mergers[i].rc, 0);
    }
    assert_int_equal(backend_get(fixture->memory[0], META, &found, &err), 0);
    assert_int_equal(found.size, THREADS * strlen("k0: 1\n"));
}

#define TEST(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, set_up, repositories_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_as_python_does),
        cmocka_unit_test(test_replaces),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_merges_many_keys),
        cmocka_unit_test(test_a_result_that_readers_refuse_is_refused),
        TEST(test_writes_to_the_repository),
        TEST(test_bad_text_leaves_the_repository_alone),
        TEST(test_stores_without_conditions_are_written_all_the_same),
        TEST(test_of_two_merges_none_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
