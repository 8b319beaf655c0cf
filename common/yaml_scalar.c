/* yaml_scalar.c: what PyYAML's resolver takes a scalar for, and the value made of it. */
#include "common/yaml_scalar.h"

#include "common/base64.h"
#include "common/bytes.h"
#include "common/yaml_number.h"
#include "common/yaml_time.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define PREFIX "tag:yaml.org,2002:"

static const struct {
    const char *name;
    enum yaml_tag tag;
} tags[] = {
    {"null",           YAML_TAG_NULL  },
    {"bool",           YAML_TAG_BOOL  },
    {"int",            YAML_TAG_INT   },
    {"float",          YAML_TAG_FLOAT },
    {"str",            YAML_TAG_TEXT  },
    {"binary",         YAML_TAG_BINARY},
    {"timestamp",      YAML_TAG_TIME  },
    {"seq",            YAML_TAG_LIST  },
    {"python/tuple",   YAML_TAG_TUPLE },
    {"pairs",          YAML_TAG_PAIRS },
    {"map",            YAML_TAG_MAP   },
    {"set",            YAML_TAG_SET   },
    {"merge",          YAML_TAG_MERGE },
    {"value",          YAML_TAG_VALUE },
    {"omap",           YAML_TAG_PAIRS },
    {"python/none",    YAML_TAG_NULL  },
    {"python/bool",    YAML_TAG_BOOL  },
    {"python/int",     YAML_TAG_INT   },
    {"python/long",    YAML_TAG_INT   },
    {"python/float",   YAML_TAG_FLOAT },
    {"python/str",     YAML_TAG_TEXT  },
    {"python/unicode", YAML_TAG_TEXT  },
    {"python/bytes",   YAML_TAG_BINARY},
    {"python/list",    YAML_TAG_LIST  },
    {"python/dict",    YAML_TAG_MAP   },
};

enum yaml_tag yaml_scalar_tag(const char *name)
{
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return YAML_TAG_OTHER;
    name += strlen(PREFIX);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcmp(name, tags[i].name) == 0)
            return tags[i].tag;
    return YAML_TAG_OTHER;
}

const char *yaml_scalar_tag_name(enum yaml_tag tag)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (tags[i].tag == tag)
            return tags[i].name;
    return "other";
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

/* Lower case, Title or UPPER, but no other mixture. */
static bool is_word_in_case(const char *text, size_t size, const char *word)
{
    bool is_upper = true, is_title = true;

    if (strlen(word) != size || strncasecmp(text, word, size) != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool is_letter_upper = text[i] >= 'A' && text[i] <= 'Z';

        is_upper = is_upper && is_letter_upper;
        is_title = is_title && is_letter_upper == (i == 0);
    }
    return is_upper || is_title || memcmp(text, word, size) == 0;
}

/* *ret_value is set when text is a boolean. */
static bool is_bool(const char *text, size_t size, bool *ret_value)
{
    static const char *const words[] = {"yes", "no", "true", "false", "on", "off"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!is_word_in_case(text, size, words[i]))
            continue;
        *ret_value = i % 2 == 0;
        return true;
    }
    return false;
}

enum yaml_tag yaml_scalar_resolve(const char *text, size_t size)
{
    bool ignored;

    if (size == 0 || is_word(text, size, "~") || is_word_in_case(text, size, "null"))
        return YAML_TAG_NULL;
    if (is_bool(text, size, &ignored))
        return YAML_TAG_BOOL;
    if (yaml_number_is_float(text, size))
        return YAML_TAG_FLOAT;
    if (yaml_number_is_int(text, size))
        return YAML_TAG_INT;
    if (is_word(text, size, "<<"))
        return YAML_TAG_MERGE;
    if (yaml_time_is_one(text, size))
        return YAML_TAG_TIME;
    if (is_word(text, size, "="))
        return YAML_TAG_VALUE;
    return YAML_TAG_TEXT;
}

static int set_text(struct yaml_node *node, enum yaml_kind kind, const char *data,
                    size_t size, struct yaml *yaml, struct error *err)
{
    const char *copy = yaml_tree_copy(yaml, data, size);

    if (!copy)
        return fail(err, ENOMEM, "no memory for a text of %zu bytes", size);
    node->kind = kind;
    node->text.data = copy;
    node->text.size = size;
    return 0;
}

static int make_bool(const char *text, size_t size, struct yaml_node *node,
                     struct error *err)
{
    char lower[8] = "";

    /* an explicit tag takes any mixture of cases */
    for (size_t i = 0; i < size && i + 1 < sizeof lower; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    if (size >= sizeof lower || !is_bool(lower, size, &node->boolean))
        return fail(err, EINVAL, "'%.80s' is not a boolean", text);
    node->kind = YAML_BOOL;
    return 0;
}

static int make_int(const char *text, size_t size, struct yaml *yaml,
                    struct yaml_node *node, struct error *err)
{
    CLEANUP_BYTES struct bytes digits;
    int rc;

    bytes_init(&digits, 2 * (size_t)YAML_INT_DIGITS_MAX);
    rc = yaml_number_read_int(text, size, &digits, err);
    if (rc < 0)
        return rc;
    return set_text(node, YAML_INT, digits.data, digits.size, yaml, err);
}

static int make_binary(const char *text, size_t size, struct yaml *yaml,
                       struct yaml_node *node, struct error *err)
{
    CLEANUP_BYTES struct bytes data;
    int rc;

    bytes_init(&data, YAML_BYTES_MAX);
    rc = base64_decode(text, size, &data, err);
    if (rc < 0)
        return rc;
    return set_text(node, YAML_BINARY, data.data, data.size, yaml, err);
}

int yaml_scalar_make(enum yaml_tag tag, const char *text, size_t size, struct yaml *yaml,
                     struct yaml_node *node, struct error *err)
{
    switch (tag) {
    case YAML_TAG_NULL:
        node->kind = YAML_NULL;
        return 0;
    case YAML_TAG_BOOL:
        return make_bool(text, size, node, err);
    case YAML_TAG_INT:
        return make_int(text, size, yaml, node, err);
    case YAML_TAG_FLOAT:
        node->kind = YAML_FLOAT;
        return yaml_number_read_float(text, size, &node->number, err);
    case YAML_TAG_TEXT:
        return set_text(node, YAML_TEXT, text, size, yaml, err);
    case YAML_TAG_BINARY:
        return make_binary(text, size, yaml, node, err);
    case YAML_TAG_TIME:
        return yaml_time_parse(text, size, &node->kind, &node->time, err);
    default:
        return fail(err, EINVAL, "!!%s cannot be made of a scalar",
                    yaml_scalar_tag_name(tag));
    }
}
