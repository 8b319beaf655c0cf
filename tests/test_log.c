/* test_log.c: lines on stderr, caught in a file. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char caught[8192];

/* Run what logs with stderr led into a file; caught holds what was written. */
static void catch_lines(void (*log_it)(int fd))
{
    CLEANUP_CLOSE int before = dup(STDERR_FILENO);
    CLEANUP_CLOSE int file = memfd_create("stderr", MFD_CLOEXEC);
    ssize_t size;

    assert_true(before >= 0 && file >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    log_it(file);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    size = pread(file, caught, sizeof caught - 1, 0);
    assert_true(size >= 0);
    caught[size] = '\0';
}

static void say_each_level(int fd)
{
    (void)fd;
    log_error("one %d", 1);
    log_warning("two");
    log_info("three");
    log_debug("four");
}

static int count(const char *what)
{
    int found = 0;

    for (const char *at = caught; (at = strstr(at, what)); at++)
        found++;
    return found;
}

static void levels_choose_the_lines(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_WARNING);
    catch_lines(say_each_level);
    assert_int_equal(count("\n"), 2);
    assert_int_equal(count("Z error: one 1\n"), 1);
    assert_int_equal(count("Z warning: two\n"), 1);
    log_set_level(LOG_LEVEL_DEBUG);
    catch_lines(say_each_level);
    assert_int_equal(count("\n"), 4);
    log_set_level(LOG_LEVEL_INFO);
}

static void commands_say_their_name_instead_of_the_time(void **state)
{
    (void)state;
    log_set_style(LOG_STYLE_COMMAND);
    catch_lines(say_each_level);
    log_set_style(LOG_STYLE_DAEMON);
    assert_string_equal(
        caught, "modelfs: error: one 1\nmodelfs: warning: two\nmodelfs: info: three\n");
}

static void say_foreign_text(int fd)
{
    (void)fd;
    errno = ENOENT;
    log_error("cannot read '%s': %m", "a\nb\x1b[1m\x7f");
    assert_int_equal(errno, ENOENT);
}

static void foreign_text_stays_on_its_line(void **state)
{
    (void)state;
    catch_lines(say_foreign_text);
    assert_int_equal(count("\n"), 1);
    assert_int_equal(count("cannot read 'a b [1m ': No such file or directory\n"), 1);
}

static void say_a_long_line(int fd)
{
    static char text[5000];

    (void)fd;
    memset(text, 'x', sizeof text - 1);
    log_error("%s", text);
    log_error("next");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    catch_lines(say_a_long_line);
    assert_int_equal(count("\n"), 2);
    assert_true(strlen(caught) < 2200);
    assert_int_equal(count("next\n"), 1);
}

static void say_to_the_journal(int fd)
{
    char stream[64];
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_error("one");
    log_warning("two");
    log_info("three");
    setenv("JOURNAL_STREAM", "1:2", 1); /* of another process's stderr */
    log_info("four");
    unsetenv("JOURNAL_STREAM");
}

static void the_journal_gets_priorities(void **state)
{
    (void)state;
    catch_lines(say_to_the_journal);
    assert_int_equal(count("<3>one\n<4>two\n<6>three\n"), 1);
    assert_int_equal(count("<6>four"), 0);
    assert_int_equal(count("Z info: four\n"), 1);
}

static void level_names(void **state)
{
    static const struct {
        const char *text;
        int rc;
        enum log_level level;
    } cases[] = {
        {"error",   0,       LOG_LEVEL_ERROR  },
        {"warning", 0,       LOG_LEVEL_WARNING},
        {"info",    0,       LOG_LEVEL_INFO   },
        {"debug",   0,       LOG_LEVEL_DEBUG  },
        {"Info",    -EINVAL, LOG_LEVEL_ERROR  },
        {"",        -EINVAL, LOG_LEVEL_ERROR  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        enum log_level level = LOG_LEVEL_ERROR;

        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(log_level_parse(cases[i].text, &level), cases[i].rc);
        assert_int_equal(level, cases[i].level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_choose_the_lines),
        cmocka_unit_test(commands_say_their_name_instead_of_the_time),
        cmocka_unit_test(foreign_text_stays_on_its_line),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(the_journal_gets_priorities),
        cmocka_unit_test(level_names),
    };

    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
