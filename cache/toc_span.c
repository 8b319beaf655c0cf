/* toc_span.c: which bytes of the archive each member has, and that they are its alone. */
#include "cache/toc_span.h"

#include "cache/toc_name.h"

#include <errno.h>
#include <stdlib.h>

enum {
    EXTRA_MAX = UINT16_MAX, /* bytes of extra fields in a local header */
    DESCRIPTOR_MAX = 24,    /* signature, CRC-32, two sizes of 64 bits */
};

static int compare_places(const void *left, const void *right, void *arg)
{
    const struct toc_entry *entries = arg;
    uint32_t left_index = *(const uint32_t *)left, right_index = *(const uint32_t *)right;
    uint64_t a = entries[left_index].archive_first;
    uint64_t b = entries[right_index].archive_first;

    if (a != b)
        return (a > b) - (a < b);
    return (left_index > right_index) - (left_index < right_index);
}

/* Indexes in the order of the archive, which mostly is their own; freed by the caller. */
static int sort_places(struct toc_entry *entries, uint32_t count, uint32_t **ret_order,
                       struct error *err)
{
    uint32_t *order = calloc(count, sizeof *order);
    bool is_sorted = true;

    if (!order)
        return fail(err, ENOMEM, "no memory to sort %u entries", count);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
        if (i && entries[i - 1].archive_first > entries[i].archive_first)
            is_sorted = false;
    }
    if (!is_sorted)
        qsort_r(order, count, sizeof *order, compare_places, entries);
    *ret_order = order;
    return 0;
}

static int fail_at(const struct toc_build *build, uint32_t index, struct error *err,
                   const char *complaint)
{
    const char *path = toc_build_path(build, index);
    char text[128];

    return fail(err, EBADMSG, "entry '%s' %s", toc_name_print(path, strlen(path), text),
                complaint);
}

/* next: where what follows the member begins. */
static int bound(const struct toc_build *build, struct toc_entry *entry, uint32_t index,
                 uint64_t next, struct error *err)
{
    uint64_t last = entry->archive_last + EXTRA_MAX + DESCRIPTOR_MAX;

    if (entry->archive_last >= next)
        return fail_at(build, index, err, "overlaps with what follows it in the archive");
    entry->archive_last = last < next ? last : next - 1;
    return 0;
}

int toc_span_check(struct toc_build *build, uint64_t end, struct error *err)
{
    CLEANUP_FREE uint32_t *order = NULL;
    uint32_t count;
    struct toc_entry *entries = toc_build_entries(build, &count);
    int rc;

    if (count == 0) {
        if (end != 0)
            return fail(err, EBADMSG, "%llu bytes stand before an empty archive",
                        (unsigned long long)end);
        return 0;
    }
    rc = sort_places(entries, count, &order, err);
    if (rc < 0)
        return rc;
    if (entries[order[0]].archive_first != 0)
        return fail_at(build, order[0], err, "is the first, but bytes stand before it");
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        uint64_t next = i + 1 < count ? entries[order[i + 1]].archive_first : end;

        rc = bound(build, &entries[order[i]], order[i], next, err);
    }
    return rc;
}
