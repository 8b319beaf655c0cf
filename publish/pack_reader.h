/* pack_reader.h: the content of a listed file, as long as it is still that file. For
 * publish/pack*.c alone.
 *
 *     rc = pack_reader_open(folder_fd, &list, file, &reader, &err);
 *     while ((got = pack_reader_read(&reader, buffer, sizeof buffer, &err)) > 0)
 *         ...
 *     pack_reader_close(&reader);
 */
#ifndef PUBLISH_PACK_READER_H
#define PUBLISH_PACK_READER_H

#include "common/error.h"
#include "publish/pack_scan.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pack_reader {
    int fd;
    const char *path;
    const struct pack_file *file; /* lent */
    uint64_t done;
};

/* -ESTALE if it is no longer the file that was listed. */
int pack_reader_open(int folder_fd, const struct pack_list *list,
                     const struct pack_file *file, struct pack_reader *ret_reader,
                     struct error *err);

/* The next bytes, at most size (below 2 GiB); 0 at the end. -ESTALE if the file changed
 * since it was listed, which shows at the end at the latest. */
ssize_t pack_reader_read(struct pack_reader *reader, void *buffer, size_t size,
                         struct error *err);

/* All of size bytes from offset on, which lie within the file. */
int pack_reader_at(const struct pack_reader *reader, void *buffer, size_t size,
                   uint64_t offset, struct error *err);
void pack_reader_close(struct pack_reader *reader);
#define CLEANUP_PACK_READER CLEANUP_WITH(pack_reader_close)

#endif
