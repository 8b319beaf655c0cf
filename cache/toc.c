/* toc.c: look-ups in the table of contents. */
#include "cache/toc.h"

#include "cache/toc_block.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint32_t toc_count(const struct toc *toc)
{
    return toc->block->count;
}

const struct toc_entry *toc_entry(const struct toc *toc, uint32_t index)
{
    assert(index < toc->block->count);
    return &toc->entries[index];
}

const char *toc_name(const struct toc *toc, uint32_t index)
{
    return toc->names + toc_entry(toc, index)->name;
}

/* Sorted by bytes, a shorter name before its continuations. */
int toc_child(const struct toc *toc, uint32_t folder, const char *name,
              uint32_t *ret_index)
{
    const struct toc_entry *parent = toc_entry(toc, folder);
    uint32_t low = parent->first_child;
    uint32_t high = low + parent->child_count; /* files have no children */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(name, toc_name(toc, middle));

        if (order == 0) {
            *ret_index = middle;
            return 0;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -ENOENT;
}

void toc_path(const struct toc *toc, uint32_t index, char *buffer)
{
    size_t size = 0;

    for (uint32_t i = index; i; i = toc->entries[i].parent)
        size += toc->entries[i].name_size + 1u;
    if (size)
        size--; /* n parts have n - 1 slashes */
    assert(size <= TOC_PATH_MAX);
    buffer[size] = '\0';
    for (uint32_t i = index; i; i = toc->entries[i].parent) {
        const struct toc_entry *entry = toc_entry(toc, i);

        size -= entry->name_size;
        memcpy(buffer + size, toc->names + entry->name, entry->name_size);
        if (size)
            buffer[--size] = '/';
    }
}

uint64_t toc_total_size(const struct toc *toc)
{
    return toc->block->total_size;
}

uint32_t toc_file_count(const struct toc *toc)
{
    return toc->block->file_count;
}

const char *toc_digest(const struct toc *toc)
{
    return toc->block->digest;
}

void toc_free(struct toc *toc)
{
    if (!toc)
        return;
    if (toc->is_mapped)
        munmap(toc->block, toc->size);
    else
        free(toc->block);
    free(toc);
}
