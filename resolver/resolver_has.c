/* resolver_has.c: whether there is a model or an alias, if possible without asking. */
#include "resolver/questions.h"
#include "resolver/resolver.h"
#include "resolver/state.h"

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
        is_known(resolver, &question_models, "", id, how, ret_fresh))
        return 0;
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
