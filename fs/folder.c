/* folder.c: the names in each kind of folder. */
#include "fs/folder.h"

#include "common/memory.h"
#include "fs/child.h"
#include "fs/describe.h"
#include "fs/info.h"
#include "resolver/uid.h"

#include <errno.h>
#include <string.h>

struct folder {
    struct place place;
    struct names *aliases;         /* at the top */
    struct names *names;           /* models at the top, or a folder of @tree */
    struct version_list *versions; /* of a model or an alias */
    struct archive *archive;       /* of a version */
    size_t size;
};

static const char *const link_names[] = {"latest", "current"};

static bool is_alias(enum node_kind kind)
{
    return kind == NODE_ALIAS || kind == NODE_INFO_ALIAS;
}

static size_t fixed_count(const struct folder *folder)
{
    return folder->place.kind == NODE_ROOT ? CHILD_FIXED : 0;
}

static int list_top(struct fs *fs, struct folder *folder, enum resolve_how how,
                    struct error *err)
{
    int rc = resolver_names(fs->resolver, NAMES_OF_ALIASES, how, &folder->aliases, err);

    if (rc == 0)
        rc = resolver_names(fs->resolver, NAMES_OF_MODELS, how, &folder->names, err);
    if (rc == 0)
        folder->size =
            fixed_count(folder) + folder->aliases->count + folder->names->count;
    return rc;
}

static int list_versions(struct fs *fs, struct folder *folder, enum resolve_how how,
                         struct error *err)
{
    const char *id = folder->place.name;
    struct alias_target target;
    int rc = 0;

    if (is_alias(folder->place.kind)) {
        rc = resolver_alias(fs->resolver, folder->place.name, how, &target, err);
        id = target.id;
    }
    if (rc == 0)
        rc = resolver_versions(fs->resolver, id, how, &folder->versions, err);
    if (rc == 0)
        folder->size = folder->versions->count + (is_alias(folder->place.kind) ? 2 : 1);
    return rc;
}

static int list_members(struct fs *fs, struct folder *folder, enum resolve_how how,
                        struct error *err)
{
    CLEANUP_HEADER struct header *header = NULL;
    const struct toc *toc;
    uint32_t index = folder->place.kind == NODE_MEMBER ? folder->place.index : 0;
    int rc = describe_archive(fs, &folder->place, how, &folder->archive, err);

    if (rc == 0) /* dates the folders: at hand when they are described */
        rc = cache_header(fs->cache, fs->resolver, &folder->place.release, how, &header,
                          err);
    if (rc < 0)
        return rc;
    toc = archive_toc(folder->archive);
    if (index >= toc_count(toc) || toc_entry(toc, index)->kind != TOC_FOLDER)
        return fail(err, ENOTDIR, "no folder");
    folder->size = toc_entry(toc, index)->child_count;
    return 0;
}

static int list_group(struct fs *fs, struct folder *folder, enum resolve_how how,
                      struct error *err)
{
    int rc = resolver_tree(fs->resolver, folder->place.name, how, &folder->names, err);

    if (rc == 0)
        folder->size = folder->names->count;
    return rc;
}

static int list(struct fs *fs, struct folder *folder, enum resolve_how how,
                struct error *err)
{
    switch (folder->place.kind) {
    case NODE_ROOT:
    case NODE_INFO:
        return list_top(fs, folder, how, err);
    case NODE_MODEL:
    case NODE_ALIAS:
    case NODE_INFO_MODEL:
    case NODE_INFO_ALIAS:
        return list_versions(fs, folder, how, err);
    case NODE_VERSION:
    case NODE_MEMBER:
        return list_members(fs, folder, how, err);
    case NODE_INFO_VERSION:
        folder->size = INFO_FILES;
        return 0;
    case NODE_GROUP:
        return list_group(fs, folder, how, err);
    default:
        return fail(err, ENOTDIR, "no folder");
    }
}

int folder_make(struct fs *fs, const struct place *place, enum resolve_how how,
                struct folder **ret_folder, struct error *err)
{
    struct folder *folder = XNEW(struct folder);
    int rc;

    folder->place = *place;
    rc = list(fs, folder, how, err);
    if (rc < 0) {
        folder_free(folder);
        return rc;
    }
    *ret_folder = folder;
    return 0;
}

void folder_free(struct folder *folder)
{
    if (!folder)
        return;
    names_unref(folder->aliases);
    names_unref(folder->names);
    version_list_unref(folder->versions);
    archive_unref(folder->archive);
    free(folder);
}

size_t folder_size(const struct folder *folder)
{
    return folder->size;
}

static const char *get_at_top(const struct folder *folder, size_t position,
                              struct place *place)
{
    bool is_root = folder->place.kind == NODE_ROOT;

    if (position < fixed_count(folder)) {
        place->kind = child_fixed[position].kind;
        place->name = "";
        return child_fixed[position].name;
    }
    position -= fixed_count(folder);
    if (position < folder->aliases->count) {
        place->kind = is_root ? NODE_ALIAS : NODE_INFO_ALIAS;
        place->name = folder->aliases->names[position];
    } else {
        place->kind = is_root ? NODE_MODEL : NODE_INFO_MODEL;
        place->name = folder->names->names[position - folder->aliases->count];
    }
    return place->name;
}

static const char *get_version(const struct folder *folder, size_t position,
                               struct place *place)
{
    const struct version_list *versions = folder->versions;
    const struct version_entry *entry;

    place->kind = is_alias(folder->place.kind) ? NODE_LINK_ALIAS : NODE_LINK_MODEL;
    if (position >= versions->count)
        return link_names[position - versions->count];
    entry = &versions->entries[position];
    if (entry->is_shadowed || child_is_reserved(entry->version))
        return NULL;
    if (folder->place.kind == NODE_MODEL)
        place->kind = NODE_VERSION;
    else if (folder->place.kind == NODE_INFO_MODEL)
        place->kind = NODE_INFO_VERSION;
    return entry->version;
}

static const char *get_member(const struct folder *folder, size_t position,
                              struct place *place)
{
    const struct toc *toc = archive_toc(folder->archive);
    uint32_t top = folder->place.kind == NODE_MEMBER ? folder->place.index : 0;

    place->kind = NODE_MEMBER;
    place->release = folder->place.release;
    place->index = toc_entry(toc, top)->first_child + (uint32_t)position;
    snprintf(place->digest, sizeof place->digest, "%s", toc_digest(toc));
    return toc_name(toc, place->index);
}

const char *folder_get(const struct folder *folder, size_t position,
                       struct place *ret_place)
{
    *ret_place = (struct place){.kind = NODE_NONE};
    if (position >= folder->size)
        return NULL;
    switch (folder->place.kind) {
    case NODE_ROOT:
    case NODE_INFO:
        return get_at_top(folder, position, ret_place);
    case NODE_INFO_VERSION:
        ret_place->kind = NODE_INFO_FILE;
        ret_place->release = folder->place.release;
        ret_place->index = (uint32_t)position;
        return info_name((uint32_t)position);
    case NODE_GROUP:
        ret_place->name = folder->names->names[position];
        ret_place->kind = uid_is_id(ret_place->name) ? NODE_GROUP_LINK : NODE_GROUP;
        return ret_place->name;
    case NODE_VERSION:
    case NODE_MEMBER:
        return get_member(folder, position, ret_place);
    default:
        return get_version(folder, position, ret_place);
    }
}
