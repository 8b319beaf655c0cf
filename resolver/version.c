/* version.c: audmodel's order of versions. */
#include "resolver/version.h"

#include <stddef.h>
#include <string.h>

enum item_kind {
    ITEM_NONE, /* the list ends; before everything */
    ITEM_NUMBER,
    ITEM_TEXT,
};

struct item {
    enum item_kind kind;
    const char *text; /* of numbers: without leading zeros */
    size_t size;
};

enum letter {
    LETTER_END,
    LETTER_DOT,
    LETTER_DIGIT,
    LETTER_LOWER,
    LETTER_REST,
};

static enum letter letter_of(char c)
{
    if (c == '\0')
        return LETTER_END;
    if (c == '.')
        return LETTER_DOT;
    if (c >= '0' && c <= '9')
        return LETTER_DIGIT;
    return c >= 'a' && c <= 'z' ? LETTER_LOWER : LETTER_REST;
}

/* The next item; *at moves behind it. */
static struct item next_item(const char **at)
{
    struct item item = {.kind = ITEM_NONE};
    enum letter letter;

    while (letter_of(**at) == LETTER_DOT)
        (*at)++;
    letter = letter_of(**at);
    if (letter == LETTER_END)
        return item;
    item.kind = letter == LETTER_DIGIT ? ITEM_NUMBER : ITEM_TEXT;
    item.text = *at;
    while (letter_of(**at) == letter)
        (*at)++;
    while (item.kind == ITEM_NUMBER && *item.text == '0' && item.text + 1 < *at)
        item.text++;
    item.size = (size_t)(*at - item.text);
    return item;
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_items(const struct item *a, const struct item *b)
{
    size_t common = a->size < b->size ? a->size : b->size;
    int order;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == ITEM_NONE)
        return 0;
    if (a->kind == ITEM_NUMBER && a->size != b->size)
        return compare_sizes(a->size, b->size);
    order = memcmp(a->text, b->text, common);
    return order ? order : compare_sizes(a->size, b->size);
}

int version_compare(const char *a, const char *b)
{
    const char *a_at = a + (*a == 'v');
    const char *b_at = b + (*b == 'v');

    for (;;) {
        struct item a_item = next_item(&a_at);
        struct item b_item = next_item(&b_at);
        int order = compare_items(&a_item, &b_item);

        if (order)
            return order;
        if (a_item.kind == ITEM_NONE)
            return strcmp(a, b);
    }
}
