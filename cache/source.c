/* source.c: the object that an archive's members come from, tied to its table. */
#include "cache/source.h"

#include "cache/internal.h"
#include "cache/toc_read.h"
#include "resolver/repo_path.h"

#include <errno.h>

/* Its header is not kept meanwhile: it may be large. */
static int find_archive(struct cache *cache, struct resolver *resolver,
                        const struct release *release, char ret_path[REPO_PATH_SIZE],
                        struct error *err)
{
    CLEANUP_HEADER struct header *header = NULL;
    int rc = documents_header(cache->documents, resolver, release, RESOLVE_FETCH, &header,
                              err);

    return rc < 0 ? rc
                  : repo_path_archive(header->name, header->subgroup, release->id,
                                      release->version, ret_path, err);
}

int source_open(struct cache *cache, struct resolver *resolver,
                const struct release *release, struct bytes *tail,
                struct object **ret_object, struct error *err)
{
    char path[REPO_PATH_SIZE];
    int rc = find_archive(cache, resolver, release, path, err);

    if (rc < 0)
        return rc;
    rc = resolver_open_object(resolver, release->repository, path, TOC_READ_TAIL, tail,
                              ret_object, err);
    if (rc == -ENOENT)
        return fail(
            err, EAGAIN,
            "model %s-%s has a header but no archive '%s' in repository '%s' yet; "
            "it may be being published now",
            release->id, release->version, path,
            resolver_repository_name(resolver, release->repository));
    return rc < 0 ? fail_context(err, rc, "archive '%s' in repository '%s'", path,
                                 resolver_repository_name(resolver, release->repository))
                  : 0;
}

static void note_tag(struct tree_header *header, void *arg)
{
    const struct object *object = arg;

    snprintf(header->tag, sizeof(header->tag), "%s", object_stat(object)->tag);
}

int source_note(struct tree *tree, struct object *object, struct error *err)
{
    return tree_change_header(tree, note_tag, object, err);
}

/* Another object: what failed in the old one may be good in this one. */
static void forgive_failures(struct archive *archive)
{
    lock_acquire(&archive->lock);
    for (uint32_t i = 0; i < toc_count(archive->toc); i++)
        archive->records[i].failures = 0;
    lock_release(&archive->lock);
}

/* Does the object have the table that we have? */
static int compare(struct archive *archive, struct object *object, struct error *err)
{
    struct tree_header header;
    struct toc *toc = NULL;
    bool is_same;
    int rc = tree_read_header(archive->tree, &header, err);

    if (rc < 0)
        return rc;
    if (strcmp(header.tag, object_stat(object)->tag) == 0)
        return 0;
    rc = toc_read(object, NULL, &toc, err);
    if (rc < 0)
        return rc;
    is_same = strcmp(toc_digest(toc), toc_digest(archive->toc)) == 0;
    toc_free(toc);
    if (!is_same)
        return fail(err, ESTALE, "the archive was replaced by another one");
    forgive_failures(archive);
    return source_note(archive->tree, object, err);
}

static struct object *opened(struct archive *archive)
{
    struct object *object;

    lock_acquire(&archive->lock);
    object = archive->object;
    lock_release(&archive->lock);
    return object;
}

int source_get(struct archive *archive, struct object **ret_object, struct error *err)
{
    CLEANUP_OBJECT struct object *object = NULL;
    struct object *known = opened(archive);
    int rc;

    if (known) {
        *ret_object = known;
        return 0;
    }
    rc = source_open(archive->cache, archive->resolver, &archive->release, NULL, &object,
                     err);
    if (rc == -EAGAIN)
        return fail(err, ESTALE, "the archive is not in the repository any more");
    if (rc == 0)
        rc = compare(archive, object, err);
    if (rc < 0)
        return rc;
    lock_acquire(&archive->lock);
    if (!archive->object) /* else another thread was faster */
        archive->object = steal_ptr(&object);
    *ret_object = archive->object;
    lock_release(&archive->lock);
    return 0;
}
