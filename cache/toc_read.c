/* toc_read.c: fetches the end of an archive, and no more, and has it parsed. */
#include "cache/toc_read.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fills a buffer of fixed size. */
struct fill {
    struct sink sink;
    char *to;
    size_t left;
};

static int fill_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct fill *fill = (struct fill *)sink;

    if (size > fill->left)
        return fail(err, EIO, "the repository sent more than the bytes asked for");
    memcpy(fill->to, data, size);
    fill->to += size;
    fill->left -= size;
    return 0;
}

/* All of size bytes at first. */
static int get(struct object *object, uint64_t first, char *to, size_t size,
               struct error *err)
{
    struct fill fill = {.sink.write = fill_write, .to = to, .left = size};
    int rc = size ? object_read(object, (struct range){first, first + size - 1},
                                &fill.sink, err)
                  : 0;

    if (rc == 0 && fill.left)
        return fail(err, EIO, "the repository sent %zu bytes less than asked for",
                    fill.left);
    return rc;
}

/* Bring the central directory together: what the tail has of it, and what it has not. */
static int get_directory(struct object *object, const struct toc_end *end,
                         const char *tail, uint64_t tail_first, char **ret_directory,
                         struct error *err)
{
    size_t missing = 0, size = (size_t)end->directory_size;
    CLEANUP_FREE char *directory = malloc(size + 1);
    int rc;

    if (!directory)
        return fail(err, ENOMEM, "no memory for a central directory of %zu bytes", size);
    if (end->directory_first < tail_first)
        missing = (size_t)(tail_first - end->directory_first);
    if (missing > size)
        missing = size;
    rc = get(object, end->directory_first, directory, missing, err);
    if (rc < 0)
        return fail_context(err, rc, "read the central directory");
    memcpy(directory + missing, tail + (end->directory_first + missing - tail_first),
           size - missing);
    *ret_directory = steal_ptr(&directory);
    return 0;
}

static int get_tail(struct object *object, struct bytes *tail, struct error *err)
{
    uint64_t size = object_stat(object)->size;
    size_t tail_size = size < TOC_READ_TAIL ? (size_t)size : TOC_READ_TAIL;
    int rc = bytes_reserve(tail, tail_size, err);

    if (rc == 0)
        rc = get(object, size - tail_size, tail->data, tail_size, err);
    if (rc < 0)
        return fail_context(err, rc, "read the end of the archive");
    tail->size = tail_size;
    return 0;
}

int toc_read(struct object *object, const struct bytes *tail, struct toc **ret_toc,
             struct error *err)
{
    uint64_t archive_size = object_stat(object)->size;
    CLEANUP_FREE char *directory = NULL;
    CLEANUP_BYTES struct bytes fetched;
    struct toc_end end;
    int rc = 0;

    bytes_init(&fetched, TOC_READ_TAIL);
    if (!tail) {
        rc = get_tail(object, &fetched, err);
        tail = &fetched;
    }
    if (rc == 0)
        rc = toc_parse_end(tail->data, tail->size, archive_size, &end, err);
    if (rc == 0)
        rc = get_directory(object, &end, tail->data, archive_size - tail->size,
                           &directory, err);
    return rc < 0 ? rc : toc_parse(steal_ptr(&directory), &end, ret_toc, err);
}
