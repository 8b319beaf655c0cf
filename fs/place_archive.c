/* place_archive.c: the archive that a version or a member belongs to. */
#include "fs/place_archive.h"

#include <errno.h>
#include <string.h>

int place_archive(struct fs *fs, const struct place *place, enum resolve_how how,
                  struct archive **ret_archive, struct error *err)
{
    bool is_member = place->kind == NODE_MEMBER;
    struct archive *archive =
        cache_find(fs->cache, &place->release, is_member ? place->digest : NULL);
    int rc;

    if (archive) {
        *ret_archive = archive;
        return 0;
    }
    if (how != RESOLVE_FETCH)
        return fail(err, EINPROGRESS, "the archive is not open");
    rc = cache_archive(fs->cache, fs->resolver, &place->release, &archive, err);
    if (rc < 0)
        return fail_context(err, rc, "model %s-%s", place->release.id,
                            place->release.version);
    if (is_member && strcmp(toc_digest(archive_toc(archive)), place->digest) != 0) {
        archive_unref(archive);
        return fail(err, ESTALE, "model %s-%s: its archive was replaced",
                    place->release.id, place->release.version);
    }
    *ret_archive = archive;
    return 0;
}

bool place_archive_is_arriving(struct fs *fs, struct archive *archive, uint32_t index)
{
    const struct toc_entry *entry = toc_entry(archive_toc(archive), index);

    return entry->kind == TOC_FILE && entry->size > cache_hold(fs->cache) &&
           archive_member_state(archive, index) != MEMBER_COMPLETE;
}
