/* test_output.c: results on standard output, columns, and the failure to write them. */
#include "tests/test.h"

#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What print(arg) writes to standard output, cut to size bytes. */
static void capture(void (*print)(void), char *buffer, size_t size)
{
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    ssize_t count;

    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    count = pread(fileno(file), buffer, size - 1, 0);
    assert_true(count >= 0);
    buffer[count] = '\0';
    fclose(file);
}

static void print_table(void)
{
    struct output_table *table =
        output_table_new((const char *const[]){"ID", "NAME", "ALIASES", NULL});

    output_table_add(table, (const char *const[]){"3e120e8d", "onnx", "a, b"});
    output_table_add(table, (const char *const[]){"1",
                                                  "gr\xC3\xBC\xC3\x9F"
                                                  "e-net",
                                                  ""});
    output_table_add(table, (const char *const[]){"", "", "alone"});
    output_table_add(table, (const char *const[]){
                                "1234567890123456789012345678901234567890x", "y", "z"});
    output_table_print(table);
    output_table_free(table);
}

static void columns_are_aligned(void **state)
{
    char text[512];

    (void)state;
    capture(print_table, text, sizeof text);
    assert_string_equal(text,
                        "ID        NAME       ALIASES\n"
                        "3e120e8d  onnx       a, b\n"
                        "1         gr\xC3\xBC\xC3\x9F"
                        "e-net\n"
                        "                     alone\n"
                        "1234567890123456789012345678901234567890x  y          z\n");
}

static void print_lines(void)
{
    output_line("one");
    output_text("a\0b\n", 4);
}

static void texts_come_out_as_they_are(void **state)
{
    char text[64];

    (void)state;
    capture(print_lines, text, sizeof text);
    assert_memory_equal(text, "one\na\0b\n", 9);
}

static int finish_on(int fd, size_t lines, struct error *err)
{
    int saved;
    int rc;

    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    for (size_t i = 0; i < lines; i++)
        output_line("0123456789 0123456789 0123456789 0123456789");
    rc = output_finish(err);
    fflush(stdout);
    clearerr(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(fd);
    return rc;
}

/* Few lines fail at the last flush, many before it. */
static void a_full_disk_is_a_failure(void **state)
{
    static const size_t lines[] = {1, 10000};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct error err = {0};
        int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

        test_row(i, "%zu lines", lines[i]);
        assert_true(fd >= 0);
        assert_true(finish_on(fd, lines[i], &err) < 0);
        assert_non_null(strstr(err.message, "cannot write the result"));
    }
}

static void what_was_written_is_no_failure(void **state)
{
    struct error err = {0};
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(finish_on(fd, 1, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(texts_come_out_as_they_are),
        cmocka_unit_test(a_full_disk_is_a_failure),
        cmocka_unit_test(what_was_written_is_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
