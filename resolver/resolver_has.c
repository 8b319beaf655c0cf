/* resolver_has.c: whether there is a model or an alias, if possible without asking. */
#include "resolver/questions.h"
#include "resolver/resolver.h"
#include "resolver/state.h"
#include "resolver/uid.h"

#include <errno.h>
#include <string.h>

/* Does an answer in memory have the name? */
static bool is_known(struct resolver *resolver, const struct catalog_kind *kind,
                     const char *key, const char *name, enum resolve_how how,
                     struct freshness *ret_fresh)
{
    for (unsigned i = 0; i < resolver->repository_count; i++) {
        CLEANUP_LISTING struct listing *listing = NULL;
        struct catalog_answer answer = {0};
        struct error ignored; /* not in memory */

        if (catalog_get(resolver->catalog, i, kind, key,
                        how == RESOLVE_FETCH ? RESOLVE_KNOWN : how, &answer,
                        &ignored) < 0)
            continue;
        listing = answer.listing;
        if (name && !listing_has(listing, strcmp, name))
            continue;
        ret_fresh->left_ms = answer.left_ms;
        return true;
    }
    return false;
}

/* Is something of it in the cache folder? Then its versions are asked for next, which
 * tell whether there is such a model, too. */
static bool is_saved(struct resolver *resolver, const char *id, enum resolve_how how)
{
    struct listing *listing = NULL;
    struct error ignored; /* nothing is */
    int64_t left_ms;

    if (state_cached_versions(resolver, id, how, &listing, &left_ms, &ignored) < 0)
        return false;
    listing_unref(listing);
    return true;
}

/* What a server said of its models, however old: what was published stays. A server that
 * was never asked for them is asked once, if how allows it, since it may have so few that
 * one request tells of each of them. */
static int get_models(struct resolver *resolver, unsigned repository, const char *id,
                      enum resolve_how how, struct listing **ret_listing)
{
    struct catalog_answer answer = {0};
    struct error ignored; /* then the model itself is asked for */
    int rc = catalog_get(resolver->catalog, repository, &question_models, "",
                         RESOLVE_STALE, &answer, &ignored);

    if (rc == -EINPROGRESS)
        rc = catalog_get(resolver->catalog, repository, &question_few, "", RESOLVE_STALE,
                         &answer, &ignored);
    if (rc == -EINPROGRESS && how == RESOLVE_FETCH && !is_saved(resolver, id, how))
        rc = catalog_get(resolver->catalog, repository, &question_few, "", how, &answer,
                         &ignored);
    *ret_listing = answer.listing;
    return rc;
}

void resolver_prefetch(struct resolver *resolver)
{
    for (unsigned i = 0; i < resolver->repository_count; i++)
        catalog_prefetch(resolver->catalog, i,
                         backend_is_local(resolver_backend(resolver, i))
                             ? &question_presence
                             : &question_few,
                         "");
}

static bool is_listed(struct resolver *resolver, const char *id, enum resolve_how how,
                      struct freshness *ret_fresh)
{
    for (unsigned i = 0; i < resolver->repository_count; i++) {
        CLEANUP_LISTING struct listing *listing = NULL;

        if (backend_is_local(resolver_backend(resolver, i)) ||
            get_models(resolver, i, id, how, &listing) < 0 ||
            !listing_has(listing, strcmp, id))
            continue;
        state_note_model(resolver, i, id);
        ret_fresh->left_ms = 0;
        (void)is_known(resolver, &question_model, id, NULL, how,
                       ret_fresh); /* how long */
        return true;
    }
    return false;
}

/* Where a list of versions takes a request for each, one request tells whether there is
 * any. -EAGAIN: the list of versions takes no more. */
static int ask_folders(struct resolver *resolver, const char *id, enum resolve_how how,
                       struct freshness *ret_fresh, struct error *err)
{
    struct catalog_answer answer = {0};
    bool is_slow = false;
    unsigned repository;
    int rc;

    for (unsigned i = 0; i < resolver->repository_count; i++)
        is_slow |= backend_lists_deep_slowly(resolver_backend(resolver, i));
    if (!is_slow || !uid_is_id(id))
        return -EAGAIN;
    rc = state_find_first(resolver, &question_model, id, how, &answer, &repository, err);
    if (rc == 0) {
        listing_unref(answer.listing);
        ret_fresh->left_ms = answer.left_ms;
    }
    return rc;
}

/* Did asking fail, so that a listing of any age is better than that? */
static bool is_lost(int rc, enum resolve_how how)
{
    return rc < 0 && rc != -ENOENT && rc != -EBADMSG && how == RESOLVE_FETCH;
}

int resolver_has_model(struct resolver *resolver, const char *id, enum resolve_how how,
                       struct freshness *ret_fresh, struct error *err)
{
    struct version_list *list;
    int rc;

    if (is_known(resolver, &question_model, id, NULL, how, ret_fresh) ||
        is_known(resolver, &question_models, "", id, how, ret_fresh) ||
        is_listed(resolver, id, how, ret_fresh))
        return 0;
    if (!is_saved(resolver, id, how)) {
        rc = ask_folders(resolver, id, how, ret_fresh, err);
        if (rc == 0 || rc == -ENOENT || rc == -EINPROGRESS)
            return rc;
    }
    rc = resolver_versions(resolver, id, how, &list, err);
    if (is_lost(rc, how) &&
        is_known(resolver, &question_models, "", id, RESOLVE_SAVED, ret_fresh))
        return 0;
    if (rc < 0)
        return rc;
    *ret_fresh = list->fresh;
    version_list_unref(list);
    return 0;
}

int resolver_has_alias(struct resolver *resolver, const char *alias, enum resolve_how how,
                       struct freshness *ret_fresh, struct error *err)
{
    struct alias_target target;
    int rc;

    if (is_known(resolver, &question_aliases, "", alias, how, ret_fresh))
        return 0;
    rc = resolver_alias(resolver, alias, how, &target, err);
    if (is_lost(rc, how) &&
        is_known(resolver, &question_aliases, "", alias, RESOLVE_SAVED, ret_fresh))
        return 0;
    if (rc == 0)
        *ret_fresh = target.fresh;
    return rc;
}
