/* folder.c: the names in each kind of folder. */
#include "fs/folder.h"

#include "common/memory.h"
#include "fs/child.h"
#include "fs/info.h"
#include "fs/pending.h"
#include "fs/place_archive.h"
#include "fs/staging_list.h"
#include "resolver/uid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct folder {
    struct place place;
    struct names *aliases;         /* at the top */
    struct bytes pending;          /* names made here, each with its NUL */
    struct bytes hidden;           /* aliases that are as good as removed */
    bool has_current;              /* of an alias */
    struct names *names;           /* models at the top, or a folder of @tree */
    struct version_list *versions; /* of a model or an alias */
    struct archive *archive;       /* of a version */
    size_t fixed;                  /* of child_fixed, at the top */
    struct staged_names staged;    /* of @staging */
    size_t size;
};

enum { PENDING_BYTES_MAX = 1 << 20 };

static const char *const link_names[] = {"latest", "current"};

static bool is_alias(enum node_kind kind)
{
    return kind == NODE_ALIAS || kind == NODE_INFO_ALIAS;
}

/* The name at a position of texts that end in NUL; "" past the end. */
static const char *text_at(const struct bytes *texts, size_t position)
{
    size_t at = 0;

    while (at < texts->size && position-- > 0)
        at += strlen(texts->data + at) + 1;
    return texts->data + at;
}

static size_t count_texts(const struct bytes *texts)
{
    size_t count = 0;

    for (size_t i = 0; i < texts->size; i++)
        count += texts->data[i] == '\0';
    return count;
}

static bool has_text(const struct bytes *texts, const char *text)
{
    for (size_t at = 0; at < texts->size; at += strlen(texts->data + at) + 1) {
        if (strcmp(texts->data + at, text) == 0)
            return true;
    }
    return false;
}

/* What this mount alone knows: folders made here, and aliases that are going.
 *
 * Before the repositories are asked, and folders before aliases that are going: a change
 * leaves this only after the repositories have it. One that ends while we look is then
 * seen twice, here and there, which get_at_top settles; it is never seen nowhere. */
static int list_pending(struct fs *fs, struct folder *folder, struct error *err)
{
    int rc = 0;

    if (folder->place.kind == NODE_ROOT)
        rc = pending_names(fs->pending, PENDING_FOLDERS, NULL, &folder->pending, err);
    if (rc == 0)
        rc = pending_names(fs->pending, PENDING_HIDDEN, NULL, &folder->hidden, err);
    folder->size = count_texts(&folder->pending);
    return rc;
}

static int list_top(struct fs *fs, struct folder *folder, enum resolve_how how,
                    struct error *err)
{
    int rc = list_pending(fs, folder, err);

    folder->fixed = folder->place.kind == NODE_ROOT ? child_fixed_count(fs) : 0;
    if (rc == 0)
        rc = resolver_names(fs->resolver, NAMES_OF_ALIASES, how, &folder->aliases, err);
    if (rc == 0)
        rc = resolver_names(fs->resolver, NAMES_OF_MODELS, how, &folder->names, err);
    if (rc == 0)
        folder->size += folder->fixed + folder->aliases->count + folder->names->count;
    return rc;
}

static int list_versions(struct fs *fs, struct folder *folder, const char *id,
                         enum resolve_how how, struct error *err)
{
    int rc = resolver_versions(fs->resolver, id, how, &folder->versions, err);

    if (rc == 0)
        folder->size += folder->versions->count + (folder->has_current ? 2 : 1);
    return rc;
}

/* What is pending here comes first, as above. */
static int list_alias(struct fs *fs, struct folder *folder, enum resolve_how how,
                      struct error *err)
{
    struct alias_target target;
    struct pending_view view;
    int rc = 0;

    if (folder->place.kind == NODE_ALIAS)
        rc = pending_look(fs->pending, folder->place.name, &view, &folder->pending, err);
    else
        view = pending_view(fs->pending, folder->place.name);
    folder->size = count_texts(&folder->pending);
    if (rc < 0 || view.is_hidden)
        return rc;
    rc = resolver_alias(fs->resolver, folder->place.name, how, &target, err);
    if (rc == -ENOENT && view.has_folder)
        return 0;
    if (rc < 0)
        return rc;
    folder->has_current = !pending_view_has_unlinked(&view, &target);
    return list_versions(fs, folder, target.id, how, err);
}

static int list_members(struct fs *fs, struct folder *folder, enum resolve_how how,
                        struct error *err)
{
    const struct toc *toc;
    int64_t date_s;
    uint32_t index = folder->place.kind == NODE_MEMBER ? folder->place.index : 0;
    int rc = place_archive(fs, &folder->place, how, &folder->archive, err);

    if (rc == 0) /* dates the folders: at hand when they are described */
        rc = cache_date(fs->cache, fs->resolver, &folder->place.release, how, &date_s,
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

static int list(struct fs *fs, struct folder *folder, uint64_t after,
                enum resolve_how how, struct error *err)
{
    int rc;

    switch (folder->place.kind) {
    case NODE_ROOT:
    case NODE_INFO:
        return list_top(fs, folder, how, err);
    case NODE_MODEL:
    case NODE_INFO_MODEL:
        return list_versions(fs, folder, folder->place.name, how, err);
    case NODE_ALIAS:
    case NODE_INFO_ALIAS:
        return list_alias(fs, folder, how, err);
    case NODE_VERSION:
    case NODE_MEMBER:
        return list_members(fs, folder, how, err);
    case NODE_INFO_VERSION:
        folder->size = INFO_FILES;
        return 0;
    case NODE_GROUP:
        return list_group(fs, folder, how, err);
    case NODE_STAGING:
    case NODE_STAGED:
        rc = staged_names_read(fs, folder->place.number, after, &folder->staged, err);
        folder->size = folder->staged.count;
        return rc;
    default:
        return fail(err, ENOTDIR, "no folder");
    }
}

int folder_make(struct fs *fs, const struct place *place, uint64_t after,
                enum resolve_how how, struct folder **ret_folder, struct error *err)
{
    struct folder *folder = XNEW(struct folder);
    int rc;

    folder->place = *place;
    bytes_init(&folder->pending, PENDING_BYTES_MAX);
    bytes_init(&folder->hidden, PENDING_BYTES_MAX);
    rc = list(fs, folder, after, how, err);
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
    bytes_done(&folder->pending);
    bytes_done(&folder->hidden);
    staged_names_done(&folder->staged);
    names_unref(folder->aliases);
    names_unref(folder->names);
    version_list_unref(folder->versions);
    archive_unref(folder->archive);
    free(folder);
}

uint64_t folder_next(const struct folder *folder, size_t position)
{
    return staged_names_next(&folder->staged, position);
}

size_t folder_size(const struct folder *folder)
{
    return folder->size;
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, *(const char *const *)entry);
}

/* Did a folder made here become an alias since? */
static bool is_listed(const struct folder *folder, const char *name)
{
    const struct names *aliases = folder->aliases;

    return aliases->count > 0 &&
           bsearch(name, aliases->names, aliases->count, sizeof *aliases->names,
                   compare_name) &&
           !has_text(&folder->hidden, name);
}

static const char *get_at_top(const struct folder *folder, size_t position,
                              struct place *place)
{
    bool is_root = folder->place.kind == NODE_ROOT;

    if (position < folder->fixed) {
        place->kind = child_fixed[position].kind;
        place->name = "";
        return child_fixed[position].name;
    }
    position -= folder->fixed;
    if (position < folder->aliases->count) {
        place->kind = is_root ? NODE_ALIAS : NODE_INFO_ALIAS;
        place->name = folder->aliases->names[position];
        return has_text(&folder->hidden, place->name) ? NULL : place->name;
    }
    position -= folder->aliases->count;
    if (position < folder->names->count) {
        place->kind = is_root ? NODE_MODEL : NODE_INFO_MODEL;
        place->name = folder->names->names[position];
        return place->name;
    }
    place->kind = NODE_ALIAS;
    place->name = text_at(&folder->pending, position - folder->names->count);
    return is_listed(folder, place->name) ? NULL : place->name;
}

/* A link made here is found before what the alias has of its name, and listed for it. */
static const char *unless_pending(const struct folder *folder, const char *name)
{
    return has_text(&folder->pending, name) ? NULL : name;
}

static const char *get_version(const struct folder *folder, size_t position,
                               struct place *place)
{
    const struct version_list *versions = folder->versions;
    const struct version_entry *entry;

    size_t count = versions ? versions->count : 0;
    size_t links = !versions ? 0 : folder->has_current ? 2 : 1;

    place->kind = is_alias(folder->place.kind) ? NODE_LINK_ALIAS : NODE_LINK_MODEL;
    if (position >= count + links)
        return text_at(&folder->pending, position - count - links);
    if (position >= count)
        return unless_pending(folder, link_names[position - count]);
    entry = &versions->entries[position];
    if (entry->is_shadowed || child_is_reserved(entry->version))
        return NULL;
    if (folder->place.kind == NODE_MODEL)
        place->kind = NODE_VERSION;
    else if (folder->place.kind == NODE_INFO_MODEL)
        place->kind = NODE_INFO_VERSION;
    return unless_pending(folder, entry->version);
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
    case NODE_STAGING:
    case NODE_STAGED:
        return staged_names_get(&folder->staged, position);
    case NODE_VERSION:
    case NODE_MEMBER:
        return get_member(folder, position, ret_place);
    default:
        return get_version(folder, position, ret_place);
    }
}

bool folder_attr(const struct folder *folder, size_t position, struct stat *ret_attr)
{
    return position < folder->staged.count &&
           staged_names_attr(&folder->staged, position, ret_attr);
}
