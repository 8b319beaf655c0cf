/* output.h: results on standard output, and whether they got there.
 *
 *     output_line(uid);
 *     rc = output_finish(&err);
 *
 * The calls between report nothing: the stream remembers the first failure. On a terminal
 * control characters, which foreign text may hold, are shown as "?". */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "common/error.h"

#include <stddef.h>

void output_line(const char *text);

/* What a command prints: for people, or with --json for programs. */
enum output_form {
    OUTPUT_PLAIN,
    OUTPUT_JSON,
};

/* A single text as the whole result, in JSON as JSON has it. */
void output_value(const char *text, enum output_form form);

/* A document as it is. */
void output_text(const char *text, size_t size);

/* Write out what is buffered. Fails when any of it could not be written: the disk is
 * full, the reader of a pipe is gone. */
int output_finish(struct error *err);

/* Columns, each as wide as its widest cell but for cells so wide that they would push the
 * others off the screen: those push only their own row. Lines end without blanks. */
struct output_table;

struct output_table *output_table_new(const char *const *titles); /* ends with NULL */

/* As many cells as titles; copied. */
void output_table_add(struct output_table *table, const char *const *cells);
void output_table_print(const struct output_table *table);
void output_table_free(struct output_table *table); /* accepts NULL */

#endif
