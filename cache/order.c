/* order.c: the files of a table of contents in the order in which they lie in the
 * archive.
 */
#include "cache/order.h"

#include "common/cleanup.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct order {
    const struct toc *toc;
    uint32_t count;
    uint32_t *indexes;
};

static uint64_t place_of(const struct toc *toc, uint32_t index)
{
    return toc_entry(toc, index)->archive_first;
}

/* No two files begin at one byte. */
static int compare(const void *left, const void *right, void *arg)
{
    uint64_t a = place_of(arg, *(const uint32_t *)left);
    uint64_t b = place_of(arg, *(const uint32_t *)right);

    return (a > b) - (a < b);
}

int order_new(const struct toc *toc, struct order **ret_order, struct error *err)
{
    struct order *order = XNEW(struct order);
    bool is_sorted = true;

    order->toc = toc;
    order->indexes = calloc((size_t)toc_file_count(toc) + 1, sizeof *order->indexes);
    if (!order->indexes) {
        order_free(order);
        return fail(err, ENOMEM, "no memory to sort %u files", toc_file_count(toc));
    }
    for (uint32_t i = 0; i < toc_count(toc); i++) {
        if (toc_entry(toc, i)->kind != TOC_FILE)
            continue;
        if (order->count > 0 &&
            place_of(toc, order->indexes[order->count - 1]) > place_of(toc, i))
            is_sorted = false;
        order->indexes[order->count++] = i;
    }
    if (!is_sorted)
        qsort_r(order->indexes, order->count, sizeof *order->indexes, compare,
                (void *)toc);
    *ret_order = order;
    return 0;
}

void order_free(struct order *order)
{
    if (!order)
        return;
    free(order->indexes);
    free(order);
}

uint32_t order_count(const struct order *order)
{
    return order->count;
}

uint32_t order_at(const struct order *order, uint32_t place)
{
    assert(place < order->count);
    return order->indexes[place];
}

uint32_t order_find(const struct order *order, uint32_t index)
{
    uint64_t wanted = place_of(order->toc, index);
    uint32_t low = 0, high = order->count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (place_of(order->toc, order->indexes[middle]) <= wanted)
            low = middle;
        else
            high = middle;
    }
    assert(order->indexes[low] == index);
    return low;
}
