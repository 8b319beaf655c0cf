/* yaml_emit.h: where PyYAML's emitter stands on its line, and what it writes next. For
 * common/yaml*.c alone.
 *
 *     struct yaml_emit emit = {.to = to, .err = err, .whitespace = true};
 *     yaml_emit_indicator(&emit, "-", YAML_EMIT_BLANK | YAML_EMIT_INDENTION);
 *     yaml_emit_raw(&emit, "text", 4);
 *     return emit.rc;
 *
 * After a failure rc is set and all later calls do nothing: test once, at the end. */
#ifndef COMMON_YAML_EMIT_H
#define COMMON_YAML_EMIT_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_EMIT_WIDTH = 80 };

struct yaml_emit {
    struct bytes *to;
    struct error *err;
    int rc;
    size_t column;
    bool whitespace; /* the last character was a blank, or the line is new */
    bool indention;  /* the line holds blanks and "-", "?", ":" alone so far */
    bool open_ended; /* a plain root scalar: the document needs "..." at its end */
};

enum yaml_emit_flags {
    YAML_EMIT_BLANK = 1,      /* indicator: needs a blank in front */
    YAML_EMIT_WHITESPACE = 2, /* indicator: counts as a blank itself */
    YAML_EMIT_INDENTION = 4,  /* indicator: counts as indention */
    YAML_EMIT_ROOT = 8,       /* text: is the whole document */
    YAML_EMIT_KEY = 16,       /* text: must stay on its line */
};

/* Pieces of syntax: '-', '?', ':', quotes, anchors, tags. */
void yaml_emit_indicator(struct yaml_emit *emit, const char *indicator, unsigned flags);

/* Begin a line with so many blanks, unless the line is just there. */
void yaml_emit_indent(struct yaml_emit *emit, size_t indent);
void yaml_emit_line_break(struct yaml_emit *emit);

/* Characters as they are; none of them a line break. */
void yaml_emit_raw(struct yaml_emit *emit, const char *data, size_t size);

void yaml_emit_fail(struct yaml_emit *emit, int rc);

#endif
