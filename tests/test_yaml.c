/* test_yaml.c: YAML 1.1 to a tree; expected values are PyYAML's (tests/data). */
#include "tests/test.h"
#include "tests/yaml_cases.h"

#include "common/bytes.h"
#include "common/pyfloat.h"
#include "common/yaml.h"
#include "common/yaml_number.h"
#include "common/yaml_time.h"

#include <errno.h>

static struct error ignored;

static void add_quoted(struct bytes *to, char kind, const struct yaml_node *node)
{
    bytes_printf(to, &ignored, "%c'", kind);
    for (size_t i = 0; i < node->text.size; i++) {
        unsigned char c = (unsigned char)node->text.data[i];

        if (c == '\n' || c == '\\')
            bytes_printf(to, &ignored, "\\%c", c == '\n' ? 'n' : '\\');
        else if (c >= 32 && c < 127)
            bytes_printf(to, &ignored, "%c", c);
        else
            bytes_printf(to, &ignored, "\\x%02x", c);
    }
    bytes_printf(to, &ignored, "'");
}

static void add_scalar(struct bytes *to, const struct yaml_node *node)
{
    char text[64];

    switch (node->kind) {
    case YAML_NULL:
        bytes_printf(to, &ignored, "null");
        break;
    case YAML_BOOL:
        bytes_printf(to, &ignored, "%s", node->boolean ? "true" : "false");
        break;
    case YAML_INT:
        bytes_printf(to, &ignored, "i%s", node->text.data);
        break;
    case YAML_FLOAT:
        pyfloat_repr(node->number, text, sizeof text);
        bytes_printf(to, &ignored, "f%s", text);
        break;
    case YAML_DATE:
    case YAML_DATETIME:
        yaml_time_print(node->kind, &node->time, text);
        bytes_printf(to, &ignored, "%c%s", node->kind == YAML_DATE ? 'd' : 't', text);
        break;
    default:
        add_quoted(to, node->kind == YAML_BINARY ? 'b' : 's', node);
    }
}

/* The notation of tests/data/yaml_cases.gen.py. */
static void add_node(struct bytes *to, const struct yaml_node *node)
{
    if (node->kind == YAML_LIST || node->kind == YAML_TUPLE) {
        bytes_printf(to, &ignored, node->kind == YAML_LIST ? "[" : "(");
        for (size_t i = 0; i < node->list.count; i++) {
            add_node(to, node->list.items[i]);
            bytes_printf(to, &ignored, ",");
        }
        bytes_printf(to, &ignored, node->kind == YAML_LIST ? "]" : ")");
    } else if (node->kind == YAML_MAP || node->kind == YAML_SET) {
        bytes_printf(to, &ignored, node->kind == YAML_MAP ? "{" : "<");
        for (size_t i = 0; i < node->map.count; i++) {
            add_node(to, node->map.pairs[i].key);
            bytes_printf(to, &ignored, ":");
            add_node(to, node->map.pairs[i].value);
            bytes_printf(to, &ignored, ",");
        }
        bytes_printf(to, &ignored, node->kind == YAML_MAP ? "}" : ">");
    } else {
        add_scalar(to, node);
    }
}

static void values_are_pyyaml_s(void **state)
{
    static struct yaml_cases cases;

    (void)state;
    yaml_cases_open(&cases);
    while (yaml_cases_next(&cases)) {
        CLEANUP_YAML struct yaml *yaml = NULL;
        CLEANUP_BYTES struct bytes value;
        struct error err = {0};
        int rc = yaml_parse(cases.text, cases.text_size, &yaml, &err);

        bytes_init(&value, MIB);
        if (strcmp(cases.value, "refused") == 0) {
            assert_int_equal(rc, -EINVAL);
            assert_null(yaml);
            continue;
        }
        assert_string_equal(err.message, "");
        assert_int_equal(rc, 0);
        add_node(&value, yaml_root(yaml));
        assert_string_equal(value.data, cases.value);
    }
    yaml_cases_close(&cases);
}

static void what_is_wrong_has_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a: 1\nb: [1, 2",       "line 3, column 1: "                                    },
        {"a: 1\nb: *x\n",        "line 2, column 4: found undefined alias 'x'"           },
        {"a: &x [1, *x]\n",      "line 1, column 11: 'x' holds itself"                   },
        {"- &x 1\n- &x 2\n",     "line 2, column 3: found duplicate anchor 'x'"          },
        {"a:\n  - =\n",          "line 2, column 5: could not determine a constructor"   },
        {"a: 1\n[b]: 2\n",       "line 2, column 1: found unhashable key"                },
        {"a: 2024-02-30\n",      "line 1, column 4: there is no day '2024-02-30'"        },
        {"a: !!int x\n",         "line 1, column 4: 'x' is not a number"                 },
        {"a: 1\n<<: 5\n",        "line 2, column 5: only a mapping or a list of mappings"},
        {"a\n---\nb\n",          "line 2, column 1: found another document"              },
        {"a: 1\nb: \x01\n",      "line 2, column 4: "                                    },
        {"a:\n\tb: 1\n",         "line 2, column 1: found a tab as indentation"          },
        {"a:\n b: 1\n \tc: 2\n", "line 3, column 2: found a tab as indentation"          },
        {"a: {b: 1}\n\t",        "line 2, column 1: found a tab as indentation"          },
        {"a: {\n\t@: 1}\n",      "line 2, column 2: while scanning"                      },
        {"\xff\xfe\x61",         "line 1, column 1: "                                    },
        {"a: \xff\n",            "line 1, column 4: "                                    },
        {"!!map [1]",            "line 1, column 1: !!map cannot be made of a sequence"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct yaml *yaml = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].text);
        assert_int_equal(yaml_parse(cases[i].text, strlen(cases[i].text), &yaml, &err),
                         -EINVAL);
        assert_null(yaml);
        printf("        %s\n", err.message);
        assert_int_equal(strncmp(err.message, cases[i].message, strlen(cases[i].message)),
                         0);
    }
}

static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
    size_t part_size = strlen(part), at = strlen(head);
    char *text = malloc(at + count * part_size + strlen(tail) + 1);

    assert_non_null(text);
    memcpy(text, head, at);
    for (size_t i = 0; i < count; i++, at += part_size)
        memcpy(text + at, part, part_size);
    memcpy(text + at, tail, strlen(tail) + 1);
    return text;
}

static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                           "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                           "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                           "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                           "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                           "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";

static void limits_end_in_an_error(void **state)
{
    /* columns would be wider than a line */
    /* clang-format off */
    static const struct {
        const char *head, *part;
        size_t count;
        const char *tail;
        int rc;
    } cases[] = {
        {"", "[", 100, "", -EINVAL}, /* ends too early, but is not too deep */
        {"", "[", 101, "", -EFBIG},
        {"", "- ", 1000, "a", -EFBIG},
        {"", "{a: ", 500, "", -EFBIG},
        {"[", "a,", YAML_NODES_MAX - 1, "]", 0},
        {"[", "a,", YAML_NODES_MAX, "]", -EFBIG},
        {bomb, "", 1, "", -EFBIG},
        {"a: &a {b: c}\nx: [", "{<<: [*a,*a,*a,*a,*a,*a,*a,*a]},", 100000, "]", -EFBIG},
        {"", "1", YAML_INT_DIGITS_MAX, "", 0},
        {"", "1", YAML_INT_DIGITS_MAX + 1, "", -EFBIG},
        {"0x", "f", 3570, "", 0},
        {"0x", "f", 3573, "", -EFBIG},
        {"a: '", "\n%TAG !a! b", 100, "'", 0},
        {"a\n...", "\n%TAG !a! b", 101, "\n--- c", -EFBIG},
        {"%TAG !b! b", "\xe2\x80\xa8%TAG !a! b", 100, "\n--- c", -EFBIG},
        {"", "x", YAML_BYTES_MAX, "", 0},
        {"", "x", YAML_BYTES_MAX + 1, "", -EFBIG},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *text =
            repeat(cases[i].head, cases[i].part, cases[i].count, cases[i].tail);
        CLEANUP_YAML struct yaml *yaml = NULL;
        struct error err = {0};

        test_row(i, "%zu times '%.20s'", cases[i].count, cases[i].part);
        assert_int_equal(yaml_parse(text, strlen(text), &yaml, &err), cases[i].rc);
    }
}

/* An alias makes a tree deeper than its text is. */
static void aliases_count_for_the_depth(void **state)
{
    CLEANUP_BYTES struct bytes text;
    struct yaml *yaml = NULL;
    struct error err = {0};

    (void)state;
    bytes_init(&text, MIB);
    bytes_printf(&text, &err, "- &a0 [x]\n");
    for (int i = 1; i < 97; i++)
        bytes_printf(&text, &err, "- &a%d [*a%d]\n", i, i - 1);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    yaml_tree_free(yaml);
    bytes_printf(&text, &err, "- &a97 [*a96]\n- &a98 [*a97]\n");
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), -EFBIG);
}

static void many_equal_keys_are_quick(void **state)
{
    CLEANUP_BYTES struct bytes text;
    CLEANUP_YAML struct yaml *yaml = NULL;
    const struct yaml_node *root;
    struct error err = {0};

    (void)state;
    bytes_init(&text, 8 * MIB);
    for (int i = 0; i < 100000; i++)
        bytes_printf(&text, &err, "k%d: %d\n", i % 50000, i);
    assert_int_equal(yaml_parse(text.data, text.size, &yaml, &err), 0);
    root = yaml_root(yaml);
    assert_int_equal(root->map.count, 50000);
    assert_string_equal(root->map.pairs[0].value->text.data, "50000");
    assert_string_equal(yaml_get(root, "k49999")->text.data, "99999");
}

static void lookups_take_texts_alone(void **state)
{
    static const char text[] = "1: a\nb: \"x\\0y\"\nc: d\n";
    CLEANUP_YAML struct yaml *yaml = NULL;
    struct error err = {0};
    const struct yaml_node *root;

    (void)state;
    assert_int_equal(yaml_parse(text, strlen(text), &yaml, &err), 0);
    root = yaml_root(yaml);
    assert_null(yaml_get(root, "1"));
    assert_null(yaml_get(root, "d"));
    assert_null(yaml_text(yaml_get(root, "b")));
    assert_string_equal(yaml_text(yaml_get(root, "c")), "d");
    assert_null(yaml_get(yaml_get(root, "c"), "c"));
    assert_null(yaml_text(root));
    assert_int_equal(yaml_get(root, "c")->at.line, 3);
    assert_int_equal(yaml_get(root, "c")->at.column, 4);
}

static void unknown_tags_are_kept_as_names(void **state)
{
    static const char text[] = "a: !!python/name:os.system ''\nb: !x [1]\n";
    CLEANUP_YAML struct yaml *yaml = NULL;
    struct error err = {0};
    const struct yaml_node *node;

    (void)state;
    assert_int_equal(yaml_parse(text, strlen(text), &yaml, &err), 0);
    node = yaml_get(yaml_root(yaml), "a");
    assert_int_equal(node->kind, YAML_OTHER);
    assert_string_equal(node->text.data, "tag:yaml.org,2002:python/name:os.system");
    assert_string_equal(yaml_get(yaml_root(yaml), "b")->text.data, "!x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_pyyaml_s),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(limits_end_in_an_error),
        cmocka_unit_test(aliases_count_for_the_depth),
        cmocka_unit_test(many_equal_keys_are_quick),
        cmocka_unit_test(lookups_take_texts_alone),
        cmocka_unit_test(unknown_tags_are_kept_as_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
