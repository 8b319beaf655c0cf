/* listing.c: names in one block of memory, sorted, each once. */
#include "resolver/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 16 };

void listing_builder_init(struct listing_builder *builder)
{
    *builder = (struct listing_builder){0};
    bytes_init(&builder->names, LISTING_BYTES_MAX);
}

void listing_builder_done(struct listing_builder *builder)
{
    bytes_done(&builder->names);
    free(builder->offsets);
    *builder = (struct listing_builder){0};
}

int listing_add(struct listing_builder *builder, const char *name, struct error *err)
{
    size_t offset = builder->names.size;
    int rc;

    if (builder->count == LISTING_NAMES_MAX)
        return fail(err, EFBIG, "more than %d names", LISTING_NAMES_MAX);
    if (builder->count == builder->capacity) {
        size_t capacity = builder->capacity + builder->capacity / 2 + CAPACITY_MIN;
        uint32_t *offsets = realloc(builder->offsets, capacity * sizeof *offsets);

        if (!offsets)
            return fail(err, ENOMEM, "no memory for %zu names", capacity);
        builder->offsets = offsets;
        builder->capacity = capacity;
    }
    rc = bytes_append(&builder->names, name, strlen(name) + 1, err);
    if (rc < 0)
        return rc;
    builder->offsets[builder->count++] = (uint32_t)offset;
    return 0;
}

struct order {
    const char *text;
    listing_compare *compare;
};

static int compare_offsets(const void *left, const void *right, void *arg)
{
    const struct order *order = arg;

    return order->compare(order->text + *(const uint32_t *)left,
                          order->text + *(const uint32_t *)right);
}

static size_t drop_repeated(const char *text, uint32_t *offsets, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(text + offsets[kept - 1], text + offsets[i]) != 0)
            offsets[kept++] = offsets[i];
    return kept;
}

/* As names are that were sorted before: a million of them take a moment then. */
static bool is_sorted(const struct order *order, const uint32_t *offsets, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (order->compare(order->text + offsets[i - 1], order->text + offsets[i]) >= 0)
            return false;
    return true;
}

/* The offsets are sorted, not the pointers: half the memory at the worst moment. */
int listing_finish(struct listing_builder *builder, listing_compare *compare,
                   struct listing **ret_listing, struct error *err)
{
    struct order order = {.text = builder->names.data, .compare = compare};
    size_t count = builder->count, size = builder->names.size;
    struct listing *listing;

    if (compare && !is_sorted(&order, builder->offsets, count)) {
        qsort_r(builder->offsets, count, sizeof *builder->offsets, compare_offsets,
                &order);
        count = drop_repeated(order.text, builder->offsets, count);
    }
    listing = malloc(sizeof *listing + count * sizeof *listing->names);
    if (!listing)
        return fail(err, ENOMEM, "no memory for %zu names", count);
    *listing = (struct listing){.count = count,
                                .memory_bytes = sizeof *listing + size +
                                                count * sizeof *listing->names,
                                .refs = 1,
                                .text = bytes_detach(&builder->names)};
    for (size_t i = 0; i < count; i++)
        listing->names[i] = listing->text + builder->offsets[i];
    listing_builder_done(builder);
    listing_builder_init(builder);
    *ret_listing = listing;
    return 0;
}

struct listing *listing_ref(struct listing *listing)
{
    listing->refs++;
    return listing;
}

void listing_unref(struct listing *listing)
{
    if (listing && --listing->refs == 0) {
        free(listing->text);
        free(listing);
    }
}

bool listing_has(const struct listing *listing, listing_compare *compare,
                 const char *name)
{
    size_t low = 0, high = listing->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, listing->names[middle]);

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
