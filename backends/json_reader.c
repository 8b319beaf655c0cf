/* json_reader.c: JSON byte by byte, with one value in memory. */
#include "backends/json_reader.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    KEY_MAX = 64,
    /* A "." or "[]" for each level. */
    PATH_SIZE = JSON_DEPTH_MAX * (KEY_MAX + 2) + 1,
};

enum state {
    BEFORE_VALUE,
    BEFORE_FIRST_ITEM, /* or the end of the array */
    BEFORE_FIRST_KEY,  /* or the end of the object */
    BEFORE_KEY,
    BEFORE_COLON,
    AFTER_VALUE, /* in an object or array */
    IN_STRING,
    IN_ESCAPE,
    IN_UNICODE, /* the digits of \uXXXX */
    IN_PAIR,    /* behind the first half of a surrogate pair */
    IN_WORD,    /* a number, true, false or null */
    AFTER_ALL,
};

struct level {
    bool is_array;
    size_t path_size; /* of its own path */
};

struct json_reader {
    json_reader_each *each;
    void *arg;
    enum state state;
    struct level levels[JSON_DEPTH_MAX];
    size_t depth;
    char path[PATH_SIZE]; /* of the value at hand */
    size_t path_size;
    bool is_key;       /* the string at hand is one */
    struct bytes text; /* of the string or word at hand */
    unsigned digits;   /* of \uXXXX so far */
    uint32_t unit;     /* what they say */
    uint32_t high;     /* the first half of a pair, else 0 */
    uint64_t offset;   /* bytes so far, for messages */
};

static int fail_at(const struct json_reader *reader, const char *what, struct error *err)
{
    return fail(err, EIO, "the reply is not the JSON that was expected: byte %llu: %s",
                (unsigned long long)reader->offset, what);
}

static void set_path(struct json_reader *reader, size_t size)
{
    reader->path_size = size;
    reader->path[size] = '\0';
}

static void add_path(struct json_reader *reader, const char *text, size_t size)
{
    memcpy(reader->path + reader->path_size, text, size);
    set_path(reader, reader->path_size + size);
}

static int tell(struct json_reader *reader, enum json_kind kind, const char *text,
                struct error *err)
{
    return reader->each(reader->arg, &(struct json_value){reader->path, kind, text}, err);
}

static int end_value(struct json_reader *reader, enum json_kind kind, struct error *err)
{
    reader->state = reader->depth > 0 ? AFTER_VALUE : AFTER_ALL;
    return tell(reader, kind, reader->text.data, err);
}

static void clear_text(struct json_reader *reader)
{
    bytes_cut(&reader->text, 0, 0);
}

static int push(struct json_reader *reader, bool is_array, struct error *err)
{
    if (reader->depth == JSON_DEPTH_MAX)
        return fail_at(reader, "too many levels", err);
    reader->levels[reader->depth++] = (struct level){is_array, reader->path_size};
    reader->state = is_array ? BEFORE_FIRST_ITEM : BEFORE_FIRST_KEY;
    if (is_array)
        add_path(reader, "[]", 2);
    return 0;
}

static int pop(struct json_reader *reader, bool is_array, struct error *err)
{
    const struct level *level = &reader->levels[reader->depth - 1];

    if (level->is_array != is_array)
        return fail_at(reader, "the wrong bracket", err);
    set_path(reader, level->path_size);
    reader->depth--;
    clear_text(reader);
    return end_value(reader, JSON_END, err);
}

static int begin_string(struct json_reader *reader, bool is_key)
{
    reader->is_key = is_key;
    reader->state = IN_STRING;
    clear_text(reader);
    return 0;
}

static bool is_plain(const char *key, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_-";

    return size > 0 && size <= KEY_MAX && strspn(key, plain) == size;
}

static void end_key(struct json_reader *reader)
{
    const struct bytes *key = &reader->text;

    set_path(reader, reader->levels[reader->depth - 1].path_size);
    if (reader->path_size > 0)
        add_path(reader, ".", 1);
    if (is_plain(key->data, key->size))
        add_path(reader, key->data, key->size);
    else
        add_path(reader, "?", 1);
    reader->state = BEFORE_COLON;
}

static int end_string(struct json_reader *reader, struct error *err)
{
    if (!utf8_is_valid(reader->text.data, reader->text.size))
        return fail_at(reader, "a string that is not UTF-8", err);
    if (!reader->is_key)
        return end_value(reader, JSON_STRING, err);
    end_key(reader);
    return 0;
}

static size_t skip_digits(const char *text, size_t at)
{
    return at + strspn(text + at, "0123456789");
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *text)
{
    size_t at = text[0] == '-', end = skip_digits(text, at);

    if (end == at || (text[at] == '0' && end > at + 1))
        return false;
    at = end;
    if (text[at] == '.') {
        end = skip_digits(text, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        at++;
        at += text[at] == '+' || text[at] == '-';
        end = skip_digits(text, at);
        if (end == at)
            return false;
        at = end;
    }
    return text[at] == '\0';
}

static int end_word(struct json_reader *reader, struct error *err)
{
    static const struct {
        const char *word;
        enum json_kind kind;
    } words[] = {
        {"null",  JSON_NULL },
        {"false", JSON_FALSE},
        {"true",  JSON_TRUE }
    };

    if (strlen(reader->text.data) == reader->text.size && is_number(reader->text.data))
        return end_value(reader, JSON_NUMBER, err);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(reader->text.data, words[i].word) == 0) {
            clear_text(reader);
            return end_value(reader, words[i].kind, err);
        }
    }
    return fail_at(reader, "neither a number nor true, false, null", err);
}

static int append(struct json_reader *reader, const char *data, size_t size,
                  struct error *err)
{
    return bytes_append(&reader->text, data, size, err) < 0
               ? fail_at(reader, "too long a value", err)
               : 0;
}

static int append_code(struct json_reader *reader, uint32_t code, struct error *err)
{
    char utf8[4];
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code == 0)
        return fail_at(reader, "a NUL in a string", err);
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        utf8[i] = (char)(0x80 | (code & 0x3f));
    utf8[0] = (char)(size == 1 ? code : (0xf00u >> size & 0xff) | code);
    reader->state = IN_STRING;
    return append(reader, utf8, size, err);
}

/* A whole \uXXXX: a character, or half of one. */
static int end_unicode(struct json_reader *reader, struct error *err)
{
    uint32_t unit = reader->unit, high = reader->high;
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

    reader->high = 0;
    if (is_low != (high != 0))
        return fail_at(reader, "half a surrogate pair", err);
    if (is_low)
        return append_code(reader, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00),
                           err);
    if (unit < 0xd800 || unit > 0xdfff)
        return append_code(reader, unit, err);
    reader->high = unit;
    reader->state = IN_PAIR;
    return 0;
}

static int feed_digit(struct json_reader *reader, char c, struct error *err)
{
    static const char hex[] = "0123456789abcdef";
    const char *digit = c ? strchr(hex, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    if (!digit)
        return fail_at(reader, "\\u without four hex digits", err);
    reader->unit = reader->unit << 4 | (uint32_t)(digit - hex);
    return ++reader->digits == 4 ? end_unicode(reader, err) : 0;
}

static int feed_escape(struct json_reader *reader, char c, struct error *err)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = c ? strchr(from, c) : NULL;

    if (c == 'u') {
        reader->state = IN_UNICODE;
        reader->digits = 0;
        reader->unit = 0;
        return 0;
    }
    if (!at || reader->high)
        return fail_at(reader, "an unknown escape", err);
    reader->state = IN_STRING;
    return append(reader, &to[at - from], 1, err);
}

static int feed_string(struct json_reader *reader, char c, struct error *err)
{
    if (c == '"')
        return end_string(reader, err);
    if ((unsigned char)c < 0x20)
        return fail_at(reader, "a control character in a string", err);
    if (c != '\\')
        return append(reader, &c, 1, err);
    reader->state = IN_ESCAPE;
    return 0;
}

static int feed_pair(struct json_reader *reader, char c, struct error *err)
{
    if (c != '\\')
        return fail_at(reader, "half a surrogate pair", err);
    reader->state = IN_ESCAPE;
    return 0;
}

static int begin_value(struct json_reader *reader, char c, struct error *err)
{
    if (c == '"')
        return begin_string(reader, false);
    if (c == '{' || c == '[')
        return push(reader, c == '[', err);
    reader->state = IN_WORD;
    clear_text(reader);
    return append(reader, &c, 1, err);
}

static int feed_between(struct json_reader *reader, char c, struct error *err)
{
    bool is_array = reader->depth > 0 && reader->levels[reader->depth - 1].is_array;

    switch (reader->state) {
    case BEFORE_FIRST_ITEM:
        return c == ']' ? pop(reader, true, err) : begin_value(reader, c, err);
    case BEFORE_VALUE:
        return begin_value(reader, c, err);
    case BEFORE_FIRST_KEY:
    case BEFORE_KEY:
        if (c == '"')
            return begin_string(reader, true);
        return c == '}' && reader->state == BEFORE_FIRST_KEY
                   ? pop(reader, false, err)
                   : fail_at(reader, "a key was expected", err);
    case BEFORE_COLON:
        reader->state = BEFORE_VALUE;
        return c == ':' ? 0 : fail_at(reader, "':' was expected", err);
    case AFTER_VALUE:
        if (c == ']' || c == '}')
            return pop(reader, c == ']', err);
        reader->state = is_array ? BEFORE_VALUE : BEFORE_KEY;
        return c == ',' ? 0 : fail_at(reader, "',' was expected", err);
    default:
        return fail_at(reader, "something behind the end", err);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_word(char c)
{
    return is_blank(c) || c == ',' || c == ']' || c == '}';
}

static int feed_byte(struct json_reader *reader, char c, struct error *err)
{
    int rc;

    switch (reader->state) {
    case IN_STRING:
        return feed_string(reader, c, err);
    case IN_ESCAPE:
        return feed_escape(reader, c, err);
    case IN_UNICODE:
        return feed_digit(reader, c, err);
    case IN_PAIR:
        return feed_pair(reader, c, err);
    case IN_WORD:
        if (!ends_word(c))
            return append(reader, &c, 1, err);
        rc = end_word(reader, err);
        if (rc < 0)
            return rc;
        break;
    default:
        break;
    }
    return is_blank(c) ? 0 : feed_between(reader, c, err);
}

struct json_reader *json_reader_new(json_reader_each *each, void *arg)
{
    struct json_reader *reader = XNEW(struct json_reader);

    reader->each = each;
    reader->arg = arg;
    bytes_init(&reader->text, JSON_TEXT_MAX);
    return reader;
}

void json_reader_free(struct json_reader *reader)
{
    if (!reader)
        return;
    bytes_wipe(&reader->text);
    free(reader);
}

int json_reader_feed(struct json_reader *reader, const void *data, size_t size,
                     struct error *err)
{
    const char *text = data;

    for (size_t i = 0; i < size; i++) {
        int rc = feed_byte(reader, text[i], err);

        if (rc < 0)
            return rc;
        reader->offset++;
    }
    return 0;
}

int json_reader_end(struct json_reader *reader, struct error *err)
{
    int rc = reader->state == IN_WORD ? end_word(reader, err) : 0;

    if (rc == 0 && reader->state != AFTER_ALL)
        return fail_at(reader, "it ends too early", err);
    return rc;
}
