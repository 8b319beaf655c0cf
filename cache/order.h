/* order.h: the files of a table of contents in the order in which they lie in the
 * archive. Constant; no lock, no I/O. */
#ifndef CACHE_ORDER_H
#define CACHE_ORDER_H

#include "cache/toc.h"
#include "common/error.h"

#include <stdint.h>

struct order;

/* 4 bytes a file. -ENOMEM. order_free the result. */
int order_new(const struct toc *toc, struct order **ret_order, struct error *err);
void order_free(struct order *order); /* accepts NULL */

uint32_t order_count(const struct order *order);

/* Index in the table of the file at a place. */
uint32_t order_at(const struct order *order, uint32_t position);

/* The place of a file. */
uint32_t order_find(const struct order *order, uint32_t index);

#endif
