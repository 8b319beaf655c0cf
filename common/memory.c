/* memory.c: allocation that aborts when there is none. */
#include "common/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xcalloc(size_t count, size_t size)
{
    void *result = calloc(count, size);

    if (!result)
        abort();
    return result;
}

char *xstrdup(const char *text)
{
    char *result = strdup(text);

    if (!result)
        abort();
    return result;
}

char *xstrndup(const char *text, size_t size_max)
{
    char *result = strndup(text, size_max);

    if (!result)
        abort();
    return result;
}

char *xasprintf(const char *format, ...)
{
    char *result = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&result, format, args) < 0)
        abort();
    va_end(args);
    return result;
}
