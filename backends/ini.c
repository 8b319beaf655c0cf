/* ini.c: reads the format of Python's configparser. */
#include "backends/ini.h"

#include "common/bytes.h"
#include "common/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    INTERPOLATION_DEPTH_MAX = 10, /* Python's */
    INTERPOLATIONS_MAX = 1000,
    /* A line's names and value with their NULs take no more room than the line did with
     * its end, which the last one may lack. */
    ARENA_EXTRA = 2,
};

#define NO_VALUE SIZE_MAX

static const char default_section[] = "DEFAULT";

/* A key, or with the key "" the section itself. Offsets in the arena. */
struct entry {
    size_t section;
    size_t key;
    size_t value; /* or NO_VALUE */
    unsigned line;
};

struct ini {
    enum ini_flags flags;
    struct bytes arena; /* never grows, so that no copy of a secret is left behind */
    struct entry *entries;
    size_t count;
};

/* Part of the text, lent. */
struct piece {
    const char *data;
    size_t size;
};

struct parsing {
    struct ini *ini;
    unsigned line;
    size_t indent; /* of the last section or key */
    bool has_section;
    size_t section; /* offset in the arena */
    bool has_key;   /* since the section began: a deeper line goes on with its value */
};

/* What Python strips. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

static struct piece trim(struct piece piece)
{
    while (piece.size > 0 && is_blank(piece.data[0])) {
        piece.data++;
        piece.size--;
    }
    while (piece.size > 0 && is_blank(piece.data[piece.size - 1]))
        piece.size--;
    return piece;
}

static void append(struct bytes *arena, const char *data, size_t size)
{
    memcpy(arena->data + arena->size, data, size);
    arena->size += size;
}

static size_t keep_text(struct ini *ini, struct piece piece)
{
    size_t at = ini->arena.size;

    append(&ini->arena, piece.data, piece.size);
    append(&ini->arena, "", 1);
    return at;
}

static const char *text_at(const struct ini *ini, size_t offset)
{
    return ini->arena.data + offset;
}

static struct entry *last_entry(const struct parsing *parsing)
{
    return &parsing->ini->entries[parsing->ini->count - 1];
}

static int add_entry(struct ini *ini, struct entry entry, struct error *err)
{
    if ((ini->count & (ini->count - 1)) == 0) { /* room is made at 0, 1, 2, 4 ... */
        size_t count = ini->count ? 2 * ini->count : 1;
        struct entry *grown = reallocarray(ini->entries, count, sizeof *grown);

        if (!grown)
            return fail(err, ENOMEM, "no memory for %zu keys", count);
        ini->entries = grown;
    }
    ini->entries[ini->count++] = entry;
    return 0;
}

static int add_section(struct parsing *parsing, struct piece name, struct error *err)
{
    struct ini *ini = parsing->ini;
    size_t at = keep_text(ini, name);

    parsing->has_key = false;
    parsing->has_section = true;
    parsing->section = at;
    if (strcmp(text_at(ini, at), default_section) == 0)
        return 0; /* may come again, unlike others */
    return add_entry(ini, (struct entry){at, at + name.size, NO_VALUE, parsing->line},
                     err);
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static int add_key(struct parsing *parsing, struct piece text, struct error *err)
{
    struct ini *ini = parsing->ini;
    struct entry entry = {.section = parsing->section, .value = NO_VALUE};
    size_t split = 0;

    while (split < text.size && text.data[split] != '=' && text.data[split] != ':')
        split++;
    if (split == 0 || (split == text.size && !(ini->flags & INI_VALUELESS)))
        return fail(err, EINVAL, "line %u: neither a section nor a key", parsing->line);
    entry.line = parsing->line;
    entry.key = keep_text(ini, trim((struct piece){text.data, split}));
    lower(ini->arena.data + entry.key);
    if (split < text.size)
        entry.value = keep_text(
            ini, trim((struct piece){text.data + split + 1, text.size - split - 1}));
    parsing->has_key = true;
    return add_entry(ini, entry, err);
}

/* A deeper line goes on with the value above it, which is the last text stored. */
static int continue_value(struct parsing *parsing, struct piece text, struct error *err)
{
    struct bytes *arena = &parsing->ini->arena;

    if (last_entry(parsing)->value == NO_VALUE)
        return fail(err, EINVAL, "line %u: goes on with a key that has no value",
                    parsing->line);
    arena->size--; /* its NUL */
    append(arena, "\n", 1);
    append(arena, text.data, text.size);
    append(arena, "", 1);
    return 0;
}

/* "[name]", with whatever follows its last bracket. */
static bool is_section(struct piece text, struct piece *ret_name)
{
    const char *end = memrchr(text.data, ']', text.size);

    if (text.data[0] != '[' || !end || end - text.data < 2)
        return false;
    *ret_name = (struct piece){text.data + 1, (size_t)(end - text.data) - 1};
    return true;
}

static int parse_line(struct parsing *parsing, struct piece line, struct error *err)
{
    struct piece text = trim(line), name;
    size_t indent = (size_t)(text.data - line.data);

    if (text.size == 0)
        return parsing->has_key && last_entry(parsing)->value != NO_VALUE
                   ? continue_value(parsing, text, err)
                   : 0;
    if (text.data[0] == '#' || text.data[0] == ';')
        return 0;
    if (parsing->has_key && indent > parsing->indent)
        return continue_value(parsing, text, err);
    parsing->indent = indent;
    if (is_section(text, &name))
        return add_section(parsing, name, err);
    if (!parsing->has_section)
        return fail(err, EINVAL, "line %u: stands before the first [section]",
                    parsing->line);
    return add_key(parsing, text, err);
}

static int parse_lines(struct ini *ini, const char *text, size_t size, struct error *err)
{
    struct parsing parsing = {.ini = ini};
    size_t at = 0;

    while (at < size) {
        size_t end = at;
        int rc;

        while (end < size && text[end] != '\n' && text[end] != '\r')
            end++;
        parsing.line++;
        rc = parse_line(&parsing, (struct piece){text + at, end - at}, err);
        if (rc < 0)
            return rc;
        at = end + (end + 1 < size && text[end] == '\r' && text[end + 1] == '\n' ? 2 : 1);
    }
    return 0;
}

/* Empty lines at the end of a value do not count. */
static void trim_values(struct ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        char *value;
        size_t size;

        if (ini->entries[i].value == NO_VALUE)
            continue;
        value = ini->arena.data + ini->entries[i].value;
        size = strlen(value);
        while (size > 0 && is_blank(value[size - 1]))
            size--;
        value[size] = '\0';
    }
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct entry *const *left = a, *const *right = b;
    const struct ini *ini = arg;
    int order = strcmp(text_at(ini, (*left)->section), text_at(ini, (*right)->section));

    return order ? order
                 : strcmp(text_at(ini, (*left)->key), text_at(ini, (*right)->key));
}

static int refuse_twins(struct ini *ini, struct error *err)
{
    CLEANUP_FREE struct entry **sorted = malloc((ini->count + 1) * sizeof *sorted);

    if (!sorted)
        return fail(err, ENOMEM, "no memory for %zu keys", ini->count);
    for (size_t i = 0; i < ini->count; i++)
        sorted[i] = &ini->entries[i];
    qsort_r(sorted, ini->count, sizeof *sorted, compare, ini);
    for (size_t i = 1; i < ini->count; i++) {
        struct entry *first = sorted[i - 1], *second = sorted[i];

        if (compare(&first, &second, ini) == 0)
            return fail(err, EINVAL, "lines %u and %u: the same %s twice",
                        first->line < second->line ? first->line : second->line,
                        first->line < second->line ? second->line : first->line,
                        *text_at(ini, first->key) ? "key" : "section");
    }
    return 0;
}

static int parse(struct ini *ini, const char *text, size_t size, struct error *err)
{
    int rc;

    if (size > INI_BYTES_MAX)
        return fail(err, EFBIG, "more than %d bytes", INI_BYTES_MAX);
    if (memchr(text, '\0', size))
        return fail(err, EINVAL, "a NUL in it: this is no text");
    bytes_init(&ini->arena, INI_BYTES_MAX + ARENA_EXTRA);
    rc = bytes_reserve(&ini->arena, size + ARENA_EXTRA, err);
    if (rc == 0)
        rc = parse_lines(ini, text, size, err);
    if (rc == 0)
        rc = refuse_twins(ini, err);
    if (rc == 0)
        trim_values(ini);
    return rc;
}

int ini_parse(const char *text, size_t size, enum ini_flags flags, struct ini **ret_ini,
              struct error *err)
{
    struct ini *ini = XNEW(struct ini);
    int rc;

    ini->flags = flags;
    rc = parse(ini, text, size, err);
    if (rc < 0)
        ini_free(ini);
    else
        *ret_ini = ini;
    return rc;
}

void ini_free(struct ini *ini)
{
    if (!ini)
        return;
    bytes_wipe(&ini->arena);
    free(ini->entries);
    free(ini);
}

const char *ini_section(const struct ini *ini, size_t index)
{
    for (size_t i = 0; i < ini->count; i++)
        if (*text_at(ini, ini->entries[i].key) == '\0' && index-- == 0)
            return text_at(ini, ini->entries[i].section);
    return NULL;
}

static const struct entry *find_in(const struct ini *ini, const char *section,
                                   const char *key)
{
    for (size_t i = 0; i < ini->count; i++)
        if (strcmp(text_at(ini, ini->entries[i].key), key) == 0 &&
            strcmp(text_at(ini, ini->entries[i].section), section) == 0)
            return &ini->entries[i];
    return NULL;
}

static const struct entry *find(const struct ini *ini, const char *section,
                                const char *key)
{
    const struct entry *entry = find_in(ini, section, key);

    return entry || !find_in(ini, section, "") ? entry
                                               : find_in(ini, default_section, key);
}

/* The value of a key with its references put in. */
struct expansion {
    const struct ini *ini;
    const char *section;
    unsigned line;
    unsigned count; /* of references so far */
    struct bytes to;
};

static int fail_reference(const struct expansion *expansion, const char *what,
                          struct error *err)
{
    return fail(err, EINVAL,
                "line %u: a '%%' stands for '%%(key)s'%s; write '%%%%' for one '%%'",
                expansion->line, what);
}

/* The value that "%(key)s" at *text stands for; moves *text behind it. */
static int look_up(struct expansion *expansion, const char **text, const char **ret_value,
                   struct error *err)
{
    const char *name = *text + 2;
    size_t size = strcspn(*text + 1, ")") - 1;
    CLEANUP_FREE char *key = NULL;
    const struct entry *entry;

    if ((*text)[1] != '(' || size == 0 || strncmp(name + size, ")s", 2) != 0)
        return fail_reference(expansion, "", err);
    key = xstrndup(name, size);
    lower(key);
    entry = find(expansion->ini, expansion->section, key);
    if (!entry || entry->value == NO_VALUE)
        return fail_reference(expansion, ", and there is no such key", err);
    if (++expansion->count > INTERPOLATIONS_MAX)
        return fail_reference(expansion, ", but not for that many", err);
    *ret_value = text_at(expansion->ini, entry->value);
    *text = name + size + 2;
    return 0;
}

static int expand(struct expansion *expansion, const char *text, int depth,
                  struct error *err)
{
    if (depth > INTERPOLATION_DEPTH_MAX)
        return fail_reference(expansion, ", but not in one another that deep", err);
    for (;;) {
        size_t plain = strcspn(text, "%");
        const char *value = NULL;
        int rc = bytes_append(&expansion->to, text, plain, err);

        text += plain;
        if (rc < 0 || *text == '\0')
            return rc;
        if (text[1] == '%') {
            rc = bytes_append(&expansion->to, "%", 1, err);
            text += 2;
        } else {
            rc = look_up(expansion, &text, &value, err);
            if (rc == 0)
                rc = strchr(value, '%')
                         ? expand(expansion, value, depth + 1, err)
                         : bytes_append(&expansion->to, value, strlen(value), err);
        }
        if (rc < 0)
            return rc;
    }
}

static int interpolate(const struct ini *ini, const char *section,
                       const struct entry *entry, char **ret_value, struct error *err)
{
    const char *text = text_at(ini, entry->value);
    struct expansion expansion = {.ini = ini, .section = section, .line = entry->line};
    int rc;

    bytes_init(&expansion.to, INI_BYTES_MAX);
    rc = bytes_reserve(&expansion.to, strlen(text), err);
    if (rc == 0)
        rc = expand(&expansion, text, 1, err);
    if (rc == 0) {
        *ret_value = bytes_detach(&expansion.to);
        return 1;
    }
    bytes_wipe(&expansion.to);
    return rc;
}

int ini_get(const struct ini *ini, const char *section, const char *key, char **ret_value,
            struct error *err)
{
    const struct entry *entry = find(ini, section, key);

    if (!entry)
        return 0;
    if (entry->value != NO_VALUE && (ini->flags & INI_INTERPOLATE))
        return interpolate(ini, section, entry, ret_value, err);
    *ret_value = entry->value == NO_VALUE ? NULL : xstrdup(text_at(ini, entry->value));
    return 1;
}
