/* test_yaml_print.c: a tree to the text that PyYAML's dump writes (tests/data). */
#include "tests/test.h"
#include "tests/yaml_cases.h"

#include "common/bytes.h"
#include "common/yaml.h"

#include <errno.h>

static void texts_are_pyyaml_s(void **state)
{
    static struct yaml_cases cases;

    (void)state;
    yaml_cases_open(&cases);
    while (yaml_cases_next(&cases)) {
        CLEANUP_YAML struct yaml *yaml = NULL;
        CLEANUP_BYTES struct bytes print;
        struct error err = {0};

        bytes_init(&print, MIB);
        if (strcmp(cases.value, "refused") == 0)
            continue;
        assert_int_equal(yaml_parse(cases.text, cases.text_size, &yaml, &err), 0);
        assert_int_equal(yaml_print(yaml_root(yaml), &print, &err), 0);
        assert_string_equal(print.data, cases.print);
    }
    yaml_cases_close(&cases);
}

static void what_cannot_be_printed_is_refused(void **state)
{
    static const struct yaml_node broken = {
        .kind = YAML_TEXT, .text = {.data = "a\xff", .size = 2}
    };
    static const char text[] = "a: 1\nb: !x 1\n";
    CLEANUP_YAML struct yaml *yaml = NULL;
    CLEANUP_BYTES struct bytes print;
    struct error err = {0};

    (void)state;
    bytes_init(&print, MIB);
    assert_int_equal(yaml_parse(text, strlen(text), &yaml, &err), 0);
    assert_int_equal(yaml_print(yaml_root(yaml), &print, &err), -EINVAL);
    assert_string_equal(err.message,
                        "line 2, column 4: cannot print a value of the tag '!x'");
    assert_int_equal(yaml_print(&broken, &print, &err), -EINVAL);
    assert_string_equal(err.message, "a text that is not UTF-8");
}

static void limits_end_in_an_error(void **state)
{
    struct yaml_node nodes[YAML_DEPTH_MAX + 1];
    const struct yaml_node *items[YAML_DEPTH_MAX + 1];
    CLEANUP_BYTES struct bytes small, large;
    struct error err = {0};

    (void)state;
    bytes_init(&small, 10);
    bytes_init(&large, MIB);
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        items[i] = i + 1 < ARRAY_SIZE(nodes) ? &nodes[i + 1] : NULL;
        nodes[i] = (struct yaml_node){
            .kind = YAML_LIST, .list = {.items = &items[i], .count = 1}
        };
    }
    nodes[YAML_DEPTH_MAX].list.count = 0;
    assert_int_equal(yaml_print(&nodes[0], &large, &err), -EFBIG);
    assert_int_equal(yaml_print(&nodes[1], &large, &err), 0);
    assert_int_equal(yaml_print(&nodes[90], &small, &err), -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_pyyaml_s),
        cmocka_unit_test(what_cannot_be_printed_is_refused),
        cmocka_unit_test(limits_end_in_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
