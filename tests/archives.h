/* archives.h: the archives of tests/data/archives as tests need them. */
#ifndef TESTS_ARCHIVES_H
#define TESTS_ARCHIVES_H

#include "cache/toc_parse.h"
#include "common/bytes.h"
#include "common/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of an archive by its name without ".zip". */
static inline void archives_load(const char *name, struct bytes *to)
{
    struct error err = {0};
    char path[256];

    bytes_init(to, 64 * MIB);
    snprintf(path, sizeof path, "tests/data/archives/%s.zip", name);
    if (files_read(AT_FDCWD, path, to, &err) < 0)
        fail_msg("%s", err.message);
}

/* Parse an archive that is in memory as a whole. */
static inline int archives_parse(const void *data, size_t size, struct toc **ret_toc,
                                 struct error *err)
{
    size_t tail_size = size < TOC_PARSE_TAIL ? size : TOC_PARSE_TAIL;
    struct toc_end end;
    char *directory;
    int rc =
        toc_parse_end((const char *)data + size - tail_size, tail_size, size, &end, err);

    if (rc < 0)
        return rc;
    directory = malloc(end.directory_size + 1);
    assert_non_null(directory);
    memcpy(directory, (const char *)data + end.directory_first, end.directory_size);
    return toc_parse(directory, &end, ret_toc, err);
}

/* The table of an archive that is good. toc_free the result. */
static inline struct toc *archives_toc(const char *name)
{
    struct error err = {0};
    struct toc *toc = NULL;
    struct bytes data;

    archives_load(name, &data);
    if (archives_parse(data.data, data.size, &toc, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    bytes_done(&data);
    return toc;
}

#endif
