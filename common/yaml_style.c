/* yaml_style.c: texts of YAML as PyYAML writes them. */
#include "common/yaml_style.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The size of the UTF-8 character at text, 0 if it is none. */
static size_t decode(const char *text, size_t size, uint32_t *ret_character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xc0 ? 0
                    : bytes[0] < 0xe0 ? 2
                    : bytes[0] < 0xf0 ? 3
                    : bytes[0] < 0xf8 ? 4
                                      : 0;
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0x7fU >> length);

    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (character < smallest[length] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret_character = character;
    return length;
}

static bool is_in(uint32_t character, const char *set)
{
    return character < 0x80 && character && strchr(set, (int)character);
}

/* Also the end counts, as in PyYAML. */
static bool is_blank(const char *text, size_t size, size_t at)
{
    uint32_t character;

    if (at >= size || text[at] == '\0')
        return true;
    if (is_in((unsigned char)text[at], " \t\r\n"))
        return true;
    return decode(text + at, size - at, &character) &&
           (character == 0x85 || character == 0x2028 || character == 0x2029);
}

/* Would this character, at this place, be read as syntax of the block style? */
static bool is_indicator(const char *text, size_t size, size_t at, bool is_after_blank)
{
    uint32_t character = (unsigned char)text[at];

    if (at == 0 && is_in(character, "#,[]{}&*!|>'\"%@`"))
        return true;
    if (at == 0 && is_in(character, "?:-"))
        return is_blank(text, size, 1);
    if (character == ':')
        return is_blank(text, size, at + 1);
    return character == '#' && is_after_blank;
}

int yaml_style_look(const char *text, size_t size, struct yaml_look *ret_look,
                    struct error *err)
{
    bool is_special = false, has_indicator = false, is_after_blank = true;
    bool has_break = false, break_space = false, space_break = false;
    uint32_t character = 0, previous = 0;
    size_t characters = 0, length;

    if (size >= 3 && (memcmp(text, "---", 3) == 0 || memcmp(text, "...", 3) == 0))
        has_indicator = true;
    for (size_t at = 0; at < size; at += length, characters++) {
        length = decode(text + at, size - at, &character);
        if (length == 0)
            return fail(err, EINVAL, "a text that is not UTF-8");
        has_indicator = has_indicator || is_indicator(text, size, at, is_after_blank);
        is_special = is_special ||
                     !(character == '\n' || (character >= 0x20 && character <= 0x7e));
        has_break = has_break || character == '\n' || character == 0x85 ||
                    character == 0x2028 || character == 0x2029;
        break_space = break_space || (character == ' ' && previous == '\n');
        space_break = space_break || (character == '\n' && previous == ' ');
        is_after_blank = is_blank(text, size, at);
        previous = character;
    }
    *ret_look = (struct yaml_look){
        .characters = characters,
        .is_multiline = has_break,
        .may_be_plain = size > 0 && !is_special && !has_break && !has_indicator &&
                        *text != ' ' && text[size - 1] != ' ',
        .may_be_single = !is_special && !break_space && !space_break,
    };
    return 0;
}

/* Characters that wait to be written: text[start] up to text[end]. */
static void write_pending(struct yaml_emit *emit, const char *text, size_t start,
                          size_t end)
{
    if (start < end)
        yaml_emit_raw(emit, text + start, end - start);
}

static void write_plain(struct yaml_emit *emit, const char *text, size_t size,
                        size_t indent, unsigned flags)
{
    size_t end;

    if (!emit->whitespace)
        yaml_emit_raw(emit, " ", 1);
    emit->whitespace = emit->indention = false;
    emit->open_ended = flags & YAML_EMIT_ROOT;
    for (size_t start = 0; start < size; start = end) {
        end = start + 1;
        while (end < size && (text[end] == ' ') == (text[start] == ' '))
            end++;
        if (text[start] == ' ' && start + 1 == end && emit->column > YAML_EMIT_WIDTH &&
            !(flags & YAML_EMIT_KEY)) {
            yaml_emit_indent(emit, indent);
            emit->whitespace = emit->indention = false;
        } else {
            write_pending(emit, text, start, end);
        }
    }
}

/* A run of one or more newlines: one more than there are, for the first would be read as
 * a blank. */
static void write_breaks(struct yaml_emit *emit, size_t count, size_t indent)
{
    for (size_t i = 0; i < count + 1; i++)
        yaml_emit_line_break(emit);
    yaml_emit_indent(emit, indent);
}

static void write_single(struct yaml_emit *emit, const char *text, size_t size,
                         size_t indent, unsigned flags)
{
    size_t end;

    yaml_emit_indicator(emit, "'", YAML_EMIT_BLANK);
    for (size_t start = 0; start < size; start = end) {
        char first = text[start];

        end = start + 1;
        if (first == '\'') {
            yaml_emit_raw(emit, "''", 2);
            continue;
        }
        if (first == ' ' || first == '\n')
            while (end < size && text[end] == first)
                end++;
        else
            while (end < size && !is_in((unsigned char)text[end], " \n'"))
                end++;
        if (first == '\n')
            write_breaks(emit, end - start, indent);
        else if (first == ' ' && start + 1 == end && emit->column > YAML_EMIT_WIDTH &&
                 !(flags & YAML_EMIT_KEY) && start > 0 && end < size)
            yaml_emit_indent(emit, indent);
        else
            write_pending(emit, text, start, end);
    }
    yaml_emit_indicator(emit, "'", 0);
}

static void write_escape(struct yaml_emit *emit, uint32_t character)
{
    static const struct {
        uint32_t character;
        char name;
    } names[] = {
        {0x00,   '0' },
        {0x07,   'a' },
        {0x08,   'b' },
        {0x09,   't' },
        {0x0a,   'n' },
        {0x0b,   'v' },
        {0x0c,   'f' },
        {0x0d,   'r' },
        {0x1b,   'e' },
        {'"',    '"' },
        {'\\',   '\\'},
        {0x85,   'N' },
        {0xa0,   '_' },
        {0x2028, 'L' },
        {0x2029, 'P' },
    };
    char escape[16];

    snprintf(escape, sizeof escape,
             character <= 0xff     ? "\\x%02X"
             : character <= 0xffff ? "\\u%04X"
                                   : "\\U%08X",
             character);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].character == character)
            snprintf(escape, sizeof escape, "\\%c", names[i].name);
    yaml_emit_raw(emit, escape, strlen(escape));
}

static void write_double(struct yaml_emit *emit, const char *text, size_t size,
                         size_t indent, unsigned flags)
{
    size_t start = 0, length;

    yaml_emit_indicator(emit, "\"", YAML_EMIT_BLANK);
    for (size_t end = 0; end < size; end += length) {
        uint32_t character = 0;
        size_t column;

        length = decode(text + end, size - end, &character);
        if (is_in(character, "\"\\") || character < 0x20 || character > 0x7e) {
            write_pending(emit, text, start, end);
            write_escape(emit, character);
            start = end + length;
        }
        /* after an escape PyYAML counts one column less than there is */
        column = start > end ? emit->column - 1 : emit->column + (end - start);
        if (end == 0 || end + length >= size || (character != ' ' && start < end) ||
            column <= YAML_EMIT_WIDTH || (flags & YAML_EMIT_KEY))
            continue;
        write_pending(emit, text, start, end);
        yaml_emit_raw(emit, "\\", 1);
        if (start < end)
            start = end;
        yaml_emit_indent(emit, indent);
        emit->whitespace = emit->indention = false;
        if (text[start] == ' ')
            yaml_emit_raw(emit, "\\", 1);
    }
    write_pending(emit, text, start, size);
    yaml_emit_indicator(emit, "\"", 0);
}

void yaml_style_write(struct yaml_emit *emit, const char *text, size_t size,
                      const struct yaml_look *look, size_t indent, unsigned flags)
{
    if (look->may_be_plain)
        write_plain(emit, text, size, indent, flags);
    else if (look->may_be_single && !((flags & YAML_EMIT_KEY) && look->is_multiline))
        write_single(emit, text, size, indent, flags);
    else
        write_double(emit, text, size, indent, flags);
}

void yaml_style_write_literal(struct yaml_emit *emit, const char *text, size_t size,
                              size_t indent)
{
    yaml_emit_indicator(emit, "|", YAML_EMIT_BLANK);
    yaml_emit_line_break(emit);
    for (const char *end = text + size; text < end;) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((line_end ? line_end : end) - text);

        yaml_emit_indent(emit, indent);
        yaml_emit_raw(emit, text, line);
        yaml_emit_line_break(emit);
        text += line + 1;
    }
}
