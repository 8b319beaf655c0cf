/* output.c: results on standard output, and whether they got there. */
#include "cli/output.h"

#include "cli/json.h"
#include "common/memory.h"

#include <errno.h>
#include <unistd.h>

enum {
    GAP = 2,               /* blanks between columns */
    COLUMN_WIDTH_MAX = 40, /* cells beyond it push the rest of their row */
};

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\n' && c != '\t') || c == 0x7f;
}

void output_text(const char *text, size_t size)
{
    if (!isatty(STDOUT_FILENO)) {
        fwrite(text, 1, size, stdout);
        return;
    }
    for (size_t i = 0; i < size; i++)
        putchar(is_control(text[i]) ? '?' : (unsigned char)text[i]);
}

void output_line(const char *text)
{
    output_text(text, strlen(text));
    putchar('\n');
}

void output_value(const char *text, enum output_form form)
{
    struct json json;

    if (form == OUTPUT_PLAIN) {
        output_line(text);
        return;
    }
    json_init(&json, stdout);
    json_text(&json, NULL, text);
}

int output_finish(struct error *err)
{
    /* A failure in the middle leaves no errno, so the last flush has to find one. */
    bool has_failed = ferror(stdout);

    errno = 0;
    if (fflush(stdout) != 0 && errno != 0)
        return fail_errno(err, "cannot write the result");
    if (has_failed)
        return fail(err, EIO, "cannot write the result: not all of it could be written");
    return 0;
}

struct row {
    struct row *next;
    char *cells[];
};

struct output_table {
    size_t columns;
    size_t *widths;
    struct row *first;
    struct row **end;
};

/* Characters of UTF-8, that is bytes which do not continue one. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void output_table_add(struct output_table *table, const char *const *cells)
{
    struct row *row = xcalloc(1, sizeof *row + table->columns * sizeof *row->cells);

    for (size_t i = 0; i < table->columns; i++) {
        size_t width = width_of(cells[i]);

        row->cells[i] = xstrdup(cells[i]);
        if (width > table->widths[i] && width <= COLUMN_WIDTH_MAX)
            table->widths[i] = width;
    }
    *table->end = row;
    table->end = &row->next;
}

struct output_table *output_table_new(const char *const *titles)
{
    struct output_table *table = XNEW(struct output_table);

    while (titles[table->columns])
        table->columns++;
    table->widths = xcalloc(table->columns, sizeof *table->widths);
    table->end = &table->first;
    output_table_add(table, titles);
    return table;
}

static void print_row(const struct output_table *table, const struct row *row)
{
    size_t padding = 0;

    for (size_t i = 0; i < table->columns; i++) {
        size_t width = width_of(row->cells[i]);

        if (width > 0) {
            printf("%*s", (int)padding, "");
            output_text(row->cells[i], strlen(row->cells[i]));
            padding = 0;
        }
        padding += GAP + (width < table->widths[i] ? table->widths[i] - width : 0);
    }
    putchar('\n');
}

void output_table_print(const struct output_table *table)
{
    for (const struct row *row = table->first; row; row = row->next)
        print_row(table, row);
}

void output_table_free(struct output_table *table)
{
    struct row *next;

    if (!table)
        return;
    for (struct row *row = table->first; row; row = next) {
        next = row->next;
        for (size_t i = 0; i < table->columns; i++)
            free(row->cells[i]);
        free(row);
    }
    free(table->widths);
    free(table);
}
