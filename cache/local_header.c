/* local_header.c: the local header in front of a member, as its bytes come. */
#include "cache/local_header.h"

#include "cache/toc_local.h"

#include <errno.h>

enum { SIZE_MAX_BYTES = 1 << 20 }; /* with name and extra field it takes 128 KiB */

void local_header_init(struct local_header *header, const struct toc *toc, uint32_t index)
{
    *header = (struct local_header){.toc = toc, .index = index, .needed = TOC_LOCAL_MIN};
    bytes_init(&header->bytes, SIZE_MAX_BYTES);
}

void local_header_done(struct local_header *header)
{
    bytes_done(&header->bytes);
}

/* All that was needed is there: it is the header, or says how much it takes. */
static int check(struct local_header *header, struct error *err)
{
    size_t needed = 0;
    int rc = toc_local_check(header->toc, header->index, header->bytes.data,
                             header->bytes.size, &needed, err);

    if (rc < 0)
        return rc;
    if (rc > 0 && needed <= header->bytes.size)
        return fail(err, EIO, "its local header does not end");
    if (rc == 0)
        header->data_at = toc_entry(header->toc, header->index)->archive_first + needed;
    header->needed = needed;
    return 0;
}

int local_header_take(struct local_header *header, const unsigned char **data,
                      size_t *size, struct error *err)
{
    while (!header->data_at && *size > 0) {
        size_t missing = header->needed - header->bytes.size;
        size_t piece = *size < missing ? *size : missing;
        int rc = bytes_append(&header->bytes, *data, piece, err);

        if (rc < 0)
            return rc;
        *data += piece;
        *size -= piece;
        if (piece == missing)
            rc = check(header, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
