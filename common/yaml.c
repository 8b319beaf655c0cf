/* yaml.c: YAML text to a tree: from libyaml's events. */
#include "common/yaml.h"

#include "common/yaml_build.h"
#include "common/yaml_scalar.h"
#include "common/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DIRECTIVES_MAX = 100 };

/* libyaml compares each %TAG directive with all others before its first event, so a text
 * of many would keep us for hours. One starts a line; any kind of line break ends in one
 * of these bytes. */
static int check_directives(const char *text, size_t size, struct error *err)
{
    static const char directive[] = "%TAG";
    const char *end = text + size, *at = text;
    int count = 0;

    while (at < end && (at = memmem(at, (size_t)(end - at), directive, 4)) != NULL) {
        unsigned char before = at > text ? (unsigned char)at[-1] : '\n';

        if ((before < ' ' || before >= 0x80) && ++count > DIRECTIVES_MAX)
            return fail(err, EFBIG, "YAML with more than %d %%TAG directives",
                        (int)DIRECTIVES_MAX);
        at++;
    }
    return 0;
}

/* libyaml counts from 0 */
static struct yaml_place place_at(const yaml_mark_t *mark)
{
    return (struct yaml_place){(unsigned)mark->line + 1, (unsigned)mark->column + 1};
}

/* Is there nothing but indentation before that place, and a tab at it? */
static bool is_tab_indented(const char *text, size_t size, const yaml_mark_t *mark)
{
    const char *end = text + size;
    size_t blanks = 0;

    for (size_t line = 0; text && line < mark->line; line++) {
        text = memchr(text, '\n', (size_t)(end - text));
        text += text != NULL;
    }
    while (text && text + blanks < end && blanks < mark->column &&
           (text[blanks] == ' ' || text[blanks] == '\t'))
        blanks++;
    return text && text + blanks < end && blanks == mark->column && text[blanks] == '\t';
}

static int parser_failure(const yaml_parser_t *parser, const char *text, size_t size,
                          struct error *err)
{
    const char *problem = parser->problem ? parser->problem : "not YAML";
    struct yaml_place at = place_at(&parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR)
        return fail(err, ENOMEM, "no memory for YAML of %zu bytes", size);
    if (parser->error == YAML_READER_ERROR) { /* knows the byte only */
        at = (struct yaml_place){1, 1};
        for (size_t i = 0; i < size && i < parser->problem_offset; i++) {
            at.line += text[i] == '\n';
            at.column = text[i] == '\n' ? 1 : at.column + 1;
        }
    }
    if (is_tab_indented(text, size, &parser->problem_mark))
        return yaml_fail(err, EINVAL, at,
                         "found a tab as indentation; indent with blanks");
    if (parser->context)
        return yaml_fail(err, EINVAL, at, "%s, %s", parser->context, problem);
    return yaml_fail(err, EINVAL, at, "%s", problem);
}

static int take_scalar(struct yaml_build *build, const yaml_event_t *from,
                       struct yaml_event *event, struct error *err)
{
    const char *text = (const char *)from->data.scalar.value;
    size_t size = from->data.scalar.length;
    enum yaml_tag tag = YAML_TAG_TEXT;

    event->anchor = (const char *)from->data.scalar.anchor;
    event->tag = (const char *)from->data.scalar.tag;
    if (event->tag && strcmp(event->tag, "!") == 0) { /* resolved though quoted */
        event->tag = NULL;
        tag = yaml_scalar_resolve(text, size);
    } else if (from->data.scalar.plain_implicit) {
        tag = yaml_scalar_resolve(text, size);
    }
    return yaml_build_scalar(build, event, tag, text, size, err);
}

/* "!" alone leaves a collection what it is. */
static const char *collection_tag(const yaml_char_t *tag)
{
    return tag && strcmp((const char *)tag, "!") == 0 ? NULL : (const char *)tag;
}

static int take_event(struct yaml_build *build, const yaml_event_t *from, int *documents,
                      struct error *err)
{
    struct yaml_event event = {.at = place_at(&from->start_mark)};

    switch (from->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1)
            return yaml_fail(err, EINVAL, event.at, "found another document");
        return 0;
    case YAML_SCALAR_EVENT:
        return take_scalar(build, from, &event, err);
    case YAML_SEQUENCE_START_EVENT:
        event.anchor = (const char *)from->data.sequence_start.anchor;
        event.tag = collection_tag(from->data.sequence_start.tag);
        return yaml_build_open(build, &event, YAML_TAG_LIST, err);
    case YAML_MAPPING_START_EVENT:
        event.anchor = (const char *)from->data.mapping_start.anchor;
        event.tag = collection_tag(from->data.mapping_start.tag);
        return yaml_build_open(build, &event, YAML_TAG_MAP, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return yaml_build_close(build, err);
    case YAML_ALIAS_EVENT:
        event.anchor = (const char *)from->data.alias.anchor;
        return yaml_build_alias(build, &event, err);
    default:
        return 0;
    }
}

static int take_events(yaml_parser_t *parser, const char *text, size_t size,
                       struct yaml *yaml, struct error *err)
{
    CLEANUP_YAML_BUILD struct yaml_build build;
    bool is_end = false;
    int documents = 0, rc = 0;

    yaml_build_init(&build, yaml);
    while (!is_end && rc == 0) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event))
            return parser_failure(parser, text, size, err);
        is_end = event.type == YAML_STREAM_END_EVENT;
        rc = take_event(&build, &event, &documents, err);
        yaml_event_delete(&event);
    }
    return rc < 0 ? rc : yaml_build_root(&build, &yaml->root, err);
}

int yaml_parse(const char *text, size_t size, struct yaml **ret_yaml, struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    yaml_parser_t parser;
    int rc;

    if (size > YAML_BYTES_MAX)
        return fail(err, EFBIG, "YAML of %zu bytes is larger than the limit of %d", size,
                    (int)YAML_BYTES_MAX);
    rc = check_directives(text, size, err);
    if (rc < 0)
        return rc;
    yaml = calloc(1, sizeof *yaml);
    if (!yaml || !yaml_parser_initialize(&parser))
        return fail(err, ENOMEM, "no memory for YAML of %zu bytes", size);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING); /* not UTF-16, as audmodel */
    rc = take_events(&parser, text, size, yaml, err);
    yaml_parser_delete(&parser);
    if (rc < 0)
        return rc;
    *ret_yaml = steal_ptr(&yaml);
    return 0;
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
    return yaml->root;
}

const struct yaml_node *yaml_duplicate(const struct yaml *yaml)
{
    return yaml->duplicate;
}
