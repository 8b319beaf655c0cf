/* toc_sort.h: paths in the order of their bytes. Pure. */
#ifndef CACHE_TOC_SORT_H
#define CACHE_TOC_SORT_H

#include "cache/toc.h"

/* The indexes of entries in the order of their paths: the name_size bytes that each has
 * at name in paths. A path comes before those that continue it with a NUL; equal ones
 * stand side by side. Takes about n log n time whatever the paths. -ENOMEM. Freed by the
 * caller.
 */
int toc_sort(const struct toc_entry *entries, uint32_t count, const char *paths,
             uint32_t **ret_order, struct error *err);

#endif
