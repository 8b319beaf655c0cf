/* child.c: look-up of names, folder by folder. */
#include "fs/child.h"

#include "common/memory.h"
#include "fs/info.h"
#include "fs/pending.h"
#include "fs/place_archive.h"
#include "resolver/uid.h"

#include <errno.h>
#include <string.h>

const struct child_fixed child_fixed[CHILD_FIXED] = {
    {"@info",    NODE_INFO   },
    {"@tree",    NODE_GROUP  },
    {"@status",  NODE_STATUS },
    {"@metrics", NODE_METRICS},
    {"@staging", NODE_STAGING},
};

size_t child_fixed_count(const struct fs *fs)
{
    return fs->staging ? CHILD_FIXED : CHILD_FIXED - 1;
}

bool child_is_reserved(const char *version)
{
    static const char *const reserved[] = {".", "..", "latest", "current"};

    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcmp(version, reserved[i]) == 0)
            return true;
    }
    return false;
}

bool child_is_immutable(enum node_kind kind)
{
    return kind == NODE_VERSION || kind == NODE_MEMBER || kind == NODE_INFO_VERSION;
}

static bool is_info(enum node_kind kind)
{
    return kind == NODE_INFO || kind == NODE_INFO_MODEL || kind == NODE_INFO_ALIAS;
}

/* A model's folder, if there is such a model. */
static int find_model(struct fs *fs, enum node_kind kind, const char *id,
                      enum resolve_how how, struct place *child, int64_t *keep_ms,
                      struct error *err)
{
    struct freshness fresh;
    int rc = resolver_has_model(fs->resolver, id, how, &fresh, err);

    if (rc < 0)
        return rc;
    *keep_ms = fresh.left_ms;
    *child = (struct place){.kind = kind, .name = id};
    return 0;
}

/* A release by ID and version, as a place of some kind. */
static int find_release(struct fs *fs, enum node_kind kind, const char *id,
                        const char *version, enum resolve_how how, struct place *child,
                        int64_t *keep_ms, struct error *err)
{
    struct freshness fresh;
    struct release release;
    int rc = resolver_release(fs->resolver, id, version, how, &release, &fresh, err);

    if (rc < 0)
        return rc;
    /* What was published stays; which model an alias or "latest" means does not. */
    *keep_ms = INT64_MAX;
    *child = (struct place){.kind = kind, .release = release};
    return 0;
}

static int find_latest(struct fs *fs, enum node_kind kind, const char *id,
                       enum resolve_how how, struct place *child, int64_t *keep_ms,
                       struct error *err)
{
    struct version_list *list = NULL;
    const char *version;
    int rc = resolver_versions(fs->resolver, id, how, &list, err);

    if (rc < 0)
        return rc;
    version = list->entries[list->latest].version;
    rc = find_release(fs, kind, id, version, how, child, keep_ms, err);
    *keep_ms = list->fresh.left_ms; /* of a partial list: the newest that is known */
    version_list_unref(list);
    return rc;
}

/* A full ID at the top: a link, but a folder if its version can have none of its own. */
static int find_full(struct fs *fs, const struct place *parent, const struct uid *uid,
                     enum resolve_how how, struct place *child, int64_t *keep_ms,
                     struct error *err)
{
    enum node_kind kind = NODE_LINK_ROOT;

    if (child_is_reserved(uid->version))
        kind = is_info(parent->kind) ? NODE_INFO_VERSION : NODE_VERSION;
    return find_release(fs, kind, uid->id, uid->version, how, child, keep_ms, err);
}

/* An alias, or a full ID that audmodel takes for one (3e120e8d-v1.0.0). */
static int find_alias(struct fs *fs, const struct place *parent, const char *name,
                      enum resolve_how how, struct place *child, int64_t *keep_ms,
                      struct error *err)
{
    struct pending_view view = pending_view(fs->pending, name);
    struct freshness fresh = {.left_ms = fs->options.ttl_alias_ms};
    struct error other = {0};
    struct uid uid;
    int rc = 0;

    if (is_info(parent->kind))
        view.has_folder = false; /* nothing is known of it */
    if (view.is_hidden && !view.has_folder)
        return fail(err, ENOENT, "alias '%s' was removed", name);
    if (!view.has_folder)
        rc = resolver_has_alias(fs->resolver, name, how, &fresh, err);
    if (rc == 0) {
        *keep_ms = fresh.left_ms;
        *child = (struct place){
            .kind = is_info(parent->kind) ? NODE_INFO_ALIAS : NODE_ALIAS, .name = name};
        return 0;
    }
    if (rc == -ENOENT && uid_parse_target(name, &uid, &other) == 0 && uid.version[0])
        return find_full(fs, parent, &uid, how, child, keep_ms, err);
    return rc;
}

/* Names at the top of the mount and of @info. */
static int find_at_top(struct fs *fs, const struct place *parent, const char *name,
                       enum resolve_how how, struct place *child, int64_t *keep_ms,
                       struct error *err)
{
    bool below_info = is_info(parent->kind);
    struct error why = {0};
    struct uid uid;

    for (size_t i = 0; !below_info && i < child_fixed_count(fs); i++) {
        if (strcmp(name, child_fixed[i].name) == 0) {
            *child = (struct place){.kind = child_fixed[i].kind, .name = ""};
            *keep_ms = INT64_MAX;
            return 0;
        }
    }
    if (uid_parse(name, &uid, &why) < 0)
        return fail(err, ENOENT, "no model or alias '%s'", name);
    switch (uid.kind) {
    case UID_SHORT:
    case UID_LEGACY:
        return find_model(fs, below_info ? NODE_INFO_MODEL : NODE_MODEL, name, how, child,
                          keep_ms, err);
    case UID_FULL:
    case UID_LEGACY_FULL:
        return find_full(fs, parent, &uid, how, child, keep_ms, err);
    default:
        return find_alias(fs, parent, name, how, child, keep_ms, err);
    }
}

static int find_in_model(struct fs *fs, const struct place *parent, const char *name,
                         enum resolve_how how, struct place *child, int64_t *keep_ms,
                         struct error *err)
{
    enum node_kind kind = is_info(parent->kind) ? NODE_INFO_VERSION : NODE_VERSION;

    if (strcmp(name, "latest") == 0)
        return find_latest(fs, NODE_LINK_MODEL, parent->name, how, child, keep_ms, err);
    if (child_is_reserved(name))
        return fail(err, ENOENT, "model %s has no version '%s'", parent->name, name);
    return find_release(fs, kind, parent->name, name, how, child, keep_ms, err);
}

/* A link that was made here and that no repository knows of. */
static int find_pending(struct fs *fs, const struct place *parent, const char *name,
                        struct place *child)
{
    struct pending_link link;

    if (parent->kind != NODE_ALIAS ||
        pending_find(fs->pending, parent->name, name, &link) < 0)
        return -ENOENT;
    *child = (struct place){
        .kind = NODE_LINK_ALIAS, .index = link.serial, .release = link.release};
    return 0;
}

static int find_in_alias(struct fs *fs, const struct place *parent, const char *name,
                         enum resolve_how how, struct place *child, int64_t *keep_ms,
                         struct error *err)
{
    struct pending_view view = pending_view(fs->pending, parent->name);
    struct alias_target target;
    int64_t left_ms;
    int rc;

    if (find_pending(fs, parent, name, child) == 0) {
        *keep_ms = fs->options.ttl_alias_ms;
        return 0;
    }
    if (view.is_hidden)
        return fail(err, ENOENT, "alias '%s' was removed", parent->name);
    rc = resolver_alias(fs->resolver, parent->name, how, &target, err);
    if (rc < 0)
        return rc;
    if (strcmp(name, "current") == 0 && pending_view_has_unlinked(&view, &target))
        return fail(err, ENOENT, "alias '%s' was removed", parent->name);
    left_ms = target.fresh.left_ms;
    if (strcmp(name, "latest") == 0 ||
        (strcmp(name, "current") == 0 && target.version[0] == '\0'))
        rc = find_latest(fs, NODE_LINK_ALIAS, target.id, how, child, keep_ms, err);
    else if (strcmp(name, "current") == 0)
        rc = find_release(fs, NODE_LINK_ALIAS, target.id, target.version, how, child,
                          keep_ms, err);
    else if (child_is_reserved(name))
        rc = fail(err, ENOENT, "alias '%s' has no version '%s'", parent->name, name);
    else
        rc = find_release(fs, NODE_LINK_ALIAS, target.id, name, how, child, keep_ms, err);
    if (rc == 0 && left_ms < *keep_ms)
        *keep_ms = left_ms;
    return rc;
}

static int find_member(struct fs *fs, const struct place *parent, const char *name,
                       enum resolve_how how, struct place *child, int64_t *keep_ms,
                       struct error *err)
{
    struct archive *archive = NULL;
    uint32_t folder = parent->kind == NODE_MEMBER ? parent->index : 0;
    const struct toc *toc;
    uint32_t index;
    int rc = place_archive(fs, parent, how, &archive, err);

    if (rc < 0)
        return rc;
    toc = archive_toc(archive);
    *keep_ms = INT64_MAX;
    if (folder >= toc_count(toc) || toc_child(toc, folder, name, &index) < 0) {
        rc = fail(err, ENOENT, "model %s-%s has no file '%s'", parent->release.id,
                  parent->release.version, name);
    } else {
        *child = (struct place){
            .kind = NODE_MEMBER,
            .release = parent->release,
            .index = index,
            .is_arriving = place_archive_is_arriving(fs, archive, index),
        };
        snprintf(child->digest, sizeof child->digest, "%s", toc_digest(toc));
    }
    archive_unref(archive);
    return rc;
}

static int find_info_file(const struct place *parent, const char *name,
                          struct place *child, int64_t *keep_ms, struct error *err)
{
    uint32_t index;

    *keep_ms = INT64_MAX;
    if (info_find(name, &index) < 0)
        return fail(err, ENOENT, "@info has no file '%s'", name);
    *child = (struct place){
        .kind = NODE_INFO_FILE, .release = parent->release, .index = index};
    return 0;
}

static bool names_have(const struct names *names, const char *name)
{
    size_t first = 0, end = names->count;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(name, names->names[middle]);

        if (order == 0)
            return true;
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return false;
}

/* The place's name must outlive this call, so the path is put into the slot table. */
static int find_in_group(struct fs *fs, const struct place *parent, const char *name,
                         enum resolve_how how, struct place *child, int64_t *keep_ms,
                         struct error *err)
{
    CLEANUP_FREE char *path =
        xasprintf("%s%s%s", parent->name, parent->name[0] ? "/" : "", name);
    bool is_leaf = uid_is_id(name);
    struct names *names = NULL;
    uint32_t slot;
    bool exists;
    int rc = resolver_tree(fs->resolver, is_leaf ? parent->name : path, how, &names, err);

    if (rc < 0)
        return rc;
    *keep_ms = names->fresh.left_ms;
    exists = !is_leaf || names_have(names, name);
    names_unref(names);
    if (!exists)
        return fail(err, ENOENT, "@tree has no folder '%s'", path);
    rc = slots_intern(fs->slots, path, &slot, err);
    if (rc < 0)
        return rc;
    *child = (struct place){.kind = is_leaf ? NODE_GROUP_LINK : NODE_GROUP,
                            .name = slots_text(fs->slots, slot)};
    return 0;
}

int child_find(struct fs *fs, const struct place *parent, const char *name,
               enum resolve_how how, struct place *ret_child, int64_t *ret_keep_ms,
               struct error *err)
{
    switch (parent->kind) {
    case NODE_ROOT:
    case NODE_INFO:
        return find_at_top(fs, parent, name, how, ret_child, ret_keep_ms, err);
    case NODE_MODEL:
    case NODE_INFO_MODEL:
        return find_in_model(fs, parent, name, how, ret_child, ret_keep_ms, err);
    case NODE_ALIAS:
    case NODE_INFO_ALIAS:
        return find_in_alias(fs, parent, name, how, ret_child, ret_keep_ms, err);
    case NODE_VERSION:
    case NODE_MEMBER:
        return find_member(fs, parent, name, how, ret_child, ret_keep_ms, err);
    case NODE_INFO_VERSION:
        return find_info_file(parent, name, ret_child, ret_keep_ms, err);
    case NODE_GROUP:
        return find_in_group(fs, parent, name, how, ret_child, ret_keep_ms, err);
    default:
        return fail(err, ENOTDIR, "no folder");
    }
}
