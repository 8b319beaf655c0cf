/* resolver_names.c: the names of models, aliases and folders, over all repositories. */
#include "common/cleanup.h"
#include "common/memory.h"
#include "resolver/questions.h"
#include "resolver/repo_path.h"
#include "resolver/resolver.h"
#include "resolver/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names_box {
    struct names base; /* first: the caller's pointer */
    struct listing *listing;
};

static struct names *box_new(struct listing *take_listing,
                             const struct gathered *gathered)
{
    struct names_box *box = XNEW(struct names_box);

    box->listing = take_listing;
    box->base = (struct names){.names = take_listing->names,
                               .count = take_listing->count,
                               .is_partial = gathered->failed > 0,
                               .fresh.left_ms = gathered->left_ms};
    return &box->base;
}

void names_unref(struct names *names)
{
    if (!names)
        return;
    listing_unref(((struct names_box *)names)->listing);
    free(names);
}

/* Put listings that are sorted by bytes together. */
static int merge(struct listing *const *listings, size_t count,
                 struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    struct listing *only = NULL;
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        found += listings[i] != NULL;
        only = listings[i] ? listings[i] : only;
    }
    listing_builder_init(&builder);
    if (found == 1) {
        *ret_listing = listing_ref(only);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; listings[i] && j < listings[i]->count; j++) {
            int rc = listing_add(&builder, listings[i]->names[j], err);

            if (rc < 0)
                return rc;
        }
    return listing_finish(&builder, strcmp, ret_listing, err);
}

static struct listing *find_merged(struct resolver *resolver, enum names_of of,
                                   const struct gathered *gathered)
{
    const struct merged *merged = &resolver->merged[of];
    struct listing *found = NULL;

    lock_acquire(&resolver->lock);
    if (merged->sources && memcmp(merged->sources, gathered->listings,
                                  gathered->count * sizeof *merged->sources) == 0)
        found = listing_ref(merged->listing);
    lock_release(&resolver->lock);
    return found;
}

/* The sources are kept too: while they live no other listing can have their address. */
static void keep_merged(struct resolver *resolver, enum names_of of,
                        const struct gathered *gathered, struct listing *listing)
{
    struct listing **sources = xcalloc(gathered->count, sizeof(struct listing *));
    struct merged before;

    for (size_t i = 0; i < gathered->count; i++)
        sources[i] = gathered->listings[i] ? listing_ref(gathered->listings[i]) : NULL;
    lock_acquire(&resolver->lock);
    before = resolver->merged[of];
    resolver->merged[of] =
        (struct merged){.sources = sources, .listing = listing_ref(listing)};
    lock_release(&resolver->lock);
    for (size_t i = 0; before.sources && i < gathered->count; i++)
        listing_unref(before.sources[i]);
    free(before.sources);
    listing_unref(before.listing);
}

int resolver_names(struct resolver *resolver, enum names_of of, enum resolve_how how,
                   struct names **ret_names, struct error *err)
{
    CLEANUP_GATHERED struct gathered gathered = {0};
    struct listing *listing;
    int rc = state_gather(resolver,
                          of == NAMES_OF_MODELS ? &question_models : &question_aliases,
                          "", how, &gathered, err);

    if (rc < 0)
        return rc;
    listing = find_merged(resolver, of, &gathered);
    if (!listing) {
        rc = merge(gathered.listings, gathered.count, &listing, err);
        if (rc < 0)
            return rc;
        if (gathered.found > 1)
            keep_merged(resolver, of, &gathered, listing);
    }
    *ret_names = box_new(listing, &gathered);
    return 0;
}

static bool is_below(const char *folder, const char *top)
{
    size_t size = strlen(top);

    return strncmp(folder, top, size) == 0 && (!folder[size] || folder[size] == '/');
}

/* A subgroup may begin with "_uid.": its archives lie beside the documents of the models,
 * which are no folders of the tree. */
static bool is_document(const char *folder)
{
    CLEANUP_FREE char *part = NULL;

    if (strncmp(folder, REPO_PATH_MODELS "/", sizeof REPO_PATH_MODELS) != 0)
        return false;
    folder += sizeof REPO_PATH_MODELS;
    part = xstrndup(folder, strcspn(folder, "/"));
    return repo_path_is_of_model(part);
}

static bool is_tree_folder(const char *folder)
{
    return strlen(folder) < BACKEND_PATH_MAX && !is_document(folder) &&
           !is_below(folder, REPO_PATH_ALIASES);
}

int resolver_tree(struct resolver *resolver, const char *folder, enum resolve_how how,
                  struct names **ret_names, struct error *err)
{
    CLEANUP_GATHERED struct gathered gathered = {0};
    struct listing *listing;
    int rc;

    if (!is_tree_folder(folder))
        return fail(err, ENOENT, "folder '%.900s' does not exist", folder);
    rc = state_gather(resolver, &question_folders, folder, how, &gathered, err);
    if (rc < 0)
        return rc;
    if (gathered.found == 0 && gathered.failed > 0) {
        *err = gathered.failure;
        return -err->code;
    }
    if (gathered.found == 0)
        return fail(err, ENOENT, "folder '%.900s' does not exist", folder);
    rc = merge(gathered.listings, gathered.count, &listing, err);
    if (rc == 0)
        *ret_names = box_new(listing, &gathered);
    return rc;
}

int resolver_aliases_of(struct resolver *resolver, const struct release *release,
                        struct names **ret_names, struct error *err)
{
    CLEANUP_GATHERED struct gathered gathered = {0};
    char key[MODEL_ID_SIZE + VERSION_SIZE];
    struct listing *listing;
    int rc;

    snprintf(key, sizeof key, "%s/%s", release->id, release->version);
    rc = state_gather(resolver, &question_alias_list, key, RESOLVE_FETCH, &gathered, err);
    if (rc == 0)
        rc = merge(gathered.listings, gathered.count, &listing, err);
    if (rc < 0)
        return fail_context(err, rc, "aliases of %s-%s", release->id, release->version);
    *ret_names = box_new(listing, &gathered);
    return 0;
}
