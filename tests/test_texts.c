/* test_texts.c: the documents of the golden models, byte for byte as audmodel's. */
#include "tests/test.h"

#include "common/files.h"
#include "publish/texts.h"

#include <fcntl.h>
#include <string.h>

static struct error err;

static void check_text(struct bytes *text, int rc, const char *expected)
{
    if (rc < 0)
        fail_msg("%s", err.message);
    assert_string_equal(text->data, expected);
    assert_int_equal(text->size, strlen(expected));
    bytes_done(text);
    bytes_init(text, YAML_BYTES_MAX);
}

static const char *field(const struct yaml_node *row, const char *key)
{
    return yaml_text(yaml_get(row, key));
}

static void check_row(const struct yaml_node *row)
{
    static const struct manifest_defaults defaults = {"nobody", "1999-12-31"};
    const struct yaml_node *given = yaml_get(row, "manifest");
    const struct yaml_node *list = yaml_get(row, "aliases");
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    const char *aliases[32];
    struct bytes text;

    assert_int_equal(
        manifest_parse(given->text.data, given->text.size, &defaults, &manifest, &err),
        0);
    bytes_init(&text, YAML_BYTES_MAX);
    check_text(&text, texts_header(manifest, &text, &err), field(row, "header_yaml"));
    check_text(&text, texts_meta(manifest, &text, &err), field(row, "meta_yaml"));
    assert_true(list->list.count <= ARRAY_SIZE(aliases));
    for (size_t i = 0; i < list->list.count; i++) /* from the last to the first */
        aliases[list->list.count - 1 - i] = yaml_text(list->list.items[i]);
    if (field(row, "aliases_yaml")) /* the model has had an alias */
        check_text(&text, texts_alias_list(aliases, list->list.count, &text, &err),
                   field(row, "aliases_yaml"));
}

static void golden_models(void **state)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    CLEANUP_BYTES struct bytes text;
    const struct yaml_node *rows;

    (void)state;
    bytes_init(&text, MIB);
    assert_int_equal(files_read(AT_FDCWD, "tests/data/manifests.yaml", &text, &err), 0);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    rows = yaml_root(yaml);
    assert_int_equal(rows->list.count, 78);
    for (size_t i = 0; i < rows->list.count; i++) {
        test_row(i, "%s", field(rows->list.items[i], "uid"));
        check_row(rows->list.items[i]);
    }
}

static void aliases(void **state)
{
    static const char *const twice[] = {"b", "1.0", "a", "b", "yes"};
    struct bytes text;

    (void)state;
    bytes_init(&text, YAML_BYTES_MAX);
    check_text(&text, texts_alias("3e120e8d-2.0.0", &text, &err),
               "uid: 3e120e8d-2.0.0\n");
    check_text(&text, texts_alias_list(NULL, 0, &text, &err), "aliases: []\n");
    check_text(&text, texts_alias_list(twice, ARRAY_SIZE(twice), &text, &err),
               "aliases:\n- '1.0'\n- a\n- b\n- 'yes'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_models),
        cmocka_unit_test(aliases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
