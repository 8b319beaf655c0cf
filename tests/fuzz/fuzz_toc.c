/* fuzz_toc.c: any bytes are an archive or are refused; a table that comes out is sound,
 * survives the disk, and libzip (where it is installed) sees the same archive. */
#include "cache/toc_block.h"
#include "cache/toc_local.h"
#include "cache/toc_parse.h"
#include "tests/toc_find.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if __has_include(<zip.h>)
#include <zip.h>
#define HAS_LIBZIP 1
#else
#define HAS_LIBZIP 0
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every function of toc.h on every entry. */
static void walk(const struct toc *toc)
{
    uint32_t files = 0, next = 1;
    uint64_t total = 0;

    for (uint32_t i = 0; i < toc_count(toc); i++) {
        const struct toc_entry *entry = toc_entry(toc, i);
        char path[TOC_PATH_MAX + 1];
        uint32_t found;

        toc_path(toc, i, path);
        assert(strlen(path) <= TOC_PATH_MAX && path[0] != '/');
        assert(toc_find(toc, path, &found) == 0 && found == i);
        assert(entry->child_count == 0 || entry->first_child == next);
        next += entry->child_count;
        files += entry->kind == TOC_FILE;
        total += entry->size;
    }
    assert(next == toc_count(toc));
    assert(files == toc_file_count(toc) && total == toc_total_size(toc));
}

/* A block is opened again as if it came from disk. */
static void reopen(const struct toc *toc)
{
    void *map =
        mmap(NULL, toc->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct toc *again = NULL;
    struct error err = {0};

    assert(map != MAP_FAILED);
    memcpy(map, toc->block, toc->size);
    assert(toc_block_open(map, toc->size, &again, &err) == 0);
    assert(strcmp(toc_digest(again), toc_digest(toc)) == 0);
    toc_free(again);
}

static void check_headers(const struct toc *toc, const uint8_t *data, size_t size)
{
    for (uint32_t i = 0; i < toc_count(toc); i++) {
        const struct toc_entry *entry = toc_entry(toc, i);
        struct error err = {0};
        size_t header_size;

        if (entry->kind != TOC_FILE)
            continue;
        assert(entry->archive_last < size);
        if (toc_local_check(toc, i, data + entry->archive_first,
                            entry->archive_last - entry->archive_first + 1, &header_size,
                            &err) == 0)
            assert(entry->archive_first + header_size + entry->packed_size <=
                   entry->archive_last + 1);
    }
}

#if HAS_LIBZIP
/* libzip looks at all that is like an end record in the last 64 KiB, members included,
 * and may take one that bytes stand behind; Python takes the last one, as we do. */
static bool is_ambiguous(const uint8_t *data, size_t size)
{
    const uint8_t *first = memmem(data, size, "PK\5\6", 4);

    return memmem(first + 1, size - (size_t)(first + 1 - data), "PK\5\6", 4) != NULL;
}

/* libzip refuses control characters in UTF-8; audmodel writes them. */
static bool has_controls(const struct toc *toc)
{
    for (uint32_t i = 0; i < toc_count(toc); i++) {
        for (const char *at = toc_name(toc, i); *at; at++)
            if ((*at >= 0 && *at < ' ') || *at == 127)
                return true;
    }
    return false;
}

/* What we accept libzip opens, with as many entries, each of the same size. */
static void compare_with_libzip(const struct toc *toc, const struct toc_end *end,
                                const uint8_t *data, size_t size)
{
    zip_error_t error;
    zip_source_t *source = zip_source_buffer_create(data, size, 0, &error);
    zip_t *archive = zip_open_from_source(source, ZIP_RDONLY, &error);

    assert(archive);
    assert((uint64_t)zip_get_num_entries(archive, 0) == end->count);
    for (uint64_t i = 0; i < end->count; i++) {
        zip_stat_t stat;
        uint32_t index;

        assert(zip_stat_index(archive, i, ZIP_FL_ENC_GUESS, &stat) == 0);
        if (strchr(stat.name, '/') && stat.name[strlen(stat.name) - 1] == '/')
            continue;
        /* Other code pages than ours are guessed for names without the flag. */
        if (toc_find(toc, stat.name, &index) == 0 &&
            toc_entry(toc, index)->kind == TOC_FILE)
            assert(toc_entry(toc, index)->size == stat.size);
    }
    zip_discard(archive);
}
#endif

/* Any bytes as a saved table: refused, or sound. */
static void open_as_saved(const uint8_t *data, size_t size)
{
    struct toc *toc = NULL;
    struct error err = {0};
    void *map;

    if (size == 0)
        return;
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(map != MAP_FAILED);
    memcpy(map, data, size);
    if (toc_block_open(map, size, &toc, &err) < 0) {
        munmap(map, size);
        return;
    }
    walk(toc);
    toc_free(toc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t tail_size = size < TOC_PARSE_TAIL ? size : TOC_PARSE_TAIL;
    struct error err = {0};
    struct toc_end end;
    struct toc *toc = NULL;
    void *directory;

    open_as_saved(data, size);
    if (toc_parse_end(data + size - tail_size, tail_size, size, &end, &err) < 0)
        return 0;
    directory = malloc(end.directory_size); /* to the byte: a reach beyond is seen */
    memcpy(directory, data + end.directory_first, end.directory_size);
    if (toc_parse(directory, &end, &toc, &err) < 0)
        return 0;
    walk(toc);
    reopen(toc);
    check_headers(toc, data, size);
#if HAS_LIBZIP
    if (!is_ambiguous(data, size) && !has_controls(toc))
        compare_with_libzip(toc, &end, data, size);
#endif
    toc_free(toc);
    return 0;
}
