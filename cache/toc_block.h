/* toc_block.h: how a table of contents lies in memory and on disk; for cache/toc*.c only.
 *
 * A block is the head, the entries, and the names, each ended by NUL, in the order of the
 * entries. It has no pointers and is read in place: a saved table is mapped, and its
 * pages belong to the file. Numbers are the machine's own: the magic of a machine with
 * another byte order does not match. */
#ifndef CACHE_TOC_BLOCK_H
#define CACHE_TOC_BLOCK_H

#include "cache/toc.h"

enum { TOC_BLOCK_LAYOUT = 1 }; /* goes up with each change of the structs */

#define TOC_BLOCK_MAGIC 0x636f7473666c646dULL
#define TOC_CONTENT_MAX ((uint64_t)1 << 50) /* bytes, of all files together */

struct toc_block {
    uint64_t magic;
    uint32_t layout;
    uint32_t entry_size; /* sizeof(struct toc_entry) */
    uint64_t checksum;   /* XXH3 of the whole block with this field zero */
    uint64_t total_size; /* bytes of content */
    uint64_t names_size; /* bytes of all names with their NULs */
    uint32_t count;      /* entries */
    uint32_t file_count;
    char digest[TOC_DIGEST_SIZE]; /* XXH3-128 of entries and names */
    char reserved[7];             /* zero */
};

/* What the rest of the program holds. */
struct toc {
    struct toc_block *block;
    struct toc_entry *entries; /* in the block */
    char *names;               /* in the block */
    size_t size;               /* of the block, bytes */
    bool is_mapped;            /* else from malloc */
};

/* A table with room for so many entries and bytes of names, all zero. NULL without
 * memory. Fill it, then seal it. */
struct toc *toc_block_new(uint32_t count, size_t names_size);

/* Compute sums, digest and checksum. */
void toc_block_seal(struct toc *toc);

/* Take over a mapped block and check it from end to end: afterwards every function of
 * toc.h is safe. -EBADMSG with what is wrong; then the mapping stays the caller's. */
int toc_block_open(void *map, size_t size, struct toc **ret_toc, struct error *err);

#endif
