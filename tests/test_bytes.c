/* test_bytes.c: the growing buffer and the cursor. */
#include "tests/test.h"

#include "common/bytes.h"

#include <errno.h>
#include <string.h>

static void grows_up_to_its_limit(void **state)
{
    static const size_t limits[] = {0, 1, 63, 64, 65, 4096};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        CLEANUP_BYTES struct bytes bytes;

        test_row(i, "limit %zu", limits[i]);
        bytes_init(&bytes, limits[i]);
        assert_string_equal(bytes.data, "");
        for (size_t size = 0; size < limits[i]; size++) {
            assert_int_equal(bytes_append(&bytes, "x", 1, &err), 0);
            assert_int_equal(bytes.size, size + 1);
            assert_int_equal(bytes.data[bytes.size], '\0');
        }
        assert_int_equal(bytes_append(&bytes, "y", 1, &err), -EFBIG);
        assert_int_equal(bytes.size, limits[i]);
        assert_int_equal(strlen(bytes.data), limits[i]);
        assert_null(strchr(bytes.data, 'y'));
        assert_int_equal(bytes_append(&bytes, NULL, 0, &err), 0);
    }
}

static void a_size_that_wraps_is_refused(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    (void)state;
    bytes_init(&bytes, 100);
    assert_int_equal(bytes_append(&bytes, "abc", 3, &err), 0);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX, &err), -EFBIG);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX - 2, &err), -EFBIG);
    assert_string_equal(bytes.data, "abc");
}

static void formats(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    (void)state;
    bytes_init(&bytes, 10);
    assert_int_equal(bytes_printf(&bytes, &err, "%d-%s", 7, "abc"), 0);
    assert_int_equal(bytes_printf(&bytes, &err, "%s", ""), 0);
    assert_string_equal(bytes.data, "7-abc");
    assert_int_equal(bytes_printf(&bytes, &err, "%d", 123456), -EFBIG);
    assert_string_equal(bytes.data, "7-abc");
    assert_int_equal(bytes_printf(&bytes, &err, "%d", 12345), 0);
    assert_string_equal(bytes.data, "7-abc12345");
}

static void quoted_texts_stay_on_their_line(void **state)
{
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"",                   "\"\""                        },
        {"a: b # c",           "\"a: b # c\""                },
        {"say \"x\" \\ twice", "\"say \\\"x\\\" \\\\ twice\""},
        {"one\ntwo\t\x7f",     "\"one\\x0atwo\\x09\\x7f\""   },
        {"\u00e4",             "\"\u00e4\""                  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes bytes;
        struct error err = {0};

        test_row(i, "%s", cases[i].quoted);
        bytes_init(&bytes, 100);
        assert_int_equal(bytes_append_quoted(&bytes, cases[i].text, &err), 0);
        assert_string_equal(bytes.data, cases[i].quoted);
    }
}

static void reserved_room_can_be_written(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    (void)state;
    bytes_init(&bytes, 1000);
    assert_int_equal(bytes_reserve(&bytes, 1000, &err), 0);
    memset(bytes.data, 'a', 1000);
    bytes.size = 1000;
    bytes.data[bytes.size] = '\0'; /* the NUL has its place, too */
    assert_int_equal(bytes_reserve(&bytes, 1, &err), -EFBIG);
}

static void detached_content_is_the_callers(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    CLEANUP_FREE char *empty = NULL;
    CLEANUP_FREE char *text = NULL;
    struct error err = {0};

    (void)state;
    bytes_init(&bytes, 10);
    empty = bytes_detach(&bytes);
    assert_string_equal(empty, "");
    assert_int_equal(bytes_append(&bytes, "text", 4, &err), 0);
    text = bytes_detach(&bytes);
    assert_string_equal(text, "text");
    assert_int_equal(bytes.size, 0);
    assert_int_equal(bytes_append(&bytes, "0123456789", 10, &err), 0);
    assert_string_equal(bytes.data, "0123456789");
}

static void cursor_reads_little_endian(void **state)
{
    static const unsigned char data[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                         0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0xff, 'a'};
    struct cursor cursor;

    (void)state;
    cursor_init(&cursor, data, sizeof data);
    assert_int_equal(cursor_u16(&cursor), 0x0201);
    assert_int_equal(cursor_u32(&cursor), 0x06050403);
    assert_true(cursor_u64(&cursor) == 0x0e0d0c0b0a090807);
    assert_int_equal(cursor_u8(&cursor), 0xff);
    assert_int_equal(cursor_left(&cursor), 1);
    assert_memory_equal(cursor_bytes(&cursor, 1), "a", 1);
    assert_int_equal(cursor_left(&cursor), 0);
    assert_true(cursor.ok);
    assert_non_null(cursor_bytes(&cursor, 0));
    assert_true(cursor.ok);
}

static void past_the_end_ok_is_false_for_good(void **state)
{
    struct cursor cursor;

    (void)state;
    cursor_init(&cursor, "abc", 3);
    assert_int_equal(cursor_u32(&cursor), 0);
    assert_false(cursor.ok);
    assert_int_equal(cursor_left(&cursor), 0);
    assert_int_equal(cursor_u8(&cursor), 0); /* though there are bytes */
    assert_null(cursor_bytes(&cursor, 0));
    cursor_init(&cursor, "abc", 3);
    assert_null(cursor_bytes(&cursor, SIZE_MAX));
    assert_false(cursor.ok);
}

static void a_cut_ends_with_a_nul(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    (void)state;
    bytes_init(&bytes, 64);
    bytes_cut(&bytes, 0, 0);
    assert_string_equal(bytes.data, "");
    assert_int_equal(bytes_append(&bytes, "abcdef", 6, &err), 0);
    bytes_cut(&bytes, 1, 3);
    assert_string_equal(bytes.data, "bcd");
    bytes_cut(&bytes, 0, 0);
    assert_string_equal(bytes.data, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_ends_with_a_nul),
        cmocka_unit_test(grows_up_to_its_limit),
        cmocka_unit_test(a_size_that_wraps_is_refused),
        cmocka_unit_test(formats),
        cmocka_unit_test(quoted_texts_stay_on_their_line),
        cmocka_unit_test(reserved_room_can_be_written),
        cmocka_unit_test(detached_content_is_the_callers),
        cmocka_unit_test(cursor_reads_little_endian),
        cmocka_unit_test(past_the_end_ok_is_false_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
