/* pack.h: a folder becomes a zip archive; the same folder gives the same bytes, on any
 * machine, in any time zone.
 *
 *     rc = pack_make(folder_fd, spool_fd, &(struct pack_options){0}, &result, &err);
 *     ... put spool_fd's result.size bytes, whose MD5 is result.md5 ...
 *     pack_result_done(&result);
 *
 * Members that deflate cannot make smaller come first and are stored, so that readers can
 * fetch any part of them; the rest is deflated. Both are sorted by the bytes of their
 * paths. Mode bits are kept, times are UTC. Hidden files are members, empty folders are
 * not; a folder without files gives the 22 bytes of an empty archive. */
#ifndef PUBLISH_PACK_H
#define PUBLISH_PACK_H

#include "backends/digest.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pack_options {
    /* May be NULL. Runs in the calling thread, often: bytes of content packed so far, and
     * of all files. 0, or -errno with err filled: packing ends with that, which is how to
     * cancel it. */
    int (*progress)(void *arg, uint64_t bytes_done, uint64_t bytes_total,
                    struct error *err);
    void *arg;     /* stays the caller's */
    dev_t avoided; /* no link may lead to that device (pack_link.h); 0: all may */
};

struct pack_result {
    uint64_t size; /* bytes of the archive */
    char md5[DIGEST_MD5_SIZE];
    uint32_t file_count;
    uint64_t content_size; /* bytes of all files */
    char **warnings;       /* sentences: what readers will find changed */
    size_t warning_count;
};

/* Pack all below folder_fd, an open folder, into spool_fd, a file open for reading and
 * writing, which is emptied first. Blocks on the disks; reads the folder once but for 1
 * MiB a file, and the archive once more for its checksum. Not synced.
 *
 * Links to files are followed, wherever they lead but there. -EINVAL names what no
 * archive can hold: links to folders or to nothing, sockets, devices, names that are not
 * UTF-8 or too long. -ESTALE: a file changed while it was read. -EFBIG: more than an
 * archive may have. Else what the disks said (-EACCES, -ENOSPC). On failure the content
 * of spool_fd is undefined. pack_result_done the result. */
int pack_make(int folder_fd, int spool_fd, const struct pack_options *options,
              struct pack_result *ret_result, struct error *err);
void pack_result_done(struct pack_result *result); /* accepts a zeroed one */

#endif
