/* yaml_shape.c: how a node is printed: tag, text, quotes. */
#include "common/yaml_shape.h"

#include "common/base64.h"
#include "common/pyfloat.h"
#include "common/yaml_time.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Python's repr, but a YAML float needs a dot. */
static void print_float(double number, char *buffer)
{
    char repr[PYFLOAT_SIZE];
    const char *exponent;

    pyfloat_repr(number, repr, sizeof repr);
    exponent = strchr(repr, 'e');
    if (strcmp(repr, "nan") == 0)
        snprintf(buffer, YAML_SHAPE_SIZE, ".nan");
    else if (strcmp(repr, "inf") == 0)
        snprintf(buffer, YAML_SHAPE_SIZE, ".inf");
    else if (strcmp(repr, "-inf") == 0)
        snprintf(buffer, YAML_SHAPE_SIZE, "-.inf");
    else if (exponent && !strchr(repr, '.'))
        snprintf(buffer, YAML_SHAPE_SIZE, "%.*s.0%s", (int)(exponent - repr), repr,
                 exponent);
    else
        snprintf(buffer, YAML_SHAPE_SIZE, "%s", repr);
}

/* A scalar that is short and needs no quotes, in the buffer already if text is NULL. */
static int set_short(struct yaml_shape *shape, enum yaml_tag tag, const char *text)
{
    shape->tag = tag;
    if (text)
        snprintf(shape->buffer, sizeof shape->buffer, "%s", text);
    shape->text = shape->buffer;
    shape->size = strlen(shape->buffer);
    shape->look = (struct yaml_look){.characters = shape->size, .may_be_plain = true};
    return 0;
}

static int set_text(struct yaml_shape *shape, enum yaml_tag tag,
                    const struct yaml_node *node, struct error *err)
{
    int rc;

    shape->tag = tag;
    shape->text = node->text.data;
    shape->size = node->text.size;
    if (tag == YAML_TAG_BINARY) {
        shape->is_tag_shown = true;
        shape->look.is_multiline = true;
        return 0;
    }
    rc = yaml_style_look(shape->text, shape->size, &shape->look, err);
    /* plain, a text such as "null" would be read as something else */
    if (tag == YAML_TAG_TEXT &&
        yaml_scalar_resolve(shape->text, shape->size) != YAML_TAG_TEXT)
        shape->look.may_be_plain = false;
    return rc;
}

static int set_collection(struct yaml_shape *shape, enum yaml_tag tag)
{
    shape->tag = tag;
    shape->is_tag_shown = tag == YAML_TAG_TUPLE || tag == YAML_TAG_SET;
    return 0;
}

int yaml_shape_find(const struct yaml_node *node, struct yaml_shape *ret_shape,
                    struct error *err)
{
    *ret_shape = (struct yaml_shape){.text = NULL};
    switch (node->kind) {
    case YAML_NULL:
        return set_short(ret_shape, YAML_TAG_NULL, "null");
    case YAML_BOOL:
        return set_short(ret_shape, YAML_TAG_BOOL, node->boolean ? "true" : "false");
    case YAML_INT:
        return set_text(ret_shape, YAML_TAG_INT, node, err);
    case YAML_FLOAT:
        print_float(node->number, ret_shape->buffer);
        return set_short(ret_shape, YAML_TAG_FLOAT, NULL);
    case YAML_TEXT:
        return set_text(ret_shape, YAML_TAG_TEXT, node, err);
    case YAML_BINARY:
        return set_text(ret_shape, YAML_TAG_BINARY, node, err);
    case YAML_DATE:
    case YAML_DATETIME:
        yaml_time_print(node->kind, &node->time, ret_shape->buffer);
        return set_short(ret_shape, YAML_TAG_TIME, NULL);
    case YAML_LIST:
        return set_collection(ret_shape, YAML_TAG_LIST);
    case YAML_TUPLE:
        return set_collection(ret_shape, YAML_TAG_TUPLE);
    case YAML_MAP:
        return set_collection(ret_shape, YAML_TAG_MAP);
    case YAML_SET:
        return set_collection(ret_shape, YAML_TAG_SET);
    case YAML_OTHER:
        break;
    }
    return yaml_fail(err, EINVAL, node->at, "cannot print a value of the tag '%.80s'",
                     node->text.data);
}

void yaml_shape_print(const struct yaml_shape *shape, struct yaml_emit *emit,
                      size_t indent, unsigned flags)
{
    CLEANUP_BYTES struct bytes lines;
    int rc;

    bytes_init(&lines, SIZE_MAX / 2);
    if (shape->tag != YAML_TAG_BINARY) {
        yaml_style_write(emit, shape->text, shape->size, &shape->look, indent, flags);
        return;
    }
    if (shape->size == 0) {
        yaml_emit_indicator(emit, "\"\"", YAML_EMIT_BLANK);
        return;
    }
    rc = base64_encode(shape->text, shape->size, BASE64_MIME_LINE, &lines, emit->err);
    if (rc < 0)
        yaml_emit_fail(emit, rc);
    else
        yaml_style_write_literal(emit, lines.data, lines.size, indent);
}
