/* yaml_tree.c: the memory that holds a YAML tree. */
#include "common/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_MIN = 4 << 10, /* most documents are small */
    CHUNK_MAX = 1 << 20,
    ALIGNMENT = 16,
};

struct yaml_chunk {
    struct yaml_chunk *next;
    size_t used, size;
    _Alignas(ALIGNMENT) char data[];
};

static struct yaml_chunk *chunk_add(struct yaml *yaml, size_t size)
{
    size_t next = yaml->chunks ? yaml->chunks->size * 2 : CHUNK_MIN;
    struct yaml_chunk *chunk;

    if (next > CHUNK_MAX)
        next = CHUNK_MAX;
    if (next < size)
        next = size;
    chunk = calloc(1, sizeof *chunk + next);
    if (!chunk)
        return NULL;
    chunk->size = next;
    chunk->next = yaml->chunks;
    yaml->chunks = chunk;
    return chunk;
}

void *yaml_tree_alloc(struct yaml *yaml, size_t size)
{
    struct yaml_chunk *chunk = yaml->chunks;
    void *result;

    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!chunk || chunk->size - chunk->used < size)
        chunk = chunk_add(yaml, size);
    if (!chunk)
        return NULL;
    result = chunk->data + chunk->used;
    chunk->used += size;
    return result;
}

const char *yaml_tree_copy(struct yaml *yaml, const char *data, size_t size)
{
    char *copy = yaml_tree_alloc(yaml, size + 1);

    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

void yaml_tree_free(struct yaml *yaml)
{
    if (!yaml)
        return;
    while (yaml->chunks) {
        struct yaml_chunk *next = yaml->chunks->next;

        free(yaml->chunks);
        yaml->chunks = next;
    }
    free(yaml);
}
