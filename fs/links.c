/* links.c: aliases made, moved and removed as folders and links. */
#include "fs/links.h"

#include "fs/child.h"
#include "fs/describe.h"
#include "fs/failures.h"
#include "fs/invalidate.h"
#include "fs/pending.h"
#include "publish/publish.h"
#include "resolver/release.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>

static const char current[] = "current";

/* May it be tried at all? A request whose time is up changes nothing. */
static int check(struct fs *fs, enum resolve_how how, struct error *err)
{
    if (!fs->options.write_aliases)
        return fail(err, EROFS, "aliases cannot be changed here (write.aliases)");
    if (how == RESOLVE_STALE)
        return fail(err, EINPROGRESS, "too late");
    return 0;
}

/* 0 when there is no such name, -EEXIST when there is, else why that cannot be said. */
static int expect_none(struct fs *fs, const struct place *parent, const char *name,
                       enum resolve_how how, struct error *err)
{
    struct place child;
    int64_t keep_ms;
    int rc = child_find(fs, parent, name, how, &child, &keep_ms, err);

    if (rc == 0)
        return fail(err, EEXIST, "'%s' exists", name);
    return rc == -ENOENT ? 0 : rc;
}

static int answer_entry(struct fs *fs, const struct place *place, struct answer *answer,
                        struct error *err)
{
    int rc = describe(fs, place, RESOLVE_KNOWN, &answer->entry, err);

    if (rc < 0)
        return rc;
    answer->kind = ANSWER_ENTRY;
    answer->entry.entry_timeout = (double)fs->options.ttl_alias_ms / 1000;
    return 0;
}

int links_mkdir(struct fs *fs, const struct call *call, const struct place *place,
                enum resolve_how how, struct answer *answer, struct error *err)
{
    struct error other = {0};
    struct uid uid;
    bool is_made;
    int rc = check(fs, how, err);

    if (rc < 0)
        return rc;
    if (place->kind != NODE_ROOT)
        return fail(err, EROFS, "only an alias can be made");
    rc = expect_none(fs, place, call->name, how, err);
    is_made = rc == -EEXIST && call_is_repeated(call) &&
              pending_view(fs->pending, call->name).has_folder;
    if (rc < 0 && !is_made)
        return rc;
    if (uid_parse(call->name, &uid, &other) < 0 || uid.kind != UID_ALIAS ||
        !uid_alias_is_valid(call->name))
        return fail(err, EINVAL, "an alias cannot be called '%s'", call->name);
    rc = is_made ? 0 : pending_add_folder(fs->pending, call->name, err);
    if (rc < 0)
        return rc;
    return answer_entry(fs, &(struct place){.kind = NODE_ALIAS, .name = call->name},
                        answer, err);
}

/* The kernel marks its inode as a removed folder's, in which nothing can be made any
 * more, and has it for as long as anybody: an alias of that name is another node. */
int links_rmdir(struct fs *fs, const struct call *call, const struct place *place,
                enum resolve_how how, struct answer *answer, struct error *err)
{
    struct alias_target target;
    struct pending_view view;
    struct place child;
    int64_t keep_ms;
    int rc = check(fs, how, err);

    (void)answer;
    if (rc == 0)
        rc = child_find(fs, place, call->name, how, &child, &keep_ms, err);
    if (rc == -ENOENT && call_is_repeated(call))
        return slots_renew(fs->slots, call->name, err);
    if (rc < 0)
        return rc;
    if (place->kind != NODE_ROOT || child.kind != NODE_ALIAS)
        return fail(err, EROFS, "'%s' is no alias", call->name);
    view = pending_view(fs->pending, call->name);
    rc = resolver_alias(fs->resolver, call->name, how, &target, err);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (rc == 0 && view.no_current && !pending_view_has_unlinked(&view, &target))
        return fail(err, ENOTEMPTY, "alias '%s' was set again meanwhile", call->name);
    rc = pending_remove_folder(fs->pending, call->name,
                               rc == 0 ? PENDING_OF_ALIAS : PENDING_OF_NO_ALIAS, err);
    return rc < 0 ? rc : slots_renew(fs->slots, call->name, err);
}

/* The release that a path of one or two parts in the mount names. */
static int find_target(struct fs *fs, const char *path, enum resolve_how how,
                       struct release *ret_release, struct error *err)
{
    struct place at = {.kind = NODE_ROOT};
    const char *slash = strchr(path, '/');
    struct place child;
    int64_t keep_ms;
    char first[NAME_MAX + 1];
    size_t size = slash ? (size_t)(slash - path) : strlen(path);
    int rc;

    if (size > NAME_MAX)
        return fail(err, ENOENT, "'%s' does not exist", path);
    memcpy(first, path, size);
    first[size] = '\0';
    rc = child_find(fs, &at, first, how, &child, &keep_ms, err);
    at = child;
    if (rc == 0 && (slash || at.kind == NODE_ALIAS))
        rc = child_find(fs, &at, slash ? slash + 1 : current, how, &child, &keep_ms, err);
    if (rc == -ENOTDIR)
        return fail(err, ENOENT, "'%s' does not exist", path);
    if (rc < 0)
        return rc;
    if (child.kind != NODE_VERSION && child.kind != NODE_LINK_MODEL &&
        child.kind != NODE_LINK_ALIAS && child.kind != NODE_LINK_ROOT)
        return fail(err, EINVAL, "'%s' is no version of a model", path);
    *ret_release = child.release;
    return 0;
}

/* Links that were made before there was an alias, as `cp -a` of another alias' folder
 * makes them, give way to those that follow from it, and go on following. */
static void drop_derived(struct fs *fs, const char *alias, const char *id)
{
    struct version_list *list = NULL;
    CLEANUP_BYTES struct bytes made;
    struct error unused = {0}; /* then they stay */

    bytes_init(&made, ANSWER_BYTES_MAX);
    if (pending_names(fs->pending, PENDING_LINKS, alias, &made, &unused) < 0 ||
        made.size == 0 ||
        resolver_versions(fs->resolver, id, RESOLVE_FETCH, &list, &unused) < 0)
        return;
    (void)pending_drop(fs->pending, alias, "latest"); /* if it was made */
    for (size_t i = 0; i < list->count; i++)
        (void)pending_drop(fs->pending, alias, list->entries[i].version);
    version_list_unref(list);
}

/* Let an alias name a release, in its repository. The caller is between pending_begin and
 * pending_end. */
static int set_alias(struct fs *fs, const char *alias, const struct release *release,
                     struct answer *answer, struct error *err)
{
    struct alias_target before = {.id = ""};
    struct error unused = {0};
    char uid[RELEASE_UID_SIZE];
    int rc;

    (void)resolver_alias(fs->resolver, alias, RESOLVE_STALE, &before, &unused);
    release_print_uid(release, uid);
    rc = publish_set_alias(fs->resolver, alias, uid, err);
    if (rc < 0)
        return fail_context(err, rc, "alias '%s'", alias);
    resolver_forget_alias(fs->resolver, alias);
    drop_derived(fs, alias, release->id);
    answer->changed.alias = alias;
    snprintf(answer->changed.before, sizeof answer->changed.before, "%s", before.id);
    snprintf(answer->changed.after, sizeof answer->changed.after, "%s", release->id);
    return 0;
}

static int make_current(struct fs *fs, const struct call *call, const struct place *place,
                        struct answer *answer, struct error *err)
{
    struct place link = {.kind = NODE_LINK_ALIAS};
    int rc;

    pending_begin(fs->pending, place->name);
    rc = expect_none(fs, place, current, RESOLVE_FETCH, err);
    if (rc == -EEXIST && call_is_repeated(call))
        rc = 0; /* to set it twice is no harm */
    if (rc == 0)
        rc = find_target(fs, call->other, RESOLVE_FETCH, &link.release, err);
    if (rc == 0)
        rc = set_alias(fs, place->name, &link.release, answer, err);
    pending_end(fs->pending, place->name, rc);
    return rc < 0 ? rc : answer_entry(fs, &link, answer, err);
}

static int find_made(struct fs *fs, const struct place *folder, const char *name,
                     struct pending_link *ret_made, struct error *err)
{
    if (pending_find(fs->pending, folder->name, name, ret_made) < 0)
        return fail(err, ENOENT, "link '%s' was removed meanwhile", name);
    return 0;
}

int links_symlink(struct fs *fs, const struct call *call, const struct place *place,
                  enum resolve_how how, struct answer *answer, struct error *err)
{
    struct pending_link made = {.serial = 0};
    int rc = check(fs, how, err);

    if (rc < 0)
        return rc;
    if (place->kind != NODE_ALIAS)
        return fail(err, EROFS, "links are made in the folder of an alias");
    if (strcmp(call->name, current) == 0) {
        if (how == RESOLVE_FETCH)
            return make_current(fs, call, place, answer, err);
        pending_postpone(fs->pending, place->name);
        return fail(err, EINPROGRESS, "the repository is to be changed");
    }
    rc = expect_none(fs, place, call->name, how, err);
    if (rc == -EEXIST && call_is_repeated(call) &&
        pending_find(fs->pending, place->name, call->name, &made) == 0)
        rc = 0;
    if (rc == 0)
        rc = find_target(fs, call->other, how, &made.release, err);
    if (rc == 0)
        rc = pending_add(fs->pending, place->name, call->name, &made, err);
    if (rc == 0)
        rc = find_made(fs, place, call->name, &made, err);
    if (rc < 0)
        return rc;
    return answer_entry(fs,
                        &(struct place){.kind = NODE_LINK_ALIAS,
                                        .index = made.serial,
                                        .release = made.release},
                        answer, err);
}

int links_unlink(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    struct place child;
    int64_t keep_ms;
    int rc = check(fs, how, err);

    (void)answer;
    if (rc < 0)
        return rc;
    if (place->kind != NODE_ALIAS)
        return fail(err, EROFS, "'%s' cannot be removed", call->name);
    if (pending_drop(fs->pending, place->name, call->name) == 0)
        return 0;
    rc = child_find(fs, place, call->name, how, &child, &keep_ms, err);
    if (rc == 0 && strcmp(call->name, current) == 0)
        pending_drop_current(fs->pending, place->name, &child.release);
    if (rc == -ENOENT && call_is_repeated(call))
        return 0;
    return rc; /* a derived link is there again at the next look */
}

static int rename_to_current(struct fs *fs, const struct place *to,
                             const struct release *release, struct answer *answer,
                             struct error *err)
{
    int rc;

    pending_begin(fs->pending, to->name);
    rc = set_alias(fs, to->name, release, answer, err);
    pending_end(fs->pending, to->name, rc);
    return rc;
}

/* Where a link made here may be moved to: 0, or why not. */
static int check_new_name(struct fs *fs, const struct call *call, const struct place *to,
                          enum resolve_how how, struct error *err)
{
    struct pending_link unused;
    bool is_ours = pending_find(fs->pending, to->name, call->other, &unused) == 0;
    bool is_current = strcmp(call->other, current) == 0;
    int rc = 0;

    if (!is_ours && (!is_current || call->flags & RENAME_NOREPLACE))
        rc = expect_none(fs, to, call->other, how, err);
    if (is_ours && call->flags & RENAME_NOREPLACE)
        return fail(err, EEXIST, "'%s' exists", call->other);
    if (rc == -EEXIST && !(call->flags & RENAME_NOREPLACE))
        return fail(err, EROFS, "'%s' follows from the alias", call->other);
    if (rc == 0 && is_current && how != RESOLVE_FETCH) {
        pending_postpone(fs->pending, to->name);
        return fail(err, EINPROGRESS, "the repository is to be changed");
    }
    return rc;
}

int links_rename(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    struct pending_link made;
    struct place to;
    int rc = check(fs, how, err);

    if (rc == 0)
        rc = place_of(fs->slots, call->other_id, &to, err);
    if (rc < 0)
        return rc;
    if (call->flags & ~(unsigned)RENAME_NOREPLACE)
        return fail(err, EINVAL, "links cannot be exchanged");
    if (place->kind ==
        NODE_ROOT) /* mv(1) makes a new folder then, and removes this one */
        return fail(err, EXDEV, "the folder of an alias cannot be renamed");
    if (place->kind != NODE_ALIAS || to.kind != NODE_ALIAS)
        return fail(err, EROFS, "'%s' cannot be moved", call->name);
    if (pending_find(fs->pending, place->name, call->name, &made) < 0) {
        rc = expect_none(fs, place, call->name, how, err);
        if (rc == 0 && call_is_repeated(call))
            return 0;
        return rc == -EEXIST ? fail(err, EROFS, "'%s' follows from the alias", call->name)
               : rc < 0      ? rc
                             : fail(err, ENOENT, "no link '%s'", call->name);
    }
    rc = check_new_name(fs, call, &to, how, err);
    if (rc == 0 && strcmp(call->other, current) == 0)
        rc = rename_to_current(fs, &to, &made.release, answer, err);
    else if (rc == 0)
        rc = pending_add(fs->pending, to.name, call->other, &made, err);
    if (rc == 0)
        (void)pending_drop(fs->pending, place->name, call->name); /* it was there */
    return rc;
}

/* The names that an alias' folder had from a model. */
static void tell_versions(struct fs *fs, const struct place *folder, const char *id)
{
    struct version_list *list = NULL;
    struct error unused = {0};

    if (!id[0] || resolver_versions(fs->resolver, id, RESOLVE_STALE, &list, &unused) < 0)
        return; /* nobody has asked for them */
    for (size_t i = 0; i < list->count; i++)
        invalidate_entry(fs, folder, list->entries[i].version);
    version_list_unref(list);
}

void links_tell_alias(struct fs *fs, const char *alias, const char *before,
                      const char *after)
{
    static const enum node_kind kinds[] = {NODE_ALIAS, NODE_INFO_ALIAS};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct place folder = {.kind = kinds[i], .name = alias};

        invalidate_entry(fs, &folder, current);
        invalidate_entry(fs, &folder, "latest");
        tell_versions(fs, &folder, before);
        if (strcmp(before, after) != 0)
            tell_versions(fs, &folder, after);
    }
    invalidate_entry(fs, &(struct place){.kind = NODE_INFO}, alias);
}

void links_tell(struct fs *fs, const struct answer *answer)
{
    if (answer->changed.alias)
        links_tell_alias(fs, answer->changed.alias, answer->changed.before,
                         answer->changed.after);
}

void links_remove_alias(void *arg, const char *alias, struct pending_view before)
{
    struct alias_target target = {.id = ""};
    struct error err = {0}, unused = {0};
    struct fs *fs = arg;
    int rc;

    (void)resolver_alias(fs->resolver, alias, RESOLVE_STALE, &target, &unused);
    rc = publish_remove_alias(fs->resolver, alias,
                              before.unlinked.id[0] ? &before.unlinked : NULL, &err);
    if (rc < 0 && rc != -ENOENT && rc != -ESTALE) {
        (void)fail_context(&err, rc, "alias '%s' was not removed", alias);
        failures_note(fs->failures, err.message);
    }
    resolver_forget_alias(fs->resolver, alias);
    links_tell_alias(fs, alias, target.id, target.id);
    if (!before.is_hidden) /* else the kernel knows, and what it has is a new folder */
        invalidate_entry(fs, &(struct place){.kind = NODE_ROOT}, alias);
}
