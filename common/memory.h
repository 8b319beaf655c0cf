/* memory.h: allocation of small things of fixed size, which aborts rather than fails.
 *
 * The supervisor starts a new worker after an abort. An allocation whose size comes from
 * input uses malloc and answers -ENOMEM instead. All results are freed with free(). */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stddef.h>

void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t size_max)
    __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, returns_nonnull));

#define XNEW(type) ((type *)xcalloc(1, sizeof(type)))

#endif
