/* local_header.h: the local header in front of a member, as its bytes come.
 *
 *     local_header_init(&header, toc, index);
 *     rc = local_header_take(&header, &data, &size, &err);      again, until data_at
 *     local_header_done(&header); */
#ifndef CACHE_LOCAL_HEADER_H
#define CACHE_LOCAL_HEADER_H

#include "cache/toc.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdint.h>

struct local_header {
    const struct toc *toc; /* constant */
    uint32_t index;        /* constant */
    struct bytes bytes;
    size_t needed;    /* bytes from its start on, as far as is known */
    uint64_t data_at; /* offset in the archive of the packed bytes; 0: not known yet */
};

void local_header_init(struct local_header *header, const struct toc *toc,
                       uint32_t index);
void local_header_done(struct local_header *header);

/* Take what it still needs from the front of data. -EIO: it is damaged, or says something
 * else than the table; -ENOMEM. */
int local_header_take(struct local_header *header, const unsigned char **data,
                      size_t *size, struct error *err);

#endif
