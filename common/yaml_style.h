/* yaml_style.h: texts of YAML as PyYAML writes them: which quotes they need, where their
 * lines break, what is escaped. For common/yaml*.c alone.
 *
 *     rc = yaml_style_look(text, size, &look, &err);
 *     yaml_style_write(&emit, text, size, &look, indent, YAML_EMIT_KEY);
 */
#ifndef COMMON_YAML_STYLE_H
#define COMMON_YAML_STYLE_H

#include "common/error.h"
#include "common/yaml_emit.h"

#include <stdbool.h>
#include <stddef.h>

struct yaml_look {
    size_t characters;
    bool is_multiline;
    bool may_be_plain;
    bool may_be_single; /* between ' and ' */
};

/* What is in a text, seen without its meaning: "null" may be plain here. -EINVAL for what
 * is not UTF-8. */
int yaml_style_look(const char *text, size_t size, struct yaml_look *ret_look,
                    struct error *err);

/* Write it, plain if the look allows, else in quotes; lines that follow are indented. */
void yaml_style_write(struct yaml_emit *emit, const char *text, size_t size,
                      const struct yaml_look *look, size_t indent, unsigned flags);

/* Write lines behind a "|"; each ends with a newline. */
void yaml_style_write_literal(struct yaml_emit *emit, const char *text, size_t size,
                              size_t indent);

#endif
