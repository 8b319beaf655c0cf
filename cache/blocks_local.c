/* blocks_local.c: a run of blocks from an archive that is a local file. */
#include "cache/blocks_local.h"

#include "cache/internal.h"
#include "cache/relay.h"
#include "common/copy.h"
#include "common/files.h"

#include <errno.h>

enum { SHARE_BLOCKS = 8 }; /* at once */

/* Have both files share the next blocks. How many bytes; 0: they cannot. */
static uint64_t share(struct fetcher *fetcher)
{
    struct member *member = fetcher->member;
    uint64_t size = (fetcher->end - fetcher->at) / MEMBER_BLOCK * MEMBER_BLOCK;

    if (size > SHARE_BLOCKS * MEMBER_BLOCK)
        size = SHARE_BLOCKS * MEMBER_BLOCK;
    if (size == 0 ||
        !copy_share(object_fd(fetcher->object), member->data_at + fetcher->at, member->fd,
                    fetcher->at, size))
        return 0;
    return size;
}

/* Read for the sums what is shared. */
static int sum_up(struct fetcher *fetcher, uint64_t size, struct error *err)
{
    CLEANUP_FREE unsigned char *buffer = malloc(MEMBER_BLOCK);
    uint64_t end = fetcher->at + size;
    int rc = object_check(fetcher->object, err);

    if (rc == 0 && !buffer)
        return fail(err, ENOMEM, "no memory to read");
    while (rc == 0 && fetcher->at < end && !fetcher->is_over) {
        rc = files_pread(fetcher->member->fd, buffer, MEMBER_BLOCK, fetcher->at, err);
        fetcher->archive->cache->bytes_fetched += MEMBER_BLOCK;
        if (rc == 0)
            fetcher->is_over = !fetcher_note(fetcher, buffer, MEMBER_BLOCK);
    }
    return rc;
}

/* A piece of the archive. */
static int read_piece(struct fetcher *fetcher, uint64_t at, void *to, size_t size,
                      struct error *err)
{
    int rc = files_pread(object_fd(fetcher->object), to, size,
                         fetcher->member->data_at + at, err);
    int check_rc = object_check(fetcher->object, err); /* it says more */

    fetcher->archive->cache->bytes_fetched += size;
    return check_rc < 0 ? check_rc : rc;
}

/* All the rest of the run. */
static int relay_rest(struct fetcher *fetcher, struct error *err)
{
    CLEANUP_RELAY struct relay *relay = NULL;
    uint64_t at = fetcher->at, end = fetcher->end;
    int rc = relay_open(fetcher->archive->cache, fetcher_put, fetcher, &relay, err);

    while (rc == 0 && at < end) {
        size_t size = 0;
        void *space = relay_space(relay, &size, err);

        if (!space)
            break; /* relay_end says why */
        if (size > end - at)
            size = (size_t)(end - at);
        rc = read_piece(fetcher, at, space, size, err);
        if (rc == 0)
            relay_pass(relay, size);
        at += size;
    }
    return rc < 0 ? rc : relay_end(relay, err);
}

int blocks_local_run(struct fetcher *fetcher, struct error *err)
{
    int rc = 0;

    while (rc == 0 && !fetcher->is_over && fetcher->at < fetcher->end) {
        uint64_t size = share(fetcher);

        rc = size > 0 ? sum_up(fetcher, size, err) : relay_rest(fetcher, err);
    }
    return rc;
}
