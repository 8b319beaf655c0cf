/* resolver_versions.c: the versions of a model over all repositories; its latest one. */
#include "common/memory.h"
#include "resolver/questions.h"
#include "resolver/resolver.h"
#include "resolver/state.h"
#include "resolver/uid.h"
#include "resolver/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What version_list points to lives in the listings. */
struct version_box {
    struct version_list base; /* first: the caller's pointer */
    struct gathered gathered;
    struct listing *cached; /* what the cache folder has, where that is the answer */
    struct version_entry entries[];
};

static struct version_box *box_new(size_t entries_max)
{
    struct version_box *box = calloc(1, sizeof *box + entries_max * sizeof *box->entries);

    if (box)
        box->base.entries = box->entries;
    return box;
}

static void box_free(struct version_box *box)
{
    if (!box)
        return;
    gathered_done(&box->gathered);
    listing_unref(box->cached);
    free(box);
}

void version_list_unref(struct version_list *list)
{
    box_free((struct version_box *)list);
}

static void cleanup_list(struct version_list **list)
{
    version_list_unref(*list);
}

static bool is_shadowed(const struct gathered *gathered, size_t repository,
                        const char *version)
{
    for (size_t i = 0; i < repository; i++)
        if (gathered->listings[i] &&
            listing_has(gathered->listings[i], version_compare, version))
            return true;
    return false;
}

/* Put the lists one after the other, as audmodel does, without sorting again. */
static void fill_entries(struct version_box *box)
{
    const struct gathered *gathered = &box->gathered;
    bool has_accepted = false;

    for (unsigned i = 0; i < gathered->count; i++) {
        const struct listing *listing = gathered->listings[i];

        for (size_t j = 0; listing && j < listing->count; j++) {
            const char *version = listing->names[j];
            struct version_entry *entry = &box->entries[box->base.count++];

            *entry =
                (struct version_entry){.version = version,
                                       .repository = i,
                                       .is_accepted = uid_version_is_accepted(version),
                                       .is_shadowed = is_shadowed(gathered, i, version)};
            has_accepted |= entry->is_accepted;
            if (entry->is_accepted || !has_accepted)
                box->base.latest = box->base.count - 1;
        }
    }
    box->base.is_partial = gathered->failed > 0;
    box->base.fresh.left_ms = gathered->left_ms;
}

/* No repository that could have the model can be asked: what the cache folder has of it
 * is what is known. rc and err say why; they stand if it has nothing. */
static int offline_versions(struct resolver *resolver, const char *id,
                            enum resolve_how how, int rc, struct version_box **ret_box,
                            struct error *err)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    struct version_box *box;
    struct error reason = {0};
    int64_t left_ms = 0;
    int found = state_cached_versions(resolver, id, how, &listing, &left_ms, &reason);

    if (found == -EINPROGRESS)
        return fail(err, EINPROGRESS, "%s", reason.message);
    if (found < 0)
        return rc;
    box = box_new(listing->count);
    if (!box)
        return fail(err, ENOMEM, "no memory for %zu versions", listing->count);
    box->gathered = (struct gathered){.listings = &listing, .count = 1, .failed = 1};
    fill_entries(box);
    box->gathered = (struct gathered){.failure = *err};
    box->cached = steal_ptr(&listing);
    *ret_box = box;
    return 0;
}

static int gather_versions(struct resolver *resolver, const char *id,
                           enum resolve_how how, struct version_box **ret_box,
                           struct error *err)
{
    CLEANUP_GATHERED struct gathered gathered = {0};
    struct version_box *box;
    size_t total = 0;
    int rc = state_gather(resolver, &question_versions, id, how, &gathered, err);

    if (rc == -EINPROGRESS)
        return rc;
    if (rc < 0)
        return offline_versions(resolver, id, how, rc, ret_box, err);
    for (size_t i = 0; i < gathered.count; i++)
        total += gathered.listings[i] ? gathered.listings[i]->count : 0;
    if (total == 0 && gathered.failed > 0) {
        *err = gathered.failure;
        return offline_versions(resolver, id, how, -err->code, ret_box, err);
    }
    if (total == 0)
        return uid_fail_unknown(id, err);
    box = box_new(total);
    if (!box)
        return fail(err, ENOMEM, "no memory for %zu versions", total);
    box->gathered = gathered;
    gathered = (struct gathered){0};
    fill_entries(box);
    *ret_box = box;
    return 0;
}

/* The one version of a legacy ID that the cache folder names; it is taken when no
 * repository can say otherwise, so that a loaded model can be found offline. -ENOENT. */
static int cached_version(struct resolver *resolver, const char *id, enum resolve_how how,
                          struct version_box **ret_box, struct error *err)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    struct release release = {0};
    struct freshness fresh = {0};
    struct version_box *box;
    struct error reason;
    int64_t left_ms = 0;
    int rc = state_cached_versions(resolver, id, how, &listing, &left_ms, err);

    if (rc < 0)
        return rc;
    rc =
        resolver_release(resolver, id, listing->names[0], how, &release, &fresh, &reason);
    if (rc == -ENOENT || rc == -EINPROGRESS) {
        *err = reason;
        return rc;
    }
    box = box_new(1);
    if (!box)
        return fail(err, ENOMEM, "no memory for a version");
    box->cached = steal_ptr(&listing);
    box->entries[0] = (struct version_entry){
        .version = box->cached->names[0],
        .repository = release.repository,
        .is_accepted = uid_version_is_accepted(box->cached->names[0]),
    };
    box->base.count = 1;
    box->base.fresh.left_ms = left_ms < fresh.left_ms ? left_ms : fresh.left_ms;
    *ret_box = box;
    return 0;
}

int resolver_versions(struct resolver *resolver, const char *id, enum resolve_how how,
                      struct version_list **ret_list, struct error *err)
{
    struct version_box *box = NULL;
    struct error reason = {0};
    bool is_legacy = uid_is_legacy(id);
    int rc = -ENOENT;

    if (!is_legacy && !uid_is_short(id))
        return uid_fail_unknown(id, err);
    if (is_legacy)
        rc = cached_version(resolver, id, how, &box, &reason);
    if (rc < 0 && rc != -ENOENT)
        *err = reason;
    if (rc == -ENOENT) {
        rc = gather_versions(resolver, id, how, &box, err);
        if (rc == 0 && is_legacy) { /* one version: the first that is listed */
            box->base.count = 1;
            box->base.latest = 0;
            box->base.is_partial = false;
        }
    }
    if (rc == 0)
        *ret_list = &box->base;
    return rc;
}

/* The latest version of an ID (the only one of a legacy ID). */
static int resolve_id(struct resolver *resolver, const char *id, enum resolve_how how,
                      struct release *ret_release, struct error *err)
{
    CLEANUP_WITH(cleanup_list) struct version_list *list = NULL;
    int rc = resolver_versions(resolver, id, how, &list, err);
    struct version_entry latest;

    if (rc < 0)
        return rc;
    if (list->is_partial) {
        *err = ((struct version_box *)list)->gathered.failure;
        return fail_context(err, -err->code, "find the latest version of %s", id);
    }
    latest = list->entries[list->latest];
    for (size_t i = list->count; i-- > 0;) /* the first that has it stands first */
        if (strcmp(list->entries[i].version, latest.version) == 0)
            latest.repository = list->entries[i].repository;
    *ret_release = (struct release){.repository = latest.repository};
    snprintf(ret_release->id, sizeof ret_release->id, "%s", id);
    snprintf(ret_release->version, sizeof ret_release->version, "%s", latest.version);
    return 0;
}

static int resolve_uid(struct resolver *resolver, const struct uid *uid,
                       enum resolve_how how, struct release *ret_release,
                       struct error *err)
{
    struct freshness fresh;

    if (!uid->version[0])
        return resolve_id(resolver, uid->id, how, ret_release, err);
    return resolver_release(resolver, uid->id, uid->version, how, ret_release, &fresh,
                            err);
}

/* An alias, or an ID whose version looks like no version to audmodel (3e120e8d-v1.0.0):
 * then the alias comes first, as it does there. */
static int resolve_alias(struct resolver *resolver, const char *alias,
                         enum resolve_how how, struct release *ret_release,
                         struct error *err)
{
    struct alias_target target;
    struct error reason;
    struct uid uid = {0};
    int rc = resolver_alias(resolver, alias, how, &target, &reason);

    if (rc == -ENOENT) {
        rc = uid_parse_target(alias, &uid, &reason);
        return rc < 0 ? uid_fail_unknown(alias, err)
                      : resolve_uid(resolver, &uid, how, ret_release, err);
    }
    if (rc < 0) {
        *err = reason;
        return rc;
    }
    snprintf(uid.id, sizeof uid.id, "%s", target.id);
    snprintf(uid.version, sizeof uid.version, "%s", target.version);
    rc = resolve_uid(resolver, &uid, how, ret_release, err);
    return rc < 0 && rc != -EINPROGRESS ? fail_context(err, rc, "alias '%s'", alias) : rc;
}

int resolver_resolve(struct resolver *resolver, const char *uid, enum resolve_how how,
                     struct release *ret_release, struct error *err)
{
    struct error ignored; /* what it is not does not matter to the caller */
    struct uid parsed;

    if (uid_parse(uid, &parsed, &ignored) < 0)
        return uid_fail_unknown(uid, err);
    if (parsed.kind == UID_ALIAS)
        return resolve_alias(resolver, parsed.alias, how, ret_release, err);
    return resolve_uid(resolver, &parsed, how, ret_release, err);
}
