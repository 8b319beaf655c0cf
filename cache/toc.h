/* toc.h: the table of contents of an archive: every file and folder, checked once.
 *
 * Entry 0 is the top folder. Entries stand in breadth-first order, the children of a
 * folder side by side and sorted by their bytes; folders that the archive only implies
 * are entries too. All names were checked when the table was built (toc_name.h): any path
 * below is safe to create.
 *
 * A table is one block of memory, the same on disk (toc_file.h); it is constant, so all
 * functions are thread-safe. */
#ifndef CACHE_TOC_H
#define CACHE_TOC_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    TOC_ENTRIES_MAX = 2 << 20, /* files and folders */
    TOC_PATH_MAX = 4095,       /* bytes */
    TOC_DEPTH_MAX = 256,
    TOC_DIGEST_SIZE = 33, /* 32 hex digits and a NUL */
};

enum toc_kind {
    TOC_FOLDER,
    TOC_FILE,
};

enum toc_method {
    TOC_STORED = 0,
    TOC_DEFLATED = 8,
    TOC_UNSUPPORTED = 255, /* another method, or encrypted */
};

struct toc_entry {
    uint64_t size;          /* bytes of content */
    uint64_t archive_first; /* offset of the local header in the archive */
    uint64_t archive_last;  /* last byte that can belong to the member */
    uint64_t packed_size;   /* bytes of content in the archive */
    int64_t mtime_s;        /* Unix time, zip time taken as UTC; folders: 0 */
    uint32_t name;          /* offset of the name in the block of names */
    uint32_t parent;        /* index of the folder it is in; 0 of entry 0 */
    uint32_t first_child;   /* folders: index of the first child */
    uint32_t child_count;   /* folders */
    uint32_t crc32;
    uint16_t name_size;   /* bytes; 0 of entry 0 */
    uint16_t flags;       /* general purpose flags of the central directory */
    uint8_t kind;         /* enum toc_kind */
    uint8_t method;       /* enum toc_method */
    uint8_t execute_bits; /* of the archive's mode: mode & 0111 */
    uint8_t reserved[5];  /* zero */
};

struct toc;

uint32_t toc_count(const struct toc *toc); /* entries, at least 1 */
const struct toc_entry *toc_entry(const struct toc *toc, uint32_t index);

/* The entry's own name, ended by NUL; "" of entry 0. */
const char *toc_name(const struct toc *toc, uint32_t index);

/* Index of the child of a folder; -ENOENT (also when folder is a file). */
int toc_child(const struct toc *toc, uint32_t folder, const char *name,
              uint32_t *ret_index);

/* The path from the top folder, ended by NUL; buffer holds TOC_PATH_MAX + 1 bytes. */
void toc_path(const struct toc *toc, uint32_t index, char *buffer);

uint64_t toc_total_size(const struct toc *toc); /* sum of all sizes */
uint32_t toc_file_count(const struct toc *toc);

/* Names the content: equal digests are equal tables. Hex. */
const char *toc_digest(const struct toc *toc);

void toc_free(struct toc *toc); /* accepts NULL */

#endif
