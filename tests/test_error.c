/* test_error.c: codes and sentences on the way up. */
#include "tests/test.h"

#include "common/error.h"

#include <errno.h>
#include <string.h>

static void a_failure_has_code_and_sentence(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(fail(&err, EINVAL, "'%s' is no %s", "x", "number"), -EINVAL);
    assert_int_equal(err.code, EINVAL);
    assert_string_equal(err.message, "'x' is no number");
}

static void errno_is_explained(void **state)
{
    struct error err = {0};

    (void)state;
    errno = ENOSPC;
    assert_int_equal(fail_errno(&err, "rename '%s'", "x"), -ENOSPC);
    assert_int_equal(err.code, ENOSPC);
    assert_string_equal(err.message, "rename 'x': No space left on device");
}

static void context_goes_in_front(void **state)
{
    struct error err = {0};
    int rc = fail(&err, EIO, "wrong CRC");

    (void)state;
    assert_int_equal(fail_context(&err, rc, "member '%s'", "a"), -EIO);
    assert_int_equal(fail_context(&err, -EAGAIN, "model %s", "m"), -EAGAIN);
    assert_int_equal(err.code, EAGAIN);
    assert_string_equal(err.message, "model m: member 'a': wrong CRC");
}

static void long_sentences_are_cut(void **state)
{
    char text[2 * ERROR_MESSAGE_MAX];
    struct error err = {0};

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    fail(&err, EIO, "%s", text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    errno = EIO;
    fail_errno(&err, "%s", text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    fail(&err, EIO, "end");
    fail_context(&err, -EIO, "%.*s", ERROR_MESSAGE_MAX - 4, text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    assert_string_equal(err.message + ERROR_MESSAGE_MAX - 4, ": e");
}

static void foreign_text_stays_on_its_line(void **state)
{
    struct error err = {0};

    (void)state;
    fail(&err, EIO, "'%s'", "a\nb\x1b[31m\x7f");
    assert_string_equal(err.message, "'a b [31m '");
    errno = EIO;
    fail_errno(&err, "'%s'", "a\r\n");
    assert_string_equal(err.message, "'a  ': Input/output error");
    fail_context(&err, -EIO, "'%s'", "\t\xc3\xa4");
    assert_string_equal(err.message, "' \xc3\xa4': 'a  ': Input/output error");
}

static void foreign_text_is_utf8(void **state)
{
    char text[ERROR_MESSAGE_MAX + 1];
    struct error err = {0};

    (void)state;
    fail(&err, EIO, "'%s'", "a\xff\xe9 \xc2\x9b 31m \xc3\xa4");
    assert_string_equal(err.message, "'a??    31m \xc3\xa4'");
    memset(text, 'x', sizeof text);
    memcpy(text + ERROR_MESSAGE_MAX - 3, "\xe2\x82\xac", 4);
    fail(&err, EIO, "%s", text);
    assert_string_equal(err.message + ERROR_MESSAGE_MAX - 3, "??");
    fail(&err, EIO, "%s", text + 3);
    fail_context(&err, -EIO, "b");
    assert_string_equal(err.message + ERROR_MESSAGE_MAX - 3, "??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_code_and_sentence),
        cmocka_unit_test(errno_is_explained),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(foreign_text_stays_on_its_line),
        cmocka_unit_test(foreign_text_is_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
