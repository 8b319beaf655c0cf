/* archive.h: one version of a model, as one archive has it, being served from the cache.
 *
 *     rc = cache_archive(cache, resolver, &release, &archive, &err);    blocks
 *     rc = archive_want(archive, index, offset, size, &generation, done, arg, &err);
 *     fd = archive_fd(archive, index, generation, &err);
 *     archive_unref(archive);
 *
 * A member is absent, arriving (its bytes come, some can be read), or complete (checked
 * against size and CRC-32). A generation counts the attempts to fetch one member: bytes
 * of a generation that failed its check are never handed out, whoever holds it.
 *
 * Thread-safe. None of the functions here blocks on the network or a lock that is held
 * over I/O, but for those that say so. */
#ifndef CACHE_ARCHIVE_H
#define CACHE_ARCHIVE_H

#include "cache/toc.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct archive;

enum member_state {
    MEMBER_ABSENT,
    MEMBER_ARRIVING,
    MEMBER_COMPLETE,
};

struct archive *archive_ref(struct archive *archive);
void archive_unref(struct archive *archive); /* accepts NULL */

const struct toc *archive_toc(const struct archive *archive);

enum member_state archive_member_state(struct archive *archive, uint32_t index);

/* Called exactly once, on a thread that brings bytes, with no lock held. rc 0: the bytes
 * are there; -EIO damaged, -ENOSPC no room, -ESTALE the archive was replaced, -ETIMEDOUT
 * no progress for 30 s, else what the backend said. err is lent for the call. */
typedef void archive_done(void *arg, int rc, const struct error *err);

enum {
    ARCHIVE_WHOLE = 0,          /* as size: until the member is complete and verified */
    ARCHIVE_GENERATION_NEW = 0, /* as *generation: take part in the attempt of now */
};

/* Ask for bytes [offset, offset + size) of a member; past its end counts as its end.
 * Starts the transfer if none runs. *generation names the attempt the caller belongs to
 * (ARCHIVE_GENERATION_NEW at its first call) and is set to it.
 *
 * 1: they are there, done is not called. 0: done will be called. Negative: failed at
 * once, done is not called: -ENOTSUP encrypted or unknown method, -EISDIR a folder, -EIO
 * the generation failed its check, or two did in succession. */
int archive_want(struct archive *archive, uint32_t index, uint64_t offset, uint64_t size,
                 uint32_t *generation, archive_done *done, void *arg, struct error *err);

/* Would archive_want answer 1? Then *generation is set as there. Starts nothing. */
bool archive_has(struct archive *archive, uint32_t index, uint64_t offset, uint64_t size,
                 uint32_t *generation);

/* A descriptor for reading those bytes of the member that archive_want said are there; it
 * stays valid through completion and eviction. The caller closes it. Opens a local file.
 * -ENOENT when nothing of it is in the cache. */
int archive_fd(struct archive *archive, uint32_t index, uint32_t generation,
               struct error *err);

/* Sum of the sizes of the members that are complete. */
uint64_t archive_cached_bytes(struct archive *archive);

/* Is it fit to be served, is it verified, and why not: one line with its newline. */
int archive_print_verdict(struct archive *archive, struct bytes *to, struct error *err);

/* A line "path: sentence" for each member that failed. */
int archive_print_errors(struct archive *archive, struct bytes *to, struct error *err);

#endif
