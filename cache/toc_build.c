/* toc_build.c: a list of files and folders in any order becomes the sorted table.
 *
 * Paths are kept with NUL in place of "/": then plain order of bytes is the order of a
 * walk through the tree, a folder right before all that lies in it. In such a walk the
 * folders and files of one depth come in the very order they have in the table, so each
 * depth is filled by a counter of its own, and nothing but the paths is ever sorted. */
#include "cache/toc_build.h"

#include "cache/toc_block.h"
#include "cache/toc_name.h"
#include "cache/toc_sort.h"
#include "common/bytes.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RESERVE_MIN = 64, /* entries */
    AHEAD = 16,       /* entries: about the time that memory takes */
};

#define PATHS_MAX ((size_t)1 << 30) /* bytes of all paths */

struct toc_build {
    struct toc_entry *entries; /* name and name_size: the path, in paths */
    uint32_t count;
    uint32_t capacity;
    struct bytes paths; /* each ended by NUL */
    uint64_t content;   /* bytes of all files so far */
};

/* The folders between the top and the entry that the walk is at. */
struct walk {
    const struct toc_build *build;
    struct toc *toc;                         /* NULL while counting */
    uint32_t level_count[TOC_DEPTH_MAX + 1]; /* entries of that depth so far */
    uint32_t level_first[TOC_DEPTH_MAX + 1]; /* index of the first one */
    uint32_t open[TOC_DEPTH_MAX + 1];        /* index of the folder open at that depth */
    uint32_t count;                          /* of all depths */
    size_t names_size;
};

struct toc_build *toc_build_new(void)
{
    struct toc_build *build = XNEW(struct toc_build);

    bytes_init(&build->paths, PATHS_MAX);
    return build;
}

void toc_build_free(struct toc_build *build)
{
    if (!build)
        return;
    bytes_done(&build->paths);
    free(build->entries);
    free(build);
}

int toc_build_reserve(struct toc_build *build, uint32_t count, struct error *err)
{
    struct toc_entry *entries;

    assert(count <= TOC_ENTRIES_MAX);
    if (count <= build->capacity)
        return 0;
    entries = reallocarray(build->entries, count, sizeof *entries);
    if (!entries)
        return fail(err, ENOMEM, "no memory for %u files and folders", count);
    build->entries = entries;
    build->capacity = count;
    return 0;
}

static int make_room(struct toc_build *build, struct error *err)
{
    uint32_t count = build->capacity + build->capacity / 2;

    if (build->count < build->capacity)
        return 0;
    if (count < RESERVE_MIN)
        count = RESERVE_MIN;
    if (count > TOC_ENTRIES_MAX)
        count = TOC_ENTRIES_MAX;
    return toc_build_reserve(build, count, err);
}

int toc_build_add(struct toc_build *build, const char *path, size_t size,
                  const struct toc_entry *entry, struct error *err)
{
    size_t name = build->paths.size;
    struct toc_entry *added;
    int rc = toc_name_check_path(path, size, err);

    if (rc == 0 && (build->count == TOC_ENTRIES_MAX || size >= PATHS_MAX - name))
        rc = fail(err, EBADMSG, "more than %d files and folders, or %zu bytes of names",
                  TOC_ENTRIES_MAX, PATHS_MAX);
    if (rc == 0 && entry->size > TOC_CONTENT_MAX - build->content)
        rc = fail(err, EBADMSG, "the files together are larger than the limit of 1 PiB");
    if (rc == 0)
        rc = make_room(build, err);
    if (rc == 0)
        rc = bytes_reserve(&build->paths, size + 1, err);
    if (rc < 0)
        return rc;
    bytes_append(&build->paths, path, size, err); /* cannot fail: there is room */
    bytes_append(&build->paths, "", 1, err);
    build->content += entry->size;
    added = &build->entries[build->count++];
    *added = *entry;
    added->name = (uint32_t)name;
    added->name_size = (uint16_t)size;
    return 0;
}

struct toc_entry *toc_build_entries(struct toc_build *build, uint32_t *ret_count)
{
    *ret_count = build->count;
    return build->entries;
}

const char *toc_build_path(const struct toc_build *build, uint32_t index)
{
    return build->paths.data + build->entries[index].name;
}

static void slashes_to_nul(struct toc_build *build)
{
    char *at = build->paths.data, *end = at + build->paths.size;

    while ((at = memchr(at, '/', (size_t)(end - at))))
        *at++ = '\0';
}

/* For messages: the path with its slashes again. */
static int fail_entry(const struct toc_build *build, uint32_t index, struct error *err,
                      const char *complaint)
{
    const struct toc_entry *entry = &build->entries[index];
    char *path = build->paths.data + entry->name;
    char text[128];

    for (size_t i = 0; i < entry->name_size; i++)
        path[i] = path[i] ? path[i] : '/';
    return fail(err, EBADMSG, "entry '%s' %s",
                toc_name_print(path, entry->name_size, text), complaint);
}

/* Paths lie in memory in the order of the archive. Fetching them ahead makes a pass in
 * their own order several times as fast where a million is in no order. (Not inlined, gcc
 * takes the function for one without effect and drops it.) */
static inline __attribute__((always_inline)) void
fetch_ahead(const struct toc_build *build, const uint32_t *order, uint32_t i)
{
    if (i + 2 * AHEAD >= build->count)
        return;
    __builtin_prefetch(&build->entries[order[i + 2 * AHEAD]].name_size);
    __builtin_prefetch(build->paths.data + build->entries[order[i + AHEAD]].name);
}

/* Bytes that both paths have in front, up to and with the last separator: the folders
 * that the walk need not open again. Sets their number. */
static size_t shared_folders(const struct toc_build *build, uint32_t previous,
                             uint32_t index, unsigned *ret_depth)
{
    const struct toc_entry *a = &build->entries[previous];
    const struct toc_entry *b = &build->entries[index];
    const char *before = build->paths.data + a->name;
    const char *path = build->paths.data + b->name;
    size_t shared = 0;

    /* Both end in a NUL that does not count, so "a" is in front of "a", "b". */
    for (size_t i = 0; i <= a->name_size && i < b->name_size; i++) {
        if (before[i] != path[i])
            break;
        if (path[i] == '\0') {
            shared = i + 1;
            ++*ret_depth;
        }
    }
    return shared;
}

/* Enter one part of a path at its depth. */
static int step(struct walk *walk, unsigned depth, const char *name, size_t size,
                struct error *err)
{
    uint32_t index = walk->level_first[depth] + walk->level_count[depth]++;
    uint32_t parent = depth ? walk->open[depth - 1] : 0;
    struct toc_entry *entry;

    walk->open[depth] = index;
    if (!walk->toc) {
        walk->names_size += size + 1;
        if (++walk->count > TOC_ENTRIES_MAX)
            return fail(err, EBADMSG, "more than %d files and folders", TOC_ENTRIES_MAX);
        return 0;
    }
    entry = &walk->toc->entries[index];
    entry->kind = TOC_FOLDER;
    entry->parent = parent;
    entry->name_size = (uint16_t)size;
    /* Where the name stands is known when all are counted: keep where it comes from. */
    entry->name = (uint32_t)(name - walk->build->paths.data);
    if (depth && walk->toc->entries[parent].child_count++ == 0)
        walk->toc->entries[parent].first_child = index;
    return 0;
}

static void copy_facts(struct toc_entry *to, const struct toc_entry *from)
{
    to->size = from->size;
    to->archive_first = from->archive_first;
    to->archive_last = from->archive_last;
    to->packed_size = from->packed_size;
    to->mtime_s = from->mtime_s;
    to->crc32 = from->crc32;
    to->flags = from->flags;
    to->kind = from->kind;
    to->method = from->method;
    to->execute_bits = from->execute_bits;
}

/* Enter the parts of a path that the one before it did not open already. */
static int visit(struct walk *walk, uint32_t index, size_t shared, unsigned depth,
                 struct error *err)
{
    const struct toc_entry *from = &walk->build->entries[index];
    const char *path = walk->build->paths.data + from->name;

    for (size_t at = shared; at < from->name_size; depth++) {
        size_t size = strlen(path + at); /* the path ends in NUL, and so does each part */
        int rc = step(walk, depth + 1, path + at, size, err);

        if (rc < 0)
            return rc;
        at += size + 1;
    }
    if (walk->toc && from->kind == TOC_FILE)
        copy_facts(&walk->toc->entries[walk->open[depth]], from);
    return 0;
}

/* One walk through the sorted paths: counting, or filling. */
static int walk_all(struct walk *walk, const uint32_t *order, struct error *err)
{
    const struct toc_build *build = walk->build;
    int rc = step(walk, 0, build->paths.data, 0, err);

    for (uint32_t i = 0; i < build->count && rc == 0; i++) {
        unsigned depth = 0;
        size_t shared = i ? shared_folders(build, order[i - 1], order[i], &depth) : 0;

        fetch_ahead(build, order, i);
        rc = visit(walk, order[i], shared, depth, err);
    }
    return rc;
}

/* Two of one name stand side by side; so do a file and what claims to lie in it. */
static int check_clashes(const struct toc_build *build, const uint32_t *order,
                         struct error *err)
{
    for (uint32_t i = 1; i < build->count; i++) {
        const struct toc_entry *a = &build->entries[order[i - 1]];
        const struct toc_entry *b = &build->entries[order[i]];
        const char *path = build->paths.data + b->name;

        fetch_ahead(build, order, i);
        if (a->name_size > b->name_size ||
            memcmp(build->paths.data + a->name, path, a->name_size) != 0)
            continue;
        if (a->name_size == b->name_size)
            return fail_entry(build, order[i], err, "is there twice");
        if (a->kind == TOC_FILE && path[a->name_size] == '\0')
            return fail_entry(build, order[i - 1], err,
                              "is a file, and another entry needs it as a folder");
    }
    return 0;
}

static void copy_names(struct toc *toc, const struct toc_build *build)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < toc->block->count; i++) {
        struct toc_entry *entry = &toc->entries[i];

        memcpy(toc->names + at, build->paths.data + entry->name, entry->name_size);
        entry->name = at;
        at += entry->name_size + 1u;
    }
}

int toc_build_finish(struct toc_build *build, struct toc **ret_toc, struct error *err)
{
    CLEANUP_FREE uint32_t *order = NULL;
    CLEANUP_FREE struct walk *walk = XNEW(struct walk);
    uint32_t first = 0;
    int rc;

    slashes_to_nul(build);
    walk->build = build;
    rc = toc_sort(build->entries, build->count, build->paths.data, &order, err);
    if (rc == 0)
        rc = check_clashes(build, order, err);
    if (rc == 0)
        rc = walk_all(walk, order, err);
    if (rc < 0)
        return rc;
    for (unsigned depth = 0; depth <= TOC_DEPTH_MAX; depth++) {
        walk->level_first[depth] = first;
        first += walk->level_count[depth];
        walk->level_count[depth] = 0;
    }
    walk->toc = toc_block_new(walk->count, walk->names_size);
    if (!walk->toc)
        return fail(err, ENOMEM, "no memory for %u files and folders", walk->count);
    rc = walk_all(walk, order, err);
    assert(rc == 0); /* it went through before */
    copy_names(walk->toc, build);
    toc_block_seal(walk->toc);
    *ret_toc = walk->toc;
    return 0;
}
