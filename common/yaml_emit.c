/* yaml_emit.c: where PyYAML's emitter stands on its line, and what it writes next. */
#include "common/yaml_emit.h"

#include <string.h>

static void append(struct yaml_emit *emit, const char *data, size_t size)
{
    if (emit->rc == 0)
        emit->rc = bytes_append(emit->to, data, size, emit->err);
}

void yaml_emit_fail(struct yaml_emit *emit, int rc)
{
    if (emit->rc == 0)
        emit->rc = rc;
}

void yaml_emit_raw(struct yaml_emit *emit, const char *data, size_t size)
{
    append(emit, data, size);
    emit->column += size;
}

void yaml_emit_indicator(struct yaml_emit *emit, const char *indicator, unsigned flags)
{
    if ((flags & YAML_EMIT_BLANK) && !emit->whitespace)
        yaml_emit_raw(emit, " ", 1);
    yaml_emit_raw(emit, indicator, strlen(indicator));
    emit->whitespace = flags & YAML_EMIT_WHITESPACE;
    emit->indention = emit->indention && (flags & YAML_EMIT_INDENTION);
    emit->open_ended = false;
}

void yaml_emit_line_break(struct yaml_emit *emit)
{
    append(emit, "\n", 1);
    emit->whitespace = true;
    emit->indention = true;
    emit->column = 0;
}

void yaml_emit_indent(struct yaml_emit *emit, size_t indent)
{
    if (!emit->indention || emit->column > indent ||
        (emit->column == indent && !emit->whitespace))
        yaml_emit_line_break(emit);
    if (emit->column < indent)
        emit->whitespace = true;
    while (emit->column < indent)
        yaml_emit_raw(emit, " ", 1);
}
