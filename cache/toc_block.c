/* toc_block.c: the block of memory that a table is: made, sealed, and checked when it
 * comes back from disk. */
#include "cache/toc_block.h"

#include "cache/checksum.h"
#include "cache/toc_name.h"
#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct toc_entry) == 72, "saved tables have entries of 72 bytes");
_Static_assert(sizeof(struct toc_block) == 88, "saved tables have a head of 88 bytes");
_Static_assert((int)TOC_DIGEST_SIZE == (int)CHECKSUM_HEX_SIZE, "a digest is 128 bits");

/* Size of a block; 0 if it would not fit. */
static size_t block_size(uint64_t count, uint64_t names_size)
{
    if (count > TOC_ENTRIES_MAX || names_size > count * (TOC_NAME_MAX + 1))
        return 0;
    return (size_t)(sizeof(struct toc_block) + count * sizeof(struct toc_entry) +
                    names_size);
}

static void find_parts(struct toc *toc)
{
    toc->entries = (struct toc_entry *)(toc->block + 1);
    toc->names = (char *)(toc->entries + toc->block->count);
}

struct toc *toc_block_new(uint32_t count, size_t names_size)
{
    CLEANUP_FREE struct toc *toc = XNEW(struct toc);

    toc->size = block_size(count, names_size);
    toc->block = toc->size ? calloc(1, toc->size) : NULL;
    if (!toc->block)
        return NULL;
    *toc->block = (struct toc_block){
        .magic = TOC_BLOCK_MAGIC,
        .layout = TOC_BLOCK_LAYOUT,
        .entry_size = sizeof(struct toc_entry),
        .names_size = names_size,
        .count = count,
    };
    find_parts(toc);
    return steal_ptr(&toc);
}

static uint64_t checksum_of(const struct toc *toc)
{
    struct checksum *sum = checksum_new();
    struct toc_block head = *toc->block;
    uint64_t value;

    head.checksum = 0;
    checksum_add(sum, &head, sizeof head);
    checksum_add(sum, toc->entries, toc->size - sizeof head);
    value = checksum_value(sum);
    checksum_free(sum);
    return value;
}

void toc_block_seal(struct toc *toc)
{
    struct toc_block *block = toc->block;

    block->total_size = 0;
    block->file_count = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        block->total_size += toc->entries[i].size;
        block->file_count += toc->entries[i].kind == TOC_FILE;
    }
    checksum_xxh3_hex(toc->entries, toc->size - sizeof *block, block->digest);
    block->checksum = checksum_of(toc);
}

/* What is wrong with the head, NULL if nothing. */
static const char *head_complaint(const struct toc_block *head, size_t size)
{
    static const char zeros[sizeof head->reserved];

    if (size < sizeof *head || head->magic != TOC_BLOCK_MAGIC)
        return "is no table of contents";
    if (head->layout != TOC_BLOCK_LAYOUT || head->entry_size != sizeof(struct toc_entry))
        return "has the layout of another version";
    if (head->count == 0 || block_size(head->count, head->names_size) != size)
        return "has not the size that it says";
    if (memcmp(head->reserved, zeros, sizeof zeros) != 0)
        return "has an unknown field";
    return NULL;
}

static bool facts_are_sane(const struct toc_entry *entry)
{
    static const char zeros[sizeof entry->reserved];
    uint64_t span = entry->archive_last - entry->archive_first;

    if (memcmp(entry->reserved, zeros, sizeof zeros) != 0 ||
        (entry->execute_bits & ~0111) != 0)
        return false;
    if (entry->kind == TOC_FOLDER)
        return entry->size == 0 && entry->packed_size == 0 && entry->archive_first == 0 &&
               entry->archive_last == 0 && entry->mtime_s == 0 && entry->crc32 == 0 &&
               entry->flags == 0 && entry->method == 0 && entry->execute_bits == 0;
    if (entry->kind != TOC_FILE || entry->first_child || entry->child_count)
        return false;
    if (entry->method != TOC_STORED && entry->method != TOC_DEFLATED &&
        entry->method != TOC_UNSUPPORTED)
        return false;
    if (entry->method == TOC_STORED && entry->packed_size != entry->size)
        return false;
    if (entry->archive_last == 0) /* made from a folder on disk */
        return entry->archive_first == 0 && entry->method == TOC_STORED;
    return entry->archive_first < entry->archive_last && entry->packed_size < span;
}

/* The state of a pass over the entries, which stand in breadth-first order. */
struct scan {
    const struct toc *toc;
    uint16_t *path_sizes; /* of the entries so far */
    uint64_t name;        /* where the next name must begin */
    uint64_t next_child;  /* where the next folder's children must begin */
    uint64_t content;
    uint32_t level_end; /* index behind the last entry of this depth */
    unsigned depth;
};

static bool name_is_sane(struct scan *scan, uint32_t index)
{
    const struct toc *toc = scan->toc;
    const struct toc_entry *entry = &toc->entries[index];
    const char *name = toc->names + scan->name;
    uint64_t end = scan->name + entry->name_size;
    size_t path_size = 0;

    if (entry->name != scan->name || end >= toc->block->names_size || toc->names[end])
        return false;
    if (index == 0)
        return entry->name_size == 0;
    if (!toc_name_is_safe(name, entry->name_size))
        return false;
    path_size = scan->path_sizes[entry->parent];
    path_size += (path_size ? 1u : 0u) + entry->name_size;
    scan->path_sizes[index] = (uint16_t)path_size;
    if (path_size > TOC_PATH_MAX)
        return false;
    /* Side by side in a folder: sorted, and so different. The one before ends in NUL. */
    return index == 1 || toc->entries[index - 1].parent != entry->parent ||
           strcmp(toc->names + toc->entries[index - 1].name, name) < 0;
}

static bool entry_is_sane(struct scan *scan, uint32_t index)
{
    const struct toc *toc = scan->toc;
    const struct toc_entry *entry = &toc->entries[index];
    const struct toc_entry *parent = &toc->entries[entry->parent];

    if (index == scan->level_end) {
        scan->level_end = (uint32_t)scan->next_child;
        scan->depth++;
    }
    if (scan->depth > TOC_DEPTH_MAX || !facts_are_sane(entry))
        return false;
    if (index == 0 ? entry->parent != 0 || entry->kind != TOC_FOLDER
                   : entry->parent >= index || parent->kind != TOC_FOLDER ||
                         index < parent->first_child ||
                         index - parent->first_child >= parent->child_count)
        return false;
    if (entry->child_count) {
        if (entry->first_child != scan->next_child)
            return false;
        scan->next_child += entry->child_count;
        if (scan->next_child > toc->block->count)
            return false;
    } else if (entry->first_child) {
        return false;
    }
    if (entry->size > TOC_CONTENT_MAX - scan->content)
        return false;
    scan->content += entry->size;
    if (!name_is_sane(scan, index))
        return false;
    scan->name += entry->name_size + 1u;
    return true;
}

static int check_entries(const struct toc *toc, struct error *err)
{
    CLEANUP_FREE uint16_t *path_sizes = calloc(toc->block->count, sizeof *path_sizes);
    struct scan scan = {
        .toc = toc, .path_sizes = path_sizes, .next_child = 1, .level_end = 1};
    uint32_t file_count = 0;

    if (!path_sizes)
        return fail(err, ENOMEM, "no memory to check %u entries", toc->block->count);
    for (uint32_t i = 0; i < toc->block->count; i++) {
        if (!entry_is_sane(&scan, i))
            return fail(err, EBADMSG, "entry %u makes no sense", i);
        file_count += toc->entries[i].kind == TOC_FILE;
    }
    if (scan.next_child != toc->block->count || scan.name != toc->block->names_size ||
        scan.content != toc->block->total_size || file_count != toc->block->file_count)
        return fail(err, EBADMSG, "its sums are wrong");
    return 0;
}

int toc_block_open(void *map, size_t size, struct toc **ret_toc, struct error *err)
{
    CLEANUP_FREE struct toc *toc = XNEW(struct toc);
    const char *complaint = head_complaint(map, size);
    char digest[CHECKSUM_HEX_SIZE];
    int rc;

    if (complaint)
        return fail(err, EBADMSG, "it %s", complaint);
    toc->block = map;
    toc->size = size;
    toc->is_mapped = true;
    find_parts(toc);
    if (toc->block->checksum != checksum_of(toc))
        return fail(err, EBADMSG, "it is damaged: its checksum is wrong");
    checksum_xxh3_hex(toc->entries, size - sizeof *toc->block, digest);
    if (memcmp(digest, toc->block->digest, sizeof digest) != 0)
        return fail(err, EBADMSG, "its digest is wrong");
    rc = check_entries(toc, err);
    if (rc < 0)
        return rc;
    *ret_toc = steal_ptr(&toc);
    return 0;
}
