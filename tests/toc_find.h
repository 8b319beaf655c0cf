/* toc_find.h: a path in a table of contents, for tests: the mount goes name by name. */
#ifndef TESTS_TOC_FIND_H
#define TESTS_TOC_FIND_H

#include "cache/toc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Index of a path with "/" between its parts; "" is 0. -ENOENT, and 0. */
static inline int toc_find(const struct toc *toc, const char *path, uint32_t *ret_index)
{
    uint32_t index = 0;
    char name[NAME_MAX + 2];

    *ret_index = 0;
    while (*path) {
        size_t size = strcspn(path, "/");

        if (size > NAME_MAX)
            return -ENOENT;
        snprintf(name, sizeof name, "%.*s", (int)size, path);
        if (toc_child(toc, index, name, &index) < 0)
            return -ENOENT;
        path += size;
        if (*path == '/' && *++path == '\0')
            return -ENOENT;
    }
    *ret_index = index;
    return 0;
}

#endif
