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

static uint64_t offset_of_member(const struct toc *toc, uint32_t index)
{
    return toc_entry(toc, index)->archive_first;
}

/* No two files begin at one byte. */
static int compare(const void *left, const void *right, void *arg)
{
    uint64_t a = offset_of_member(arg, *(const uint32_t *)left);
    uint64_t b = offset_of_member(arg, *(const uint32_t *)right);

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
        if (order->count > 0 && offset_of_member(toc, order->indexes[order->count - 1]) >
                                    offset_of_member(toc, i))
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

uint32_t order_at(const struct order *order, uint32_t position)
{
    assert(position < order->count);
    return order->indexes[position];
}

uint32_t order_find(const struct order *order, uint32_t index)
{
    uint64_t wanted = offset_of_member(order->toc, index);
    uint32_t low = 0, high = order->count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (offset_of_member(order->toc, order->indexes[middle]) <= wanted)
            low = middle;
        else
            high = middle;
    }
    assert(order->indexes[low] == index);
    return low;
}
