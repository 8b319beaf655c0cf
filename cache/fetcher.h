/* fetcher.h: one thread's work on a stored member that comes by block.
 *
 *     fetcher.run is begun (member_run_begin), fetcher.at and .end are where it is
 *     rc = fetcher_put(&fetcher, data, size, &err);     the bytes of the run, in order
 *     ... until fetcher.is_over
 *
 * Writes, sums up, tells waiters. For cache/blocks*.c alone. */
#ifndef CACHE_FETCHER_H
#define CACHE_FETCHER_H

#include "cache/archive_state.h"
#include "cache/checksum.h"
#include "cache/local_header.h"
#include "common/workers.h"

struct fetcher {
    struct sink sink; /* first */
    struct archive *archive;
    struct member *member;
    struct object *object;
    workers_job *help; /* what further threads run; NULL: there are to be none */
    bool is_helper;
    struct member_run run;
    uint64_t at;     /* offset in the member of the next byte */
    uint64_t end;    /* where the run ended when it began */
    uint32_t crc;    /* of what has come of its block */
    bool is_over;    /* the request is not to go on */
    bool is_leaving; /* nor this thread */
    struct local_header header;
    bool is_damaged;      /* its local header is */
    struct checksum *sum; /* of the first `hashed` bytes of the file; NULL of helpers */
    uint64_t hashed;
};

/* What a further thread is given; its own until it ends. It is started after a block that
 * came, while that raises the rate (pace.h). */
struct helper {
    struct archive *archive; /* a reference */
    struct object *object;   /* the archive's */
    uint32_t index;
    uint64_t serial; /* of the member that it was started for */
};

/* Threads that the pool of an archive has to spare for further requests. */
unsigned fetcher_spare_threads(struct archive *archive);

/* The next bytes are in the file, none of them past the end of their block. false: the
 * run ends with them. */
bool fetcher_note(struct fetcher *fetcher, const void *data, size_t size);

/* The next bytes of the run: arg is the fetcher. -ECANCELED: what comes behind them is
 * not wanted any more; else what the disk said. */
int fetcher_put(void *arg, const void *data, size_t size, struct error *err);

#endif
