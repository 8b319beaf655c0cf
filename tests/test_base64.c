/* test_base64.c: the vectors of RFC 4648, and what Python's base64 makes of odd text. */
#include "tests/test.h"

#include "common/base64.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *data;
    const char *text;
} vectors[] = {
    {"",       ""        },
    {"f",      "Zg=="    },
    {"fo",     "Zm8="    },
    {"foo",    "Zm9v"    },
    {"foob",   "Zm9vYg=="},
    {"fooba",  "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void one_line_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        CLEANUP_BYTES struct bytes text, data;
        struct error err = {0};

        test_row(i, "'%s'", vectors[i].data);
        bytes_init(&text, 64);
        bytes_init(&data, 64);
        assert_int_equal(base64_encode(vectors[i].data, strlen(vectors[i].data),
                                       BASE64_ONE_LINE, &text, &err),
                         0);
        assert_string_equal(text.data, vectors[i].text);
        assert_int_equal(base64_decode(text.data, text.size, &data, &err), 0);
        assert_string_equal(data.data, vectors[i].data);
    }
}

/* base64.encodebytes(bytes(range(n))) has these lines. */
static void lines_are_pythons(void **state)
{
    static const struct {
        size_t size;
        size_t text_size;
        const char *end;
    } rows[] = {
        {56,  77,  "MzQ1Njc=\n"},
        {57,  77,  "MzQ1Njc4\n"},
        {58,  82,  "4\nOQ==\n" },
        {114, 154, "bG1ub3Bx\n"},
        {115, 159, "x\ncg==\n" },
    };
    char data[128];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)i;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP_BYTES struct bytes text;
        struct error err = {0};

        test_row(i, "%zu bytes", rows[i].size);
        bytes_init(&text, 256);
        assert_int_equal(base64_encode(data, rows[i].size, BASE64_MIME_LINE, &text, &err),
                         0);
        assert_int_equal(text.size, rows[i].text_size);
        assert_string_equal(text.data + text.size - strlen(rows[i].end), rows[i].end);
    }
}

/* base64.b64decode of the same texts. */
static void odd_text(void **state)
{
    static const struct {
        const char *text;
        int rc;
        const char *data;
    } rows[] = {
        {"Zm9v\nYmFy\n", 0,       "foobar"},
        {" Z-m9_v!",     0,       "foo"   },
        {"Zg==Zm9v",     0,       "f"     },
        {"====",         0,       ""      },
        {"Zg",           -EINVAL, NULL    },
        {"Zg=",          -EINVAL, NULL    },
        {"Z",            -EINVAL, NULL    },
        {"Zm9v\303\244", -EINVAL, NULL    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP_BYTES struct bytes data;
        struct error err = {0};

        test_row(i, "'%s'", rows[i].text);
        bytes_init(&data, 64);
        assert_int_equal(base64_decode(rows[i].text, strlen(rows[i].text), &data, &err),
                         rows[i].rc);
        if (rows[i].data)
            assert_string_equal(data.data, rows[i].data);
    }
}

static void a_limit_holds(void **state)
{
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    (void)state;
    bytes_init(&text, 7);
    assert_int_equal(base64_encode("foobar", 6, BASE64_ONE_LINE, &text, &err), -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_there_and_back),
        cmocka_unit_test(lines_are_pythons),
        cmocka_unit_test(odd_text),
        cmocka_unit_test(a_limit_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
