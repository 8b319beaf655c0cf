#include "tests/test.h"

#include "backends/json_reader.h"
#include "common/bytes.h"
#include "tests/unescape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1 << 14 };

/* What the reader told, in the notation of tests/data/json_cases.gen.py, unescaped. */
static int note(void *arg, const struct json_value *value, struct error *err)
{
    static const char *const kinds[] = {
        [JSON_NULL] = "null",     [JSON_FALSE] = "false",   [JSON_TRUE] = "true",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_END] = "end",
    };

    return bytes_printf(arg, err, "value %s|%s|%s\n", value->path, kinds[value->kind],
                        value->text);
}

/* In pieces of piece bytes. */
static int read_all(const char *text, size_t size, size_t piece, struct bytes *told,
                    struct error *err)
{
    CLEANUP_JSON_READER struct json_reader *reader = json_reader_new(note, told);

    bytes_cut(told, 0, 0);
    for (size_t at = 0; at < size; at += piece) {
        int rc = json_reader_feed(reader, text + at,
                                  size - at < piece ? size - at : piece, err);

        if (rc < 0)
            return rc;
    }
    return json_reader_end(reader, err);
}

struct case_text {
    char text[LINE_SIZE];
    size_t size;
    bool is_refused;
    struct bytes expected;
};

static void check_case(const struct case_text *this)
{
    struct bytes told;

    bytes_init(&told, 1 << 20);
    for (size_t piece = 1; piece <= this->size + 1; piece += this->size) {
        struct error err = {0};
        int rc = read_all(this->text, this->size, piece, &told, &err);

        assert_int_equal(rc, this->is_refused ? -EIO : 0);
        assert_int_equal(err.code, -rc);
        if (rc == 0)
            assert_string_equal(told.data, this->expected.data);
        if (this->size == 0)
            break;
    }
    bytes_done(&told);
}

static void test_reads_as_python(void **state)
{
    CLEANUP_FCLOSE FILE *file = fopen("tests/data/json_cases.txt", "re");
    static char line[LINE_SIZE];
    static struct case_text this;
    struct error err = {0};
    size_t row = 0;

    (void)state;
    assert_non_null(file);
    bytes_init(&this.expected, 1 << 20);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "text ", 5) == 0) {
            if (row > 0)
                check_case(&this);
            test_row(row++, "%.200s", line);
            this.size = unescape(line + 5);
            memcpy(this.text, line + 5, this.size);
            this.is_refused = false;
            bytes_cut(&this.expected, 0, 0);
        } else if (strcmp(line, "refused") == 0) {
            this.is_refused = true;
        } else {
            unescape(line);
            assert_int_equal(bytes_printf(&this.expected, &err, "%s\n", line), 0);
        }
    }
    check_case(&this);
    bytes_done(&this.expected);
    assert_true(row > 600);
}

static const struct {
    const char *begin;
    char middle;
    size_t count;
    const char *end;
    int rc;
} limits[] = {
    {"\"", 'a', JSON_TEXT_MAX,      "\"", 0   },
    {"\"", 'a', JSON_TEXT_MAX + 1,  "\"", -EIO},
    {"",   '1', JSON_TEXT_MAX + 1,  "",   -EIO},
    {"",   '[', JSON_DEPTH_MAX + 1, "",   -EIO},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        CLEANUP_BYTES struct bytes text;
        CLEANUP_BYTES struct bytes told;
        struct error err = {0};

        test_row(i, "%zu of '%c'", limits[i].count, limits[i].middle);
        bytes_init(&text, 1 << 20);
        bytes_init(&told, 1 << 20);
        assert_int_equal(bytes_printf(&text, &err, "%s", limits[i].begin), 0);
        for (size_t k = 0; k < limits[i].count; k++)
            assert_int_equal(bytes_append(&text, &limits[i].middle, 1, &err), 0);
        assert_int_equal(bytes_printf(&text, &err, "%s", limits[i].end), 0);
        assert_int_equal(read_all(text.data, text.size, 1000, &told, &err), limits[i].rc);
    }
}

static int stop(void *arg, const struct json_value *value, struct error *err)
{
    (void)value;
    ++*(int *)arg;
    return fail(err, ECANCELED, "enough");
}

static void test_stops_when_told(void **state)
{
    int count = 0;
    CLEANUP_JSON_READER struct json_reader *reader = json_reader_new(stop, &count);
    struct error err = {0};

    (void)state;
    assert_int_equal(json_reader_feed(reader, "[1,2,3]", 7, &err), -ECANCELED);
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_as_python),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_stops_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
