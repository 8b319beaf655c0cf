/* verify.c: is what the cache folder has of a model what its archive has? */
#include "cache/verify.h"

#include "cache/archive_state.h"
#include "cache/checksum.h"
#include "cache/evict.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>

enum { BUFFER_SIZE = 1 << 20 };

/* One model that is being read. */
struct reading {
    struct archive *archive;
    unsigned char *buffer;
    verify_damaged *damaged;
    void *arg;
    struct verify_verdict verdict;
};

static int read_crc32(struct reading *reading, int fd, uint64_t size, uint32_t *ret_crc,
                      struct error *err)
{
    uint32_t crc = 0;

    for (uint64_t at = 0; at < size;) {
        size_t piece = size - at < BUFFER_SIZE ? (size_t)(size - at) : BUFFER_SIZE;
        int rc = files_pread(fd, reading->buffer, piece, at, err);

        if (rc < 0)
            return rc;
        crc = checksum_crc32(crc, reading->buffer, piece);
        at += piece;
    }
    *ret_crc = crc;
    return 0;
}

/* Without a table the cache folder is all that is known. */
static int check_table(const struct archive *archive, struct error *err)
{
    return archive->tree ? 0
                         : fail(err, EHOSTUNREACH,
                                "the archive's table of contents is not in the cache "
                                "folder, and no repository can be asked for it");
}

/* A complete member; archive_fd has seen that it has its size. */
static int check_member(struct reading *reading, uint32_t index, struct error *err)
{
    const struct toc_entry *entry = toc_entry(reading->archive->toc, index);
    CLEANUP_CLOSE int fd =
        archive_fd(reading->archive, index, ARCHIVE_GENERATION_NEW, err);
    uint32_t crc = 0;
    int rc = fd < 0 ? fd : read_crc32(reading, fd, entry->size, &crc, err);

    if (rc == 0 && crc != entry->crc32)
        rc = fail(err, EIO, "its CRC-32 is %08x, not %08x", crc, entry->crc32);
    return rc;
}

static void check_all(struct reading *reading)
{
    const struct toc *toc = reading->archive->toc;
    char path[TOC_PATH_MAX + 1];

    for (uint32_t i = 0; i < toc_count(toc); i++) {
        struct error why = {0};

        if (toc_entry(toc, i)->kind != TOC_FILE ||
            archive_member_state(reading->archive, i) != MEMBER_COMPLETE)
            continue;
        reading->verdict.files++;
        reading->verdict.bytes += toc_entry(toc, i)->size;
        if (check_member(reading, i, &why) == 0)
            continue;
        reading->verdict.damaged++;
        toc_path(toc, i, path);
        reading->damaged(reading->arg, path, why.message);
    }
}

/* Note that all of audmodel's folder was found right. */
static int attest(struct archive *archive, struct error *err)
{
    bool is_whole;

    lock_acquire(&archive->lock);
    is_whole = archive->is_foreign && archive_state_is_complete_locked(archive);
    lock_release(&archive->lock);
    return is_whole ? tree_attest(archive->tree, err) : 0;
}

/* Read it; *ret_is_ours: no file of it is audmodel's. */
static int read_version(struct cache *cache, struct resolver *resolver,
                        const struct release *release, struct reading *reading,
                        bool *ret_is_ours, struct error *err)
{
    int rc = cache_archive(cache, resolver, release, &reading->archive, err);

    if (rc == 0)
        rc = check_table(reading->archive, err);
    if (rc == 0) {
        check_all(reading);
        if (reading->verdict.damaged == 0)
            rc = attest(reading->archive, err);
        lock_acquire(&reading->archive->lock);
        *ret_is_ours = !reading->archive->is_foreign;
        lock_release(&reading->archive->lock);
    }
    archive_unref(reading->archive);
    return rc;
}

int verify_release(struct cache *cache, struct resolver *resolver,
                   const struct release *release, verify_damaged *damaged, void *arg,
                   struct verify_verdict *ret_verdict, struct error *err)
{
    CLEANUP_FREE unsigned char *buffer = xcalloc(1, BUFFER_SIZE);
    struct reading reading = {.buffer = buffer, .damaged = damaged, .arg = arg};
    bool is_ours = false;
    int rc = read_version(cache, resolver, release, &reading, &is_ours, err);

    if (rc < 0)
        return rc;
    if (reading.verdict.damaged > 0)
        reading.verdict.state =
            is_ours && evict_release(cache, release->id, release->version, err) == 0
                ? VERIFY_REMOVED
                : VERIFY_DAMAGED;
    *ret_verdict = reading.verdict;
    return 0;
}
