/* serve.c: runs handlers where they may run, and parks what has to wait. */
#include "fs/serve.h"

#include "common/log.h"
#include "common/sync.h"
#include "fs/directory.h"
#include "fs/folder.h"
#include "fs/invalidate.h"
#include "fs/ledger.h"
#include "fs/links.h"
#include "fs/lookup.h"
#include "fs/read.h"
#include "fs/reply.h"
#include "fs/staging.h"
#include "fs/write.h"

#include <errno.h>

enum {
    LOOKUP_MS = 3000, /* in all */
    ASK_MS = 30000,   /* everything else that asks a backend */
};

/* Which threads may wait for a backend with it. */
enum pool {
    POOL_ASK,
    POOL_META,   /* one thread: changes of metadata keep their order */
    POOL_CHANGE, /* a repository that takes no changes does not keep readers waiting */
};

static const struct {
    call_handler *handler;
    int deadline_ms;
    enum pool pool;
} kinds[CALL_KINDS] = {
    [CALL_LOOKUP] = {lookup_entry,      LOOKUP_MS, POOL_ASK   },
    [CALL_GETATTR] = {lookup_attributes, ASK_MS,    POOL_ASK   },
    [CALL_READLINK] = {lookup_link,       ASK_MS,    POOL_ASK   },
    [CALL_OPEN] = {read_open,         ASK_MS,    POOL_ASK   },
    [CALL_READ] = {read_bytes,        ASK_MS,    POOL_ASK   },
    [CALL_OPENDIR] = {directory_open,    LOOKUP_MS, POOL_ASK   },
    [CALL_READDIR] = {directory_read,    LOOKUP_MS, POOL_ASK   },
    [CALL_WRITE] = {write_bytes,       ASK_MS,    POOL_ASK   },
    [CALL_SETATTR] = {write_attributes,  ASK_MS,    POOL_ASK   },
    [CALL_STATFS] = {lookup_space,      ASK_MS,    POOL_ASK   },
    [CALL_CREATE] = {write_refuse,      ASK_MS,    POOL_ASK   },
    [CALL_MKNOD] = {write_refuse,      ASK_MS,    POOL_ASK   },
    [CALL_LINK] = {write_refuse,      ASK_MS,    POOL_ASK   },
    [CALL_FLUSH] = {write_flush,       ASK_MS,    POOL_ASK   },
    [CALL_FSYNC] = {write_sync,        ASK_MS,    POOL_META  },
    [CALL_FALLOCATE] = {write_refuse,      ASK_MS,    POOL_ASK   },
    [CALL_MKDIR] = {links_mkdir,       LOOKUP_MS, POOL_ASK   },
    [CALL_RMDIR] = {links_rmdir,       LOOKUP_MS, POOL_ASK   },
    [CALL_SYMLINK] = {links_symlink,     ASK_MS,    POOL_CHANGE},
    [CALL_UNLINK] = {links_unlink,      ASK_MS,    POOL_ASK   },
    [CALL_RENAME] = {links_rename,      ASK_MS,    POOL_CHANGE},
};

static int run(struct fs *fs, const struct call *call, enum resolve_how how,
               struct answer *answer, struct error *err)
{
    struct place place;
    int rc = place_of(fs->slots, call->node_id, &place, err);

    if (rc < 0)
        return rc;
    if (place_is_staging(place.kind) && !fs->staging) /* a worker before had it */
        return fail(err, ESTALE, "there is no @staging any more (write.staging)");
    return place_is_staging(place.kind)
               ? staging_handler(call->kind)(fs, call, &place, how, answer, err)
               : kinds[call->kind].handler(fs, call, &place, how, answer, err);
}

/* If the worker dies now it was at this. */
static uint64_t begin(const struct parked *parked)
{
    return ledger_begin(parked->fs->options.handover->block, parked->unique);
}

/* The end of a parked request. Its owner's reference goes. */
static void finish(struct parked *parked, int rc, const struct answer *answer,
                   const struct error *err)
{
    if (parked_take(parked)) {
        reply(parked->fs, &parked->call, rc, answer, err);
        parked_replied(parked);
    } else if (rc == 0) {
        reply_undo(parked->fs, &parked->call, answer);
    }
    links_tell(parked->fs, answer);
    parked_drop(parked);
}

/* The archive was replaced: what the kernel knows of the old one has to go. */
static void note_replaced(struct parked *parked)
{
    struct error err = {0};
    struct place place;

    if (place_of(parked->fs->slots, parked->call.node_id, &place, &err) == 0)
        invalidate_archive(parked->fs, &place.release, archive_toc(parked->wanted));
}

static void answer_from_bytes(struct parked *parked, int rc, const struct error *err)
{
    CLEANUP_ANSWER struct answer answer;
    struct error failure = rc < 0 ? *err : (struct error){0};

    answer_init(&answer);
    if (rc == -ESTALE)
        note_replaced(parked);
    else if (rc == -EIO)
        invalidate_content(parked->fs, parked->call.node_id);
    if (rc == -ESTALE && parked->call.kind == CALL_READ)
        rc = fail_context(&failure, -EIO, "the archive was replaced; open the file anew");
    if (rc == 0) {
        parked->call.has_bytes = true;
        rc = run(parked->fs, &parked->call, RESOLVE_KNOWN, &answer, &failure);
    }
    if (rc > 0)
        rc = fail(&failure, EIO, "bytes that had arrived are gone again");
    finish(parked, rc, &answer, &failure);
}

static void bytes_arrived(void *arg, int rc, const struct error *err)
{
    struct parked *parked = arg;
    uint64_t before = begin(parked);

    answer_from_bytes(parked, rc, err);
    ledger_end(before);
}

/* Wait for the bytes that answer wants; the request is parked already. */
static void await_bytes(struct parked *parked, struct answer *answer)
{
    struct error err = {0};
    int rc;

    parked_lift_deadline(parked);
    parked->wanted = answer->want.archive;
    answer->want.archive = NULL;
    parked->call.generation = answer->want.generation;
    rc = archive_want(parked->wanted, answer->want.index, answer->want.offset,
                      answer->want.size, &parked->call.generation, bytes_arrived, parked,
                      &err);
    if (rc != 0)
        bytes_arrived(parked, rc < 0 ? rc : 0, &err);
}

static void ask_backends(struct parked *parked)
{
    CLEANUP_ANSWER struct answer answer;
    struct error err = {0};
    int rc;

    answer_init(&answer);
    if (parked_is_taken(parked)) /* interrupted, or too late */
        return parked_drop(parked);
    rc = run(parked->fs, &parked->call, RESOLVE_FETCH, &answer, &err);
    if (rc == CALL_WANT)
        await_bytes(parked, &answer);
    else
        finish(parked, rc, &answer, &err);
}

/* On a pool thread. */
static void ask(void *arg)
{
    struct parked *parked = arg;
    uint64_t before = begin(parked);

    ask_backends(parked);
    ledger_end(before);
}

/* The publish job that the place of a request names will tell when it starts or ends. A
 * job that runs may take its time; a manifest that nobody closes may not. */
static bool is_awaited(struct parked *parked, job_done *told)
{
    struct job_board *board = parked->fs->staging->board;
    struct error unused = {0};
    struct place place;

    if (place_of(parked->fs->slots, parked->call.node_id, &place, &unused) < 0)
        return false;
    if (job_is_running(board, place.name))
        parked_lift_deadline(parked);
    return job_await(board, place.name, told, parked) == 0;
}

static void job_told(void *arg)
{
    struct parked *parked = arg;
    uint64_t before = begin(parked);
    CLEANUP_ANSWER struct answer answer;
    struct error err = {0};
    int rc;

    answer_init(&answer);
    rc = run(parked->fs, &parked->call, RESOLVE_KNOWN, &answer, &err);
    if (rc == CALL_WANT_JOB && !parked_is_taken(parked) && is_awaited(parked, job_told)) {
        ledger_end(before);
        return;
    }
    if (rc > 0)
        rc = fail(&err, EIO, "the publish job has not ended");
    finish(parked, rc, &answer, &err);
    ledger_end(before);
}

static void await_job(struct parked *parked)
{
    if (!is_awaited(parked, job_told))
        job_told(parked);
}

int64_t serve_patience_ms(enum call_kind kind, enum node_kind place)
{
    return place_is_staging(place) ? SERVE_NO_DEADLINE : kinds[kind].deadline_ms;
}

/* By when a request that asks a backend is answered, whatever that says. */
static int64_t deadline_of(const struct call *call)
{
    int64_t patience_ms =
        serve_patience_ms(call->kind, node_id_unpack(call->node_id).kind);

    return patience_ms == SERVE_NO_DEADLINE ? INT64_MAX : clock_now_ms() + patience_ms;
}

/* Is a folder of names opened of which nothing was ever known? Then there is nothing to
 * be said in time, and the caller waits for as long as the repository goes on telling:
 * the catalog sees to that. It holds no lock of the kernel's and can be interrupted. What
 * is known is only shared here, not copied. */
static bool is_first_listing(struct fs *fs, const struct call *call)
{
    struct folder *folder = NULL;
    struct error unused = {0};
    struct place place;
    int rc;

    if (call->kind != CALL_OPENDIR || place_of(fs->slots, call->node_id, &place, &unused))
        return false;
    switch (place.kind) {
    case NODE_ROOT:
    case NODE_INFO:
    case NODE_GROUP:
        rc = folder_make(fs, &place, 0, RESOLVE_STALE, &folder, &unused);
        folder_free(folder);
        return rc == -EINPROGRESS;
    default:
        return false;
    }
}

static struct workers *pool_of(struct fs *fs, const struct call *call)
{
    switch (kinds[call->kind].pool) {
    case POOL_META:
        if (place_is_staging(node_id_unpack(call->node_id).kind))
            return fs->flush_pool;
        return fs->meta_pool;
    case POOL_CHANGE:
        return fs->change_pool;
    default:
        return fs->pool;
    }
}

static void park_to_ask(struct fs *fs, const struct call *call)
{
    bool is_listing = is_first_listing(fs, call);
    struct parked *parked =
        parked_add(fs->parked, fs, call, is_listing ? INT64_MAX : deadline_of(call));
    CLEANUP_ANSWER struct answer answer;
    struct error err = {0};
    int rc;

    answer_init(&answer);
    rc =
        workers_submit(is_listing ? fs->list_pool : pool_of(fs, call), ask, parked, &err);
    if (rc < 0)
        finish(parked, rc, &answer, &err);
}

void serve(struct fs *fs, const struct call *call)
{
    CLEANUP_ANSWER struct answer answer;
    struct error err = {0};
    int rc;

    tally_note(&fs->tally, call->kind);
    answer_init(&answer);
    rc = run(fs, call, RESOLVE_KNOWN, &answer, &err);
    if (rc == -EINPROGRESS)
        park_to_ask(fs, call);
    else if (rc == CALL_WANT)
        await_bytes(parked_add(fs->parked, fs, call, INT64_MAX), &answer);
    else if (rc == CALL_WANT_JOB)
        await_job(parked_add(fs->parked, fs, call, clock_now_ms() + ASK_MS));
    else
        reply(fs, call, rc, &answer, &err);
    links_tell(fs, &answer);
}

static void answer_late(struct parked *parked)
{
    CLEANUP_ANSWER struct answer answer;
    struct error err = {0};
    int rc;

    answer_init(&answer);
    rc = run(parked->fs, &parked->call, RESOLVE_STALE, &answer, &err);
    if (rc == -EINPROGRESS || rc == CALL_WANT)
        rc = fail(&err, ETIMEDOUT, "no answer from the repository in time for '%s'",
                  parked->call.name);
    if (rc == CALL_WANT_JOB)
        rc = fail(&err, EIO,
                  "the manifest waits to be complete: a program has it open, or nobody "
                  "closed it since this mount began; close or touch it");
    reply(parked->fs, &parked->call, rc, &answer, &err);
}

void serve_expired(struct parked *parked)
{
    uint64_t before = begin(parked);

    answer_late(parked);
    ledger_end(before);
}
